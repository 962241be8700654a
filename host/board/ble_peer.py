"""The BLE connection to one camera, for an edge board whose radio is this computer's Bluetooth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import PncError
from ..text import printable
from ..transport.ble import SCAN_S, Advertisement, BleLink, Bluetooth, choose, scan
from ..transport.transport import TransportError
from ..wire import Hello
from .in_process import InProcessBoard

#: Pauses between attempts to connect, s; the last one repeats.
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
#: A board sends hello as soon as its notifications are subscribed; without one in this time it is disconnected.
HELLO_S = 3.0
#: Bluetooth reason code: the connection timed out.
_TIMED_OUT = 0x08


@dataclass
class Adapter:
    """This computer's Bluetooth. Scans and connections take the lock: BlueZ refuses two of them at a time.

    https://github.com/hbldh/bleak/issues/1036
    """

    bluetooth: Bluetooth = field(default_factory=Bluetooth)
    scan_s: float = SCAN_S
    back_off_s: tuple[float, ...] = BACK_OFF_S
    scan_connect_lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class BlePeer:
    """Maintains the BLE connection to one camera. Reconnects with exponential back-off after a disconnect.

    ``number`` is its peer number at the edge board. ``selector`` is its name or address; empty: the only board in
    reach. Once found, a board is known by its address. A board that is named is paired with, one that is not only with
    ``pair``. ``on_notice`` takes lines for the user: a text, or an error that does not end the service.
    """

    def __init__(
        self,
        number: int,
        selector: str,
        adapter: Adapter,
        on_notice: Callable[[str | PncError], None],
        *,
        pair: bool = False,
    ) -> None:
        self.selector = selector
        self._may_pair = pair or bool(selector)
        #: Set when the connection has ended or is to be ended.
        self.lost = asyncio.Event()
        self._number = number
        self._adapter = adapter
        self._on_notice = on_notice
        self._link: BleLink | None = None
        self._greeted = asyncio.Event()
        self._through_socket = True

    def __str__(self) -> str:
        return f"the camera board {self.selector}" if self.selector else "a camera board"

    async def find(self) -> Advertisement | None:
        """Scan for the board; TransportError if Bluetooth cannot be used or several boards match."""
        adapter = self._adapter
        async with adapter.scan_connect_lock:
            found = choose(await scan(adapter.bluetooth, self.selector, adapter.scan_s), self.selector)
        if found is not None:
            self.selector = found.address
        return found

    async def serve(self, board: InProcessBoard, found: Advertisement | None) -> None:
        """Connect, again and again, until cancelled. A repeated error is reported once."""
        back_off_s = self._adapter.back_off_s
        last_error = ""
        failures = 0
        while True:
            try:
                found = found or await self.find()
                if found is not None:
                    await self._connect(board, found)
                    self._on_notice(f"{found.address}: the connection ended: searching for it again")
                    failures, last_error = 0, ""
            except TransportError as error:
                if str(error) != last_error:
                    last_error = str(error)
                    self._on_notice(error)
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
            self.lost.set()  # a new connection begins with a new hello
            raise

    async def _connect(self, board: InProcessBoard, found: Advertisement) -> None:
        """Run one connection until it ends; TransportError if no packets flowed."""
        self.lost.clear()
        self._greeted.clear()

        def on_packet(packet: bytes) -> None:
            if packet[:1] == bytes((Hello.TYPE,)):
                self._greeted.set()
            board.arrived(packet, peer=self._number)

        link = BleLink(found, on_packet, self.lost.set, self._adapter.bluetooth, may_pair=self._may_pair)
        async with self._adapter.scan_connect_lock:
            mtu = await link.open(through_socket=self._through_socket)
        self._link = link
        try:
            board.connected(mtu, peer=self._number)  # sends the hello that lets the camera send pictures
            await self._wait_for_hello(found)
            self._on_notice(f"connected to {printable(found.name) or 'the camera board'} ({found.address}), MTU {mtu}")
            await self.lost.wait()
        finally:
            self._link = None
            board.disconnected(_TIMED_OUT, peer=self._number)
            await link.close()

    async def _wait_for_hello(self, found: Advertisement) -> None:
        either = [asyncio.create_task(event.wait()) for event in (self._greeted, self.lost)]
        try:
            await asyncio.wait(either, timeout=HELLO_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in either:
                task.cancel()
        if not self._greeted.is_set():
            self._through_socket = not self._through_socket  # BlueZ: one of its two ways may lose early notifications
            raise TransportError(f"{found.address}: connected, but it sent nothing: connecting again")
