"""A board in this process: the firmware's own C core as a port, with a radio of the caller's."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

from ..transport.driver import now_us
from ..transport.transport import TransportError
from ..wire import Boot, Phy, Role
from .core import BoardCore, Totals

#: The core wants to be told the time at least every 50 ms.
TICK_S = 0.01
#: Connections that its core has places for (PNC_PEERS).
PEERS = 8
#: Bytes for the host at a time: a frame or two, so that the rest can still be overtaken inside the core.
_ROOM = 512
_UNKNOWN_RSSI_DBM = 127
#: Bluetooth reason code: ended by this side.
_LOCAL_REASON = 0x16


class InProcessBoard:
    """A ``Transport`` with a board behind it, and ``peers`` connections that the caller makes: peer 0 to ``peers`` - 1.

    ``carry`` puts one packet for a peer on the air; it returns when the packet has left (a camera's: was acknowledged),
    and raises TransportError when the connection is lost, whereupon ``disconnected`` is expected. When the host resets the
    board, ``on_reset`` is called, which must end the connections. It takes no other role than ``role``.
    """

    def __init__(
        self,
        name: str,
        role: Role,
        carry: Callable[[int, bytes], Awaitable[None]],
        *,
        on_reset: Callable[[], None],
        peers: int = 1,
        board_id: int = 0,
        capabilities: int = 0,
    ) -> None:
        self.name = name
        self._carry = carry
        self._on_reset = on_reset
        self._for_host = asyncio.Event()
        self._for_air = [asyncio.Event() for _ in range(peers)]
        self._connected = [asyncio.Event() for _ in range(peers)]
        self._tasks: list[asyncio.Task[None]] = []
        self._core = BoardCore(
            name,
            board_id=board_id,
            session=int.from_bytes(os.urandom(4), "little"),
            role=role,
            capabilities=capabilities,
            rssi_dbm=_UNKNOWN_RSSI_DBM,
            now_us=now_us(),
            on_configure=lambda wanted: wanted.role == role and wanted.phy == Phy.KEEP and not wanted.interval_us,
            on_wake=self._wake,
            on_reset=self._reset_soon,
        )

    @property
    def totals(self) -> Totals:
        """The accounting of its queue."""
        return self._core.totals

    @property
    def is_connected(self) -> bool:
        """True between ``connected`` and ``disconnected`` of any peer."""
        return any(connected.is_set() for connected in self._connected)

    async def open(self) -> None:
        """Start the board's clock and its radio."""
        await self.close()
        sending = [asyncio.create_task(self._send(peer)) for peer in range(len(self._for_air))]
        self._tasks = [asyncio.create_task(self._tick()), *sending]

    def write(self, data: bytes) -> None:
        """Bytes from the host."""
        self._core.serial_rx(now_us(), data)

    async def read(self) -> bytes:
        """Wait for bytes to the host."""
        while True:
            self._for_host.clear()
            data = self._core.serial_tx(now_us(), _ROOM)
            if data:
                return data
            await self._for_host.wait()

    async def close(self) -> None:
        """Stop; what the queue holds stays there."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._core.serial_closed(now_us())

    def connected(self, mtu: int, *, peer: int = 0, interval_us: int = 0, phy: Phy = Phy.KEEP) -> None:
        """The connection is ready in both directions; what the system does not tell may be left out."""
        self._connected[peer].set()
        self._core.radio_up(now_us(), peer, interval_us=interval_us, phy=phy, mtu=mtu)

    def disconnected(self, reason: int, *, peer: int = 0) -> None:
        """The connection ended, with Bluetooth's reason code."""
        self._connected[peer].clear()
        self._core.radio_down(now_us(), peer, reason)

    def arrived(self, packet: bytes, *, peer: int = 0) -> None:
        """A packet came over the air."""
        self._core.radio_rx(now_us(), peer, packet)

    def _reset_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._reset)  # it asks from inside

    def _reset(self) -> None:
        for peer in range(len(self._connected)):
            self.disconnected(_LOCAL_REASON, peer=peer)
        self._core.reset(now_us(), Boot.SOFTWARE)
        self._on_reset()

    def _wake(self) -> None:
        self._for_host.set()
        for event in self._for_air:
            event.set()

    async def _tick(self) -> None:
        while True:
            self._core.tick(now_us())
            await asyncio.sleep(TICK_S)

    async def _send(self, peer: int) -> None:
        for_air = self._for_air[peer]
        while True:
            for_air.clear()
            packet = self._core.radio_tx(now_us(), peer)
            if not packet:
                await for_air.wait()
                continue
            try:
                await self._carry(peer, packet)
            except TransportError:
                await _cleared(self._connected[peer])
            else:
                self._core.radio_sent(now_us(), peer)


async def _cleared(event: asyncio.Event) -> None:
    while event.is_set():
        await asyncio.sleep(TICK_S)
