"""The edge server without a board of its own: this computer's Bluetooth adapter is the radio.

The edge board's logic is the firmware's core, as on a board; its air is a GATT connection to one camera board. It keeps
that connection: what ends is looked for again, with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable

from host.link.ble import SCAN_S, BleLink, Bluetooth, Found, choose, scan
from host.link.port import PortError
from host.own_board import OwnBoard
from protocol.wire import Hello, Role

#: Pauses between attempts to connect, s; the last one is repeated.
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
#: A board says hello as soon as it is subscribed to; one that does not is left and connected to again.
HELLO_S = 3.0
#: Bluetooth reason code: the connection timed out.
_LOST = 0x08


class BlePort:
    """A ``Port`` behind which an edge board in this process serves one camera board over Bluetooth.

    ``wanted`` is the camera board's name or address; empty: the only one in reach. Once a board was found the port
    stays with its address. ``on_notice`` gets lines for a person.
    """

    def __init__(
        self,
        wanted: str,
        *,
        on_notice: Callable[[str], None],
        bluetooth: Bluetooth | None = None,
        scan_s: float = SCAN_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        self.name = f"Bluetooth ({wanted})" if wanted else "Bluetooth"
        self._wanted = wanted
        self._on_notice = on_notice
        self._bluetooth = bluetooth or Bluetooth()
        self._scan_s = scan_s
        self._back_off_s = back_off_s
        self._link: BleLink | None = None
        self._lost = asyncio.Event()
        self._board = self._new_board()
        self._keeping: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()
        self._through_socket = True

    async def open(self) -> None:
        """Look for the camera board and start to connect; PortError if there is no Bluetooth, or a choice to make.

        A board that is not in reach yet is waited for.
        """
        await self.close()
        found = await self._find()
        if found is None:
            self._on_notice(
                f"{self._whom()} is not in reach: looking on (is it powered and of role camera? a board that is "
                "connected to another one does not advertise)"
            )
        self._board = self._new_board()
        await self._board.open()
        self._keeping = asyncio.create_task(self._keep(found))

    def write(self, data: bytes) -> None:
        """Bytes from the host to the edge board."""
        self._board.write(data)

    async def read(self) -> bytes:
        """Wait for bytes from the edge board."""
        return await self._board.read()

    async def close(self) -> None:
        """Disconnect."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
        await self._board.close()

    def _new_board(self) -> OwnBoard:
        return OwnBoard(self.name, Role.EDGE, self._carry, on_reset=self._lost.set, board_id=uuid.getnode())

    def _whom(self) -> str:
        return f"the camera board {self._wanted}" if self._wanted else "a camera board"

    async def _find(self) -> Found | None:
        found = choose(await scan(self._bluetooth, self._wanted, self._scan_s), self._wanted)
        if found is not None:
            self._wanted = found.address
        return found

    async def _keep(self, found: Found | None) -> None:
        """Connect, again and again. What goes wrong is said once, however often it does."""
        said = ""
        failures = 0
        while True:
            try:
                found = found or await self._find()
                if found is not None:
                    await self._serve(found)
                    self._on_notice(f"{found.address}: the connection ended, looking for it again")
                    failures, said = 0, ""
            except PortError as error:
                if str(error) != said:
                    said = str(error)
                    self._on_notice(said)
                failures += 1
            found = None
            await asyncio.sleep(self._back_off_s[min(failures, len(self._back_off_s) - 1)])

    async def _serve(self, found: Found) -> None:
        """One connection, from its beginning to its end. PortError if packets never flowed."""
        self._lost.clear()
        self._greeted.clear()
        link = BleLink(found, self._arrived, self._lost.set, self._bluetooth)
        mtu = await link.open(through_socket=self._through_socket)
        self._link = link
        try:
            self._board.connected(mtu)  # from here on it says hello, and only then the camera sends pictures
            await self._wait_for_hello(found)
            self._on_notice(f"connected to {found.name or 'the camera board'} ({found.address}), MTU {mtu}")
            await self._lost.wait()
        finally:
            self._link = None
            self._board.disconnected(_LOST)
            await link.close()

    async def _wait_for_hello(self, found: Found) -> None:
        both = [asyncio.create_task(event.wait()) for event in (self._greeted, self._lost)]
        try:
            await asyncio.wait(both, timeout=HELLO_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
        if not self._greeted.is_set():
            self._through_socket = not self._through_socket  # BlueZ: one of its two ways may lose what comes early
            raise PortError(f"{found.address}: connected, but it said nothing: connecting again")

    def _arrived(self, packet: bytes) -> None:
        if packet[:1] == bytes((Hello.TYPE,)):
            self._greeted.set()
        self._board.arrived(packet)

    async def _carry(self, packet: bytes) -> None:
        if self._link is None:
            raise PortError(f"{self.name}: not connected")
        try:
            await self._link.write(packet)
        except PortError:
            self._lost.set()  # connected anew, and greeted anew
            raise
