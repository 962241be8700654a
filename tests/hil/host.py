"""A host without policy: it sends the test's packets to the board and keeps the received ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from host.link.channel import MAX_FRAMES_IN_FLIGHT, Channel
from host.transport.driver import now_us
from host.transport.transport import Transport, TransportError
from host.wire import (
    MAX_CODEC_BYTES,
    VERSION,
    Configure,
    Control,
    Credit,
    Error,
    Hello,
    Kind,
    Link,
    LinkState,
    Picture,
    Reset,
    Role,
    Statistics,
    StatisticsRequest,
)
from tests import pace

Packet = Picture | Control
_T = TypeVar("_T")
_AGAIN_S = 0.2
#: Time in which a board carries out a reset, on the reference machine.
RESET_S = 0.3
_KEEP_POWER_DBM = 127


class Host:
    """A host on one transport. ``heard`` holds the board's packets, in order, ``credit`` the last credit, and ``lost``
    the error that ended the transport."""

    def __init__(self, transport: Transport, role: Role) -> None:
        self.transport = transport
        self.role = role
        self.heard: list[Packet] = []
        self.credit: Credit | None = None
        self.credits: list[Credit] = []
        self.links: dict[int, Link] = {}
        self.errors: list[Error] = []
        self.lost: TransportError | None = None
        self._channel = Channel()
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> Hello:
        """Open the transport and a session; a board without a role gets the host's."""
        await self.transport.open()
        self.lost = None
        self._reading = asyncio.create_task(self._read())
        hello = await self.greet()
        if hello.role != self.role:
            hello = await self.configure()
        return hello

    async def close(self) -> None:
        """Close the transport."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self.transport.close()

    async def greet(self) -> Hello:
        """Open a session; the board may still be starting."""
        return await self.ask(Hello(version=VERSION, kind=Kind.HOST, session=now_us() % (1 << 32), name=b"hil"), Hello)

    async def reset_board(self) -> None:
        """Reset the board, and open a session with it again."""
        self.say(Reset())
        await asyncio.sleep(pace.seconds(RESET_S))
        await self.greet()

    async def leave_and_return(self) -> None:
        """Take the board's role until it has no connection, then restore it."""
        self.say(Configure(role=Role.NONE, tx_power_dbm=_KEEP_POWER_DBM))
        await self.until(lambda: not self.links)
        await self.configure()

    async def configure(self, **fields: int | bytes) -> Hello:
        """Set the board's radio."""
        wanted = Configure(role=self.role, **{"tx_power_dbm": _KEEP_POWER_DBM, **fields})  # type: ignore[arg-type]
        return await self.ask(wanted, Hello)

    async def statistics(self, peer: int = 0) -> Statistics:
        """Return the board's statistics."""
        return await self.ask(StatisticsRequest(peer=peer), Statistics)

    async def ask(self, question: Control, kind: type[_T]) -> _T:
        """Repeat a request until it is answered."""
        while True:
            start = len(self.heard)
            self.say(question)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pace.seconds(_AGAIN_S)):
                    return await self.hear(kind, since=start)
            self._raise_if_lost()

    async def hear(
        self, kind: type[_T], fits: Callable[[_T], bool] = lambda _: True, *, since: int | None = None
    ) -> _T:
        """Wait for the first packet of a kind after ``since`` (default: now)."""
        at = len(self.heard) if since is None else since
        while True:
            for packet in self.heard[at:]:
                at += 1
                if isinstance(packet, kind) and fits(packet):
                    return packet
            self._raise_if_lost()
            await self.change()

    async def change(self) -> None:
        """Wait for the next packet."""
        self._changed.clear()
        await self._changed.wait()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until a condition is true."""
        while not true():
            self._raise_if_lost()
            await self.change()

    async def linked(self) -> Link:
        """Wait for a connection that carries whole packets."""
        await self.until(lambda: any(link.state == LinkState.UP and link.mtu >= 247 for link in self.links.values()))
        return next(iter(self.links.values()))

    def say(self, *packets: Packet) -> None:
        """Send packets, each in a frame."""
        for packet in packets:
            self._channel.write(now_us(), packet)
        self.transport.write(self._channel.output())

    async def offer(self, pictures: Sequence[Picture]) -> None:
        """Send picture packets to the board within its credit."""
        for picture in pictures:
            await self.until(self._has_room)
            self.say(picture)

    def pictures(self) -> list[Picture]:
        """Return the received picture packets."""
        return [packet for packet in self.heard if isinstance(packet, Picture)]

    @property
    def settled(self) -> bool:
        """True if the board has confirmed every frame and holds no picture packet."""
        credit = self.credit
        return credit is not None and not self._channel.frames_in_flight and not credit.waiting and not credit.in_radio

    def _has_room(self) -> bool:
        in_flight, channel = self._channel.pictures_in_flight(), self._channel
        return (
            self.credit is not None and in_flight < self.credit.free and channel.frames_in_flight < MAX_FRAMES_IN_FLIGHT
        )

    def _raise_if_lost(self) -> None:
        if self.lost is not None:
            raise self.lost

    async def _read(self) -> None:
        while True:
            try:
                data = await self.transport.read()
            except TransportError as error:
                self.lost = error
                self._changed.set()
                return
            for packet in self._channel.receive(data):
                self._take(packet)
            self._changed.set()

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Credit):
            self.credit = packet
            self.credits.append(packet)
            self._channel.confirm(packet, lost=lambda _: None)
        elif isinstance(packet, Link):
            self.links[packet.peer] = packet
            if packet.state == LinkState.DOWN:
                del self.links[packet.peer]
        elif isinstance(packet, Error):
            self.errors.append(packet)
        self.heard.append(packet)


def picture(image: int, rank: int, *, remaining_ms: int = 60_000, size: int = MAX_CODEC_BYTES) -> Picture:
    """Return a picture packet; its codec bytes contain image and rank."""
    data = bytes((image + 3 * rank + 7 * at) % 256 for at in range(size))
    return Picture(image=image, rank=rank, position=rank, remaining_ms=remaining_ms, data=data)
