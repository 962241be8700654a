"""One camera board's place at an edge board whose radio is this computer's Bluetooth: its connection is kept.

What ends is looked for again, with growing pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ..transport.ble import SCAN_S, Advertisement, BleLink, Bluetooth, choose, scan
from ..transport.transport import TransportError
from ..wire import Hello
from .in_process import InProcessBoard

#: Pauses between attempts to connect, s; the last one is repeated.
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
#: A board says hello as soon as it is subscribed to; one that does not is left and connected to again.
HELLO_S = 3.0
#: Bluetooth reason code: the connection timed out.
_LOST = 0x08


@dataclass
class Adapter:
    """This computer's Bluetooth. ``scan_connect_lock`` is for whoever scans or connects: BlueZ refuses two of these at a time.

    https://github.com/hbldh/bleak/issues/1036
    """

    bluetooth: Bluetooth = field(default_factory=Bluetooth)
    scan_s: float = SCAN_S
    back_off_s: tuple[float, ...] = BACK_OFF_S
    scan_connect_lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class BlePeer:
    """The connection of ``board``, as its peer ``peer``, to the camera board of name or address ``wanted``.

    Empty: the only one in reach. Once a board was found the place stays with its address. ``on_notice`` gets lines for
    a person.
    """

    def __init__(self, peer: int, wanted: str, adapter: Adapter, on_notice: Callable[[str], None]) -> None:
        self.wanted = wanted
        #: Set when the connection is to end, or has ended.
        self.lost = asyncio.Event()
        self._peer = peer
        self._adapter = adapter
        self._on_notice = on_notice
        self._link: BleLink | None = None
        self._greeted = asyncio.Event()
        self._through_socket = True

    def __str__(self) -> str:
        return f"the camera board {self.wanted}" if self.wanted else "a camera board"

    async def find(self) -> Advertisement | None:
        """Look for it; TransportError if there is no Bluetooth, or a choice to make."""
        adapter = self._adapter
        async with adapter.scan_connect_lock:
            found = choose(await scan(adapter.bluetooth, self.wanted, adapter.scan_s), self.wanted)
        if found is not None:
            self.wanted = found.address
        return found

    async def keep(self, board: InProcessBoard, found: Advertisement | None) -> None:
        """Connect, again and again. What goes wrong is said once, however often it does."""
        back_off_s = self._adapter.back_off_s
        said = ""
        failures = 0
        while True:
            try:
                found = found or await self.find()
                if found is not None:
                    await self._serve(board, found)
                    self._on_notice(f"{found.address}: the connection ended, looking for it again")
                    failures, said = 0, ""
            except TransportError as error:
                if str(error) != said:
                    said = str(error)
                    self._on_notice(said)
                failures += 1
            found = None
            await asyncio.sleep(back_off_s[min(failures, len(back_off_s) - 1)])

    async def write(self, packet: bytes) -> None:
        """Send one packet to the camera board; TransportError if it is lost."""
        if self._link is None:
            raise TransportError(f"{self}: not connected")
        try:
            await self._link.write(packet)
        except TransportError:
            self.lost.set()  # connected anew, and greeted anew
            raise

    async def _serve(self, board: InProcessBoard, found: Advertisement) -> None:
        """One connection, from its beginning to its end. TransportError if packets never flowed."""
        self.lost.clear()
        self._greeted.clear()

        def on_packet(packet: bytes) -> None:
            if packet[:1] == bytes((Hello.TYPE,)):
                self._greeted.set()
            board.arrived(packet, peer=self._peer)

        link = BleLink(found, on_packet, self.lost.set, self._adapter.bluetooth)
        async with self._adapter.scan_connect_lock:
            mtu = await link.open(through_socket=self._through_socket)
        self._link = link
        try:
            board.connected(mtu, peer=self._peer)  # from here on it says hello, and only then the camera sends pictures
            await self._wait_for_hello(found)
            self._on_notice(f"connected to {found.name or 'the camera board'} ({found.address}), MTU {mtu}")
            await self.lost.wait()
        finally:
            self._link = None
            board.disconnected(_LOST, peer=self._peer)
            await link.close()

    async def _wait_for_hello(self, found: Advertisement) -> None:
        both = [asyncio.create_task(event.wait()) for event in (self._greeted, self.lost)]
        try:
            await asyncio.wait(both, timeout=HELLO_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
        if not self._greeted.is_set():
            self._through_socket = not self._through_socket  # BlueZ: one of its two ways may lose what comes early
            raise TransportError(f"{found.address}: connected, but it said nothing: connecting again")
