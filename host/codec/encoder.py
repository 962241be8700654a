"""One picture, encoded as far as it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..ranked import RankedPacket
from .analysis import Analysed
from .bitstream import Bitstream, as_integer
from .parts import joined


class PictureEncoder:
    """Encodes a picture packet by packet, the most important first, as far as it is asked for.

    ``Codec.encoder`` makes one. The packets are those of ``Codec.encode``, in whatever stretches they are asked for. It
    serves one thread at a time.
    """

    def __init__(
        self,
        bitstream: Bitstream,
        picture: Analysed,
        packet_bytes: int,
        max_bytes: int | None = None,
        first_less: int = 0,
    ) -> None:
        """Take an analysed picture; see ``Codec.encoder`` for the other arguments.

        Raises:
            ValueError: ``packet_bytes``, ``max_bytes`` or ``first_less`` is out of range.
            TypeError: one of them is no integer.
        """
        self._bitstream, self._picture = bitstream, picture
        #: Packets of full size that are left, and bytes of the packet after them.
        self._left, self._rest = bitstream.packets_in(packet_bytes, max_bytes, first_less)
        self._packet_bytes = as_integer(packet_bytes, "packet_bytes")
        self._first_less = as_integer(first_less, "first_less")
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

    @property
    def most_left(self) -> int:
        """How many packets may follow at most."""
        return self._left + (self._rest > 0)

    def channels_in(self, packets: Iterable[RankedPacket]) -> float:
        """Return how many channels some of this picture's packets or their parts hold, with fractions.

        Like ``Codec.channels_in``, but only the last packet before a gap is decoded.
        """
        last: RankedPacket | None = None
        for packet, whole in zip(joined(packets), self._packets, strict=False):
            if packet.position != whole.position or not whole.data.startswith(packet.data):
                break  # after a gap, or a part without the one before it
            last = packet
            if packet.data != whole.data:
                break
        return self._bitstream.channels_until(self._picture.coefficients, last)

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
            self._picture, self._row, len(self._packets), count, rest, self._packet_bytes, self._first_less
        )
        self._left -= count
        if rest or self._row == self._bitstream.rows:
            self._left = self._rest = 0
        self._packets += made
        return made
