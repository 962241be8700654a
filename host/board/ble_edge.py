"""An edge server without an edge board: this computer's Bluetooth is the radio.

The edge board's logic is the firmware's core, as on a board; GATT connections to camera boards are its air.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

from ..errors import PncError, Reason
from ..transport.ble import SCAN_S, Advertisement, Bluetooth
from ..transport.transport import TransportError
from ..wire import Role
from .ble_peer import BACK_OFF_S, Adapter, BlePeer
from .in_process import InProcessBoard

#: Longest wait for connections to end, s. One takes at most ``UNSUBSCRIBE_S`` and ``DISCONNECT_S``.
CLOSE_S = 2.0


class BleEdgeTransport:
    """A ``Transport`` to an edge board in this process that serves camera boards over Bluetooth.

    ``selectors`` are their names or addresses, at most ``core.PEERS``; a single empty one selects the only board in
    reach. Their order gives the cameras' numbers (the source of their pictures). A board that no selector names is
    served if it is paired with this computer; with ``pair`` it is paired with. ``on_notice`` takes lines for the user:
    a text, or an error that the service survives.
    """

    def __init__(
        self,
        *selectors: str,
        on_notice: Callable[[str | PncError], None],
        bluetooth: Bluetooth | None = None,
        scan_s: float = SCAN_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
        pair: bool = False,
    ) -> None:
        named = ", ".join(filter(None, selectors))
        self.name = f"Bluetooth ({named})" if named else "Bluetooth"
        self._on_notice = on_notice
        adapter = Adapter(bluetooth or Bluetooth(), scan_s, back_off_s)
        self._peers = [
            BlePeer(number, selector, adapter, on_notice, pair=pair) for number, selector in enumerate(selectors)
        ]
        self._board = self._new_board()
        self._serving: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Scan for the camera boards and start to connect. A board out of reach is connected to when it appears.

        TransportError if Bluetooth cannot be used or the selectors do not name one board each.
        """
        await self.close()
        found: list[Advertisement | None] = []
        for peer in self._peers:
            board = await peer.find()
            if board is None:
                self._on_notice(
                    f"{peer} is not in reach: still searching (a board that is off, connected to another one, or "
                    "not of role camera does not advertise)"
                )
            elif board.address in [other.address for other in found if other is not None]:
                raise TransportError(f"{board.address} {board.name}: it is named twice", reason=Reason.BAD_USAGE)
            found.append(board)
        self._board = self._new_board()
        await self._board.open()
        self._serving = [
            asyncio.create_task(peer.serve(self._board, board)) for peer, board in zip(self._peers, found, strict=True)
        ]

    def write(self, data: bytes) -> None:
        """Send bytes from the host to the edge board."""
        self._board.write(data)

    async def read(self) -> bytes:
        """Wait for bytes from the edge board."""
        return await self._board.read()

    async def close(self) -> None:
        """Disconnect."""
        serving, self._serving = self._serving, []
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving, timeout=CLOSE_S)
        await self._board.close()

    def _new_board(self) -> InProcessBoard:
        return InProcessBoard(
            self.name,
            Role.EDGE,
            self._carry,
            on_reset=self._disconnect_all,
            peers=len(self._peers),
            board_id=uuid.getnode(),
        )

    async def _carry(self, peer: int, packet: bytes) -> None:
        await self._peers[peer].write(packet)

    def _disconnect_all(self) -> None:
        for peer in self._peers:
            peer.lost.set()
