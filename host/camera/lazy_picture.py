"""A picture that is encoded while it is sent: as much as the link takes, and no more."""

from __future__ import annotations

import numpy as np

from ..codec import Codec
from ..ranked import RankedPacket, Splitter
from ..wire import MAX_CODEC_BYTES

#: What is encoded at once: this many times what the link is likely to carry. The rest costs more when it is asked for.
MARGIN = 2.0
#: Packets that are encoded at once if the rate of the link is not known, and when more are asked for.
UNKNOWN_PACKETS, MORE_PACKETS = 4, 2


class LazyPicture:
    """One picture's packets, or parts of them, in the order of rank. They do not depend on how much is encoded when.

    Args:
        codec: encodes the picture.
        pixels: uint8 [224, 224, 3] RGB.
        likely_bytes: codec bytes that the link is likely to carry; None: not known.
        max_bytes: most codec bytes; None: all.
        part_bytes: bytes of the first part and of the longest one (``Sender.part_bytes``).
        packet_bytes: most bytes of a packet, and how many fewer the first one has (``Sender.packet_bytes``).
    """

    def __init__(
        self,
        codec: Codec,
        pixels: np.ndarray,
        likely_bytes: int | None,
        max_bytes: int | None,
        part_bytes: tuple[int, int],
        packet_bytes: tuple[int, int] = (MAX_CODEC_BYTES, 0),
    ) -> None:
        most_bytes, first_less = packet_bytes
        self._encoder = codec.encoder(pixels, most_bytes, max_bytes, first_less=first_less)
        self._splitter = Splitter(*part_bytes)
        #: The parts so far.
        self.parts: list[RankedPacket] = []
        first = UNKNOWN_PACKETS if likely_bytes is None else 1 + int(MARGIN * likely_bytes) // most_bytes
        self._encode(first)

    def more(self) -> list[RankedPacket]:
        """Encode some more and return its parts; none if the picture is complete."""
        return self._encode(MORE_PACKETS)

    def channels_in(self, parts: list[RankedPacket]) -> float:
        """Return how many channels some of the parts hold, with fractions."""
        return self._encoder.channels_in(parts)

    def _encode(self, packets: int) -> list[RankedPacket]:
        made = self._splitter.parts(self._encoder.more(packets), self._encoder.most_left)
        self.parts += made
        return made
