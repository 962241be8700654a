"""A host's end of a board's port without any policy: it sends what the test says and keeps what the board sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from host.devices.client import BoardClient, Packet
from host.link.channel import MAX_FRAMES_IN_FLIGHT
from host.transport.transport import Transport, TransportError
from host.wire import (
    MAX_CODEC_BYTES,
    Configure,
    Control,
    Credit,
    Error,
    Hello,
    Link,
    LinkState,
    Picture,
    Reset,
    Role,
    Statistics,
    StatisticsRequest,
)
from tests import pace

_T = TypeVar("_T")
_C = TypeVar("_C", bound=Control)
#: A board may answer late while a test loads it: a question is asked again for this long, s.
_PATIENCE_S = 240.0
_REPEAT_S = 0.2
#: Time after which a board that was reset is gone, s.
RESET_S = 0.3
_KEEP_POWER_DBM = 127


class Host(BoardClient):
    """A client that reads its port all the time.

    ``heard`` holds the board's packets in order, ``credit`` is the last of its credits, ``lost`` the error that ended
    the port.
    """

    def __init__(self, transport: Transport, role: Role) -> None:
        super().__init__(transport)
        self.role = role
        self.heard: list[Packet] = []
        self.credit: Credit | None = None
        self.credits: list[Credit] = []
        self.errors: list[Error] = []
        self.lost: TransportError | None = None
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> Hello:
        """Open the port and a session; give the board the role if it has another one."""
        await self.transport.open()
        self.lost = None
        self._reading = asyncio.create_task(self._read())
        hello = await self.greet()
        return hello if hello.role == self.role else await self.configure()

    async def close(self) -> None:
        """Close the port."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self.transport.close()

    async def greet(self, timeout_s: float = _PATIENCE_S) -> Hello:
        """Open a session, also with a board that is still starting."""
        return await super().greet(timeout_s)

    async def reset_board(self) -> None:
        """Reset the board, and open a session with it again."""
        self.send(Reset())
        await asyncio.sleep(pace.seconds(RESET_S))
        await self.greet()

    async def leave_and_return(self) -> None:
        """Take the board's role until it has no connection, and give it back."""
        self.send(Configure(role=Role.NONE, tx_power_dbm=_KEEP_POWER_DBM))
        await self.until(lambda: not self.links)
        await self.configure()

    async def configure(self, **fields: int | bytes) -> Hello:
        """Set the board's role and radio."""
        settings = Configure(role=self.role, **{"tx_power_dbm": _KEEP_POWER_DBM, **fields})  # type: ignore[arg-type]
        return await self.ask(settings, Hello)

    async def statistics(self, peer: int = 0) -> Statistics:
        """Request the board's statistics."""
        return await self.ask(StatisticsRequest(peer=peer), Statistics)

    async def ask(self, question: Control, kind: type[_C]) -> _C:
        """Send a question until it is answered."""
        return await self.request(question, kind, timeout_s=pace.seconds(_REPEAT_S), tries=int(_PATIENCE_S / _REPEAT_S))

    async def hear(
        self, kind: type[_T], fits: Callable[[_T], bool] = lambda _: True, *, since: int | None = None
    ) -> _T:
        """Return the first packet of that kind that fits, from ``heard[since]`` on (default: from now on)."""
        packet = await self.find(lambda packet: isinstance(packet, kind) and fits(packet), since=since)
        assert isinstance(packet, kind)
        return packet

    async def find(self, accept: Callable[[Packet], bool], *, since: int | None = None) -> Packet:
        """Return the first packet that ``accept`` takes; several tasks may wait at once."""
        at = len(self.heard) if since is None else since
        while True:
            for packet in self.heard[at:]:
                at += 1
                if accept(packet):
                    return packet
            self._raise_if_lost()
            await self.change()

    async def change(self) -> None:
        """Wait until something came."""
        self._changed.clear()
        await self._changed.wait()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true."""
        while not true():
            self._raise_if_lost()
            await self.change()

    async def linked(self) -> Link:
        """Wait for a connection that carries whole packets."""
        await self.until(lambda: any(link.state == LinkState.UP and link.mtu >= 247 for link in self.links.values()))
        return next(iter(self.links.values()))

    async def offer(self, pictures: Sequence[Picture]) -> None:
        """Give the board picture packets, never more than it has room for."""
        for picture in pictures:
            await self.until(self._has_room)
            self.send(picture)

    def pictures(self) -> list[Picture]:
        """Return the picture packets that came."""
        return [packet for packet in self.heard if isinstance(packet, Picture)]

    @property
    def settled(self) -> bool:
        """True if the board has confirmed every frame and keeps no picture packet."""
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
            for packet in self._receive(data):
                self._keep(packet)
            self._changed.set()

    def _keep(self, packet: Packet) -> None:
        if isinstance(packet, Credit):
            self.credit = packet
            self.credits.append(packet)
            self._channel.confirm(packet, lost=lambda _: None)
        elif isinstance(packet, Error):
            self.errors.append(packet)
        self.heard.append(packet)


def picture(image: int, rank: int, *, remaining_ms: int = 60_000, size: int = MAX_CODEC_BYTES) -> Picture:
    """Return a picture packet whose codec bytes depend on image and rank."""
    data = bytes((image + 3 * rank + 7 * at) % 256 for at in range(size))
    return Picture(image=image, rank=rank, position=rank, remaining_ms=remaining_ms, data=data)
