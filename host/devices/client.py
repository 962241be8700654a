"""Asking one board: hello, then questions and answers, on its serial port."""

from __future__ import annotations

import asyncio
import contextlib
import os
from types import TracebackType
from typing import Self, TypeVar

from ..link.channel import Channel
from ..transport.driver import now_us
from ..transport.transport import Transport, TransportError
from ..wire import VERSION, Control, Error, Hello, Kind, Link, LinkState, Picture
from .errors import BoardError

#: A board answers within a few ms; a development kit may take longer after it was plugged in.
HELLO_S = 1.0
ANSWER_S = 0.5
_TRIES = 3
_AGAIN_S = 0.2

_T = TypeVar("_T", bound=Control)


class NoHelloError(BoardError):
    """Nothing that speaks the protocol is at the port."""


class BoardClient:
    """A session with the board on ``port``, without pictures. Use as an asynchronous context manager.

    ``links`` are its connections that are not down, by peer.
    """

    def __init__(self, port: Transport) -> None:
        self.port = port
        self.links: dict[int, Link] = {}
        self._channel = Channel()

    async def __aenter__(self) -> Self:
        await self.port.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.port.close()

    async def hello(self, timeout_s: float = HELLO_S) -> Hello:
        """Greet the board; NoHelloError if it is none. A board of another protocol version answers too."""
        ours = Hello(
            version=VERSION, kind=Kind.HOST, session=int.from_bytes(os.urandom(4), "little"), name=b"host.boards"
        )
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self._say(ours)
                    try:
                        async with asyncio.timeout(_AGAIN_S):
                            while True:
                                for packet in await self._hear():
                                    if isinstance(packet, Hello) and packet.kind == Kind.BOARD:
                                        return packet
                    except TimeoutError:
                        continue
        except TimeoutError:
            raise NoHelloError(f"{self.port.name}: no board answered: `make flash` writes this firmware") from None

    async def hello_again(self, timeout_s: float) -> Hello:
        """Greet a board that starts anew: if its port is its own USB, it vanishes and returns. NoHelloError if not."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        gone = False
        while True:
            try:
                if gone:
                    await self.port.open()
                return await self.hello(max(0.0, end_s - loop.time()))
            except TransportError as error:
                if loop.time() >= end_s:
                    raise NoHelloError(f"{error}: it did not come back: unplug it, plug it in again") from error
                gone = True
                await asyncio.sleep(_AGAIN_S)

    async def request(self, question: Control, answer: type[_T], timeout_s: float = ANSWER_S) -> _T:
        """The board's answer to a question; BoardError if it refuses or keeps silent."""
        for _ in range(_TRIES):
            self._say(question)
            try:
                async with asyncio.timeout(timeout_s):
                    while True:
                        for packet in await self._hear():
                            if isinstance(packet, answer):
                                return packet
                            if isinstance(packet, Error):
                                raise BoardError(f"{self.port.name}: {refusal(packet)}")
            except TimeoutError:
                continue  # the question, or the answer, broke on the wire
        raise BoardError(f"{self.port.name}: the board stopped answering: press its reset button")

    async def wait_for(self, kind: type[_T], timeout_s: float) -> _T | None:
        """The next packet of that kind that the board sends by itself; None if none comes."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for packet in await self._hear():
                        if isinstance(packet, kind):
                            return packet
        except TimeoutError:
            return None

    def send(self, packet: Control) -> None:
        """Say something that is not answered."""
        self._say(packet)

    async def listen(self, seconds: float) -> None:
        """Let the board report its connections, as it does after a hello."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._hear()

    def _say(self, packet: Control) -> None:
        self._channel.write(now_us(), packet)
        self.port.write(self._channel.output())

    async def _hear(self) -> list[Picture | Control]:
        packets = self._channel.receive(await self.port.read())
        for packet in packets:
            if isinstance(packet, Link):
                if packet.state == LinkState.DOWN:
                    self.links.pop(packet.peer, None)
                else:
                    self.links[packet.peer] = packet
        return packets


def refusal(error: Error) -> str:
    """An error packet in words."""
    text = error.text.decode(errors="replace")
    return text or f"the board refused it (error {error.code}, detail {error.detail})"


def firmware_text(hello: Hello) -> str:
    """Its firmware version."""
    return ".".join(str(part) for part in hello.firmware)
