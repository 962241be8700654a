"""One picture, encoded as far as it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ranked import RankedPacket
from .bitstream import Bitstream


class PictureEncoder:
    """Encodes a picture packet by packet, the most important first, as far as it is asked for.

    ``Codec.encoder`` makes one. The packets are those of ``Codec.encode``, in whatever stretches they are asked for. It
    serves one thread at a time.
    """

    def __init__(
        self, bitstream: Bitstream, coefficients: np.ndarray, packet_bytes: int, max_bytes: int | None = None
    ) -> None:
        """Take the coefficients int8 [c, k, k] of a picture; see ``Codec.encoder`` for the other arguments.

        Raises:
            ValueError: ``packet_bytes`` or ``max_bytes`` is out of range.
        """
        self._bitstream, self._coefficients, self._packet_bytes = bitstream, coefficients, packet_bytes
        #: Packets of full size that are left, and bytes of the packet after them.
        self._left, self._rest = bitstream.packets_in(packet_bytes, max_bytes)
        self._row = 0
        self._packets: list[RankedPacket] = []

    @property
    def packets(self) -> Sequence[RankedPacket]:
        """The packets so far."""
        return self._packets

    @property
    def complete(self) -> bool:
        """Whether there are no more packets."""
        return self._left == 0 and self._rest == 0

    def more(self, packets: int | None = None) -> list[RankedPacket]:
        """Encode the next packets and return them, at most as many as asked for; none if there are no more.

        Args:
            packets: how many; None: all that are left.
        """
        count = self._left if packets is None else min(packets, self._left)
        rest = self._rest if count == self._left and count != packets else 0
        if count == 0 and rest == 0:
            return []
        made, self._row = self._bitstream.encode(
            self._coefficients, self._row, len(self._packets), count, rest, self._packet_bytes
        )
        self._left -= count
        if rest or self._row == self._bitstream.rows:
            self._left = self._rest = 0
        self._packets += made
        return made
