"""The edge server without a board of its own: this computer's Bluetooth adapter is the radio.

The edge board's logic is the firmware's core, as on a board; its air are GATT connections to camera boards.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

from ..transport.ble import SCAN_S, Advertisement, Bluetooth
from ..transport.transport import TransportError
from ..wire import Role
from .ble_peer import BACK_OFF_S, Adapter, BlePeer
from .in_process import InProcessBoard


class BleEdgeTransport:
    """A ``Transport`` behind which an edge board in this process serves camera boards over Bluetooth.

    ``wanted`` are their names or addresses, at most ``own_board.PEERS``; one empty: the only one in reach. Their places
    in that order are their numbers (the source of their pictures). ``on_notice`` gets lines for a person.
    """

    def __init__(
        self,
        *wanted: str,
        on_notice: Callable[[str], None],
        bluetooth: Bluetooth | None = None,
        scan_s: float = SCAN_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        named = ", ".join(filter(None, wanted))
        self.name = f"Bluetooth ({named})" if named else "Bluetooth"
        self._on_notice = on_notice
        adapter = Adapter(bluetooth or Bluetooth(), scan_s, back_off_s)
        self._places = [BlePeer(peer, one, adapter, on_notice) for peer, one in enumerate(wanted)]
        self._board = self._new_board()
        self._keeping: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Look for the camera boards and start to connect; TransportError if there is no Bluetooth, or a choice to make.

        A board that is not in reach yet is waited for.
        """
        await self.close()
        found: list[Advertisement | None] = []
        for place in self._places:
            one = await place.find()
            if one is None:
                self._on_notice(
                    f"{place} is not in reach: looking on (is it powered and of role camera? a board that is "
                    "connected to another one does not advertise)"
                )
            elif one.address in [other.address for other in found if other is not None]:
                raise TransportError(f"{one.address} {one.name}: it is named twice")
            found.append(one)
        self._board = self._new_board()
        await self._board.open()
        both = zip(self._places, found, strict=True)
        self._keeping = [asyncio.create_task(place.keep(self._board, one)) for place, one in both]

    def write(self, data: bytes) -> None:
        """Bytes from the host to the edge board."""
        self._board.write(data)

    async def read(self) -> bytes:
        """Wait for bytes from the edge board."""
        return await self._board.read()

    async def close(self) -> None:
        """Disconnect."""
        keeping, self._keeping = self._keeping, []
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await self._board.close()

    def _new_board(self) -> InProcessBoard:
        count = len(self._places)
        return InProcessBoard(
            self.name, Role.EDGE, self._carry, on_reset=self._drop_all, peers=count, board_id=uuid.getnode()
        )

    async def _carry(self, peer: int, packet: bytes) -> None:
        await self._places[peer].write(packet)

    def _drop_all(self) -> None:
        for place in self._places:
            place.lost.set()
