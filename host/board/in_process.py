"""A board in this process: the firmware's C core as a transport, with a radio that the caller provides."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

from ..transport.driver import now_us
from ..transport.transport import TransportError
from ..wire import Boot, Phy, Role
from .core import PEERS, BoardCore, Totals

#: Interval of the core's ticks; it needs one at least every 50 ms.
TICK_S = 0.01
#: Most bytes pulled for the host at a time: one or two frames, so that the core can still reorder the rest.
_ROOM = 512
_UNKNOWN_RSSI_DBM = 127
#: Bluetooth reason code: ended by this side.
_ENDED_LOCALLY = 0x16


class InProcessBoard:
    """A ``Transport`` to a board with ``peers`` radio connections, 0 to ``peers`` - 1, at most ``core.PEERS``.

    The caller makes the connections and reports them with ``connected``, ``disconnected`` and ``arrived``. ``carry``
    puts one packet for a peer on the air. It returns when the packet has left (for a camera: was acknowledged) and
    raises TransportError when the connection is lost; the caller then also calls ``disconnected``. ``on_reset`` is
    called when the host resets the board and must end the connections. The board refuses every role but ``role``.
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
        if peers > PEERS:
            raise ValueError(f"{peers} peers: the core is compiled for {PEERS}")
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
            on_configure=lambda new: new.role == role and new.phy == Phy.KEEP and not new.interval_us,
            on_wake=self._wake,
            on_reset=self._reset_soon,
        )

    @property
    def totals(self) -> Totals:
        """Accounting of the board's queue."""
        return self._core.totals

    @property
    def is_connected(self) -> bool:
        """True while any peer is connected."""
        return any(connected.is_set() for connected in self._connected)

    async def open(self) -> None:
        """Start the board's clock and radio."""
        await self.close()
        sending = [asyncio.create_task(self._send(peer)) for peer in range(len(self._for_air))]
        self._tasks = [asyncio.create_task(self._tick()), *sending]

    def write(self, data: bytes) -> None:
        """Take bytes from the host."""
        self._core.serial_rx(now_us(), data)

    async def read(self) -> bytes:
        """Wait for bytes for the host."""
        while True:
            self._for_host.clear()
            data = self._core.serial_tx(now_us(), _ROOM)
            if data:
                return data
            await self._for_host.wait()

    async def close(self) -> None:
        """Stop the board; its queue keeps its packets."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._core.serial_closed(now_us())

    def connected(self, mtu: int, *, peer: int = 0, interval_us: int = 0, phy: Phy = Phy.KEEP) -> None:
        """Report a connection that is ready in both directions. Omit parameters that the system does not report."""
        self._connected[peer].set()
        self._core.radio_up(now_us(), peer, interval_us=interval_us, phy=phy, mtu=mtu)

    def disconnected(self, reason: int, *, peer: int = 0) -> None:
        """Report the end of a connection, with Bluetooth's reason code."""
        self._connected[peer].clear()
        self._core.radio_down(now_us(), peer, reason)

    def arrived(self, packet: bytes, *, peer: int = 0) -> None:
        """Take a packet from the air."""
        self._core.radio_rx(now_us(), peer, packet)

    def _reset_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._reset)  # the request comes from inside the core

    def _reset(self) -> None:
        for peer in range(len(self._connected)):
            self.disconnected(_ENDED_LOCALLY, peer=peer)
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
                await _until_cleared(self._connected[peer])
            else:
                self._core.radio_sent(now_us(), peer)


async def _until_cleared(event: asyncio.Event) -> None:
    while event.is_set():
        await asyncio.sleep(TICK_S)
