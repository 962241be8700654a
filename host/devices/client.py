"""A client of one board: hello, then requests and their answers, without pictures."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from ..errors import Reason
from ..link.channel import Channel
from ..text import printable
from ..transport.driver import now_us
from ..transport.transport import Transport, TransportError
from ..wire import FIRST_FAULT, VERSION, Control, Error, Hello, Kind, Link, LinkState, Log, Picture
from .errors import BoardError, NoHelloError

#: A board answers within a few ms; a development kit may take longer after it was plugged in.
HELLO_S = 1.0
ANSWER_S = 0.5
TRIES = 3
_REPEAT_S = 0.2
#: The last wait for a hello, after its time is over.
_LAST_S = 0.1

Packet = Picture | Control
_T = TypeVar("_T", bound=Control)


class BoardClient:
    """A session with the board behind a transport. Use as an asynchronous context manager.

    ``links`` are the board's connections that are not down, by peer. ``faults`` are the errors by which the board
    reported that a part of it does not work, by code. ``notes`` are what it says after its hello, such as the fault
    before its last start.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.links: dict[int, Link] = {}
        self.faults: dict[int, Error] = {}
        self.notes: list[str] = []
        self._channel = Channel()

    @property
    def name(self) -> str:
        """Name of the port."""
        return self.transport.name

    async def __aenter__(self) -> Self:
        await self.transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transport.close()

    async def greet(self, timeout_s: float = HELLO_S) -> Hello:
        """Open a session and return the board's hello, which may be of another protocol version.

        Raises NoHelloError if no board answers in time. It is asked once more before: this computer may have been
        asleep meanwhile, with the answer unread.
        """
        nonce = int.from_bytes(os.urandom(4), "little")
        ours = Hello(version=VERSION, kind=Kind.HOST, session=nonce, name=b"host.boards")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    if (hello := await self._hello(ours, _REPEAT_S)) is not None:
                        return hello
        if (hello := await self._hello(ours, _LAST_S)) is not None:
            return hello
        raise NoHelloError(f"{self.name}: no board answered")

    async def greet_same(self) -> Hello:
        """Open a session with a board of this program's protocol version, whose packets may be read.

        Raises NoHelloError if no board answers in time, BoardError if it speaks another version.
        """
        hello = await self.greet()
        if hello.version != VERSION:
            raise BoardError(
                f"{self.name}: firmware {firmware_text(hello)} speaks protocol {hello.version}, this program {VERSION}",
                reason=Reason.WRONG_FIRMWARE,
            )
        return hello

    async def _hello(self, ours: Hello, timeout_s: float) -> Hello | None:
        """Send a hello and return the board's; None if it does not come in time."""
        self.send(ours)
        return await self.wait_for(Hello, timeout_s, lambda hello: hello.kind == Kind.BOARD)

    async def greet_again(self, timeout_s: float) -> Hello:
        """Open a session with a board that restarts. Its port may vanish and return, if it is the board's own USB.

        Raises NoHelloError if the board does not answer in time.
        """
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        lost = False
        while True:
            try:
                if lost:
                    await self.transport.open()
                return await self.greet(max(0.0, end_s - loop.time()))
            except TransportError as error:
                if loop.time() >= end_s:
                    raise NoHelloError(f"{error}: it did not come back", reason=Reason.NOT_READY) from error
                lost = True
                await asyncio.sleep(_REPEAT_S)

    async def request(
        self, question: Control, answer: type[_T], *, timeout_s: float = ANSWER_S, tries: int = TRIES
    ) -> _T:
        """Send a question, again after each timeout, and return the board's answer.

        Raises BoardError if the board refuses or does not answer.
        """
        for _ in range(tries):
            self.send(question)
            with contextlib.suppress(TimeoutError):  # the question or its answer was damaged on the wire
                async with asyncio.timeout(timeout_s):
                    packet = await self.find(lambda packet: isinstance(packet, answer | Error) and not is_fault(packet))
                    if isinstance(packet, Error):
                        raise BoardError(f"{self.name}: {refusal(packet)}", reason=Reason.REFUSED)
                    assert isinstance(packet, answer)
                    return packet
        raise BoardError(f"{self.name}: the board stopped answering", reason=Reason.BOARD_SILENT)

    async def wait_for(
        self, kind: type[_T], timeout_s: float, accept: Callable[[_T], bool] = lambda _packet: True
    ) -> _T | None:
        """Return the next packet of that kind that ``accept`` takes, None if none comes in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                packet = await self.find(lambda packet: isinstance(packet, kind) and accept(packet))
                assert isinstance(packet, kind)
                return packet
        return None

    def send(self, packet: Packet) -> None:
        """Send a packet that needs no answer."""
        self._channel.write(now_us(), packet)
        self.transport.write(self._channel.output())

    async def listen(self, seconds: float) -> None:
        """Read for that long: a board reports its connections after a hello and at each change."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.find(lambda _packet: False)

    async def find(self, accept: Callable[[Packet], bool]) -> Packet:
        """Read until a packet comes that ``accept`` takes, and return it. Raises TransportError if the port is lost."""
        while True:
            for packet in self._receive(await self.transport.read()):
                if accept(packet):
                    return packet

    def _receive(self, data: bytes) -> list[Packet]:
        """Parse bytes of the port; return their packets and keep what they say about connections."""
        packets = self._channel.receive(data)
        for packet in packets:
            if isinstance(packet, Link):
                if packet.state == LinkState.DOWN:
                    self.links.pop(packet.peer, None)
                else:
                    self.links[packet.peer] = packet
            elif isinstance(packet, Hello):
                self.faults.clear()  # those that exist follow it, and so do its notes
                self.notes.clear()
            elif isinstance(packet, Log):
                self.notes.append(printable(packet.text.decode(errors="replace")))
            elif isinstance(packet, Error) and is_fault(packet):
                self.faults[packet.code] = packet
        return packets


def is_fault(packet: Packet) -> bool:
    """Return true for an error that is a fault of the board itself, and no answer to a packet of the host."""
    return isinstance(packet, Error) and packet.code >= FIRST_FAULT


def fault_text(fault: Error) -> str:
    """Return a fault in words, with its numbers for a bug report."""
    text = fault.text.decode(errors="replace") or f"error {fault.code}"
    return f"{text} (error {fault.code}, number {fault.detail & 0xFFFF}, {fault.detail >> 16} times)"


def refusal(error: Error) -> str:
    """Return an error packet in words."""
    text = error.text.decode(errors="replace")
    return text or f"the board refused it (error {error.code}, detail {error.detail})"


def firmware_text(hello: Hello) -> str:
    """Return the firmware's version as it is written."""
    return ".".join(str(part) for part in hello.firmware)
