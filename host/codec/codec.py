"""The picture codec: pictures to ranked packets. Any prefix of the packets, cut at any byte, decodes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES
from .analysis import Analysis
from .bitstream import Bitstream
from .decoder import Decoder
from .encoder import PictureEncoder
from .entropy import BitPlaneCoder
from .layout import SIDE
from .projection import IntervalProjection
from .values import DecoderInputs
from .weights import DEFAULT, FOLDER, kind_of, load_arrays


class Codec:
    """A trained codec. Encoding needs numpy and the C part; ``decoder()`` needs onnxruntime."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        """Load the codec ``name`` from ``folder``. Raises CodecError if its weights are missing or unusable."""
        self._kind, self._folder = kind_of(name), folder
        arrays = load_arrays(self._kind, folder)
        self.analysis = Analysis(arrays)
        self.coder = BitPlaneCoder(arrays)
        self.bitstream = Bitstream(self._kind, self.coder)
        self._inputs, self._projection = DecoderInputs(arrays), IntervalProjection(arrays)

    @property
    def name(self) -> str:
        """The codec's name, such as ``pnc-v2``."""
        return self._kind.name

    @property
    def version(self) -> int:
        """The version of bitstream and weights."""
        return self._kind.version

    @property
    def channels(self) -> int:
        """Number of channels of a whole picture."""
        return self.coder.channels

    @property
    def least_packet_bytes(self) -> int:
        """The shortest packets that ``encode`` can make, in bytes."""
        return self.bitstream.least_packet_bytes

    def encode(
        self, picture: np.ndarray, packet_bytes: int = MAX_CODEC_BYTES, max_bytes: int | None = None
    ) -> list[RankedPacket]:
        """Encode a picture as packets, most important first, ranks from 0. Thread-safe.

        Args:
            picture: uint8 [224, 224, 3] RGB (see ``load_picture``).
            packet_bytes: most bytes of a packet, 60 to 236. Shorter packets need more bytes for the same picture:
                1 % more at 118, 3 % more at 60. A picture has at most 4,956 bytes, whatever their length.
            max_bytes: most bytes of the picture: only its most important ones are computed, the same as the first ones
                of the whole picture. None: all.

        Raises:
            ValueError: the picture is of another shape or type, or such packets cannot be made.
            TypeError: ``packet_bytes`` or ``max_bytes`` is no integer.
        """
        return self.encoder(picture, packet_bytes, max_bytes).more()

    def encoder(
        self,
        picture: np.ndarray,
        packet_bytes: int = MAX_CODEC_BYTES,
        max_bytes: int | None = None,
        *,
        first_less: int = 0,
    ) -> PictureEncoder:
        """Return an encoder that makes the packets of ``encode`` as they are asked for. Thread-safe.

        The arguments and errors are those of ``encode``. ``first_less`` says how many bytes fewer the first packet has:
        it then has room for something else.
        """
        if picture.shape != (SIDE, SIDE, 3) or picture.dtype != np.uint8:
            raise ValueError(f"a picture is uint8 [{SIDE}, {SIDE}, 3], not {picture.dtype} {list(picture.shape)}")
        return PictureEncoder(self.bitstream, self.analysis(picture), packet_bytes, max_bytes, first_less)

    def channels_in(self, packets: Iterable[RankedPacket]) -> float:
        """Return how many channels ``packets`` hold, with fractions. Unusable packets do not count."""
        return self.bitstream.depacketize(packets).channels

    def decoder(self, threads: int | None = None) -> Decoder:
        """Load the decoder for this codec's packets.

        Args:
            threads: number of threads of its network; None for all CPUs that this process may use.

        Raises:
            CodecError: onnxruntime is not installed, or the decoder's weights are missing or unusable.
        """
        return Decoder(self._kind, self.bitstream, self._inputs, self._projection, self._folder, threads)


def load(name: str = DEFAULT) -> Codec:
    """Load a shipped codec. Raises CodecError if there is none of that name, or it cannot be used."""
    return Codec(name)
