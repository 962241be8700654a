"""The picture codec: a picture to ranked packets, of which any prefix decodes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..ranked import RankedPacket
from .analysis import Analysis
from .bitstream import PlaneBitstream
from .decoder import Decoder
from .entropy import PlaneCoder
from .layout import SIDE
from .values import PlaneValues
from .weights import DEFAULT, FOLDER, kind_of, load_arrays


class Codec:
    """One trained codec. Encoding needs numpy and the C coder alone; ``decoder()`` needs onnxruntime."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        """Raises CodecError when there is no codec of that name or its weights cannot be used."""
        self._kind, self._folder = kind_of(name), folder
        arrays = load_arrays(self._kind, folder)
        self.network, self.coder = Analysis(arrays), PlaneCoder(arrays)
        self.bitstream, self._inputs = PlaneBitstream(self._kind, self.coder), PlaneValues(arrays)

    @property
    def name(self) -> str:
        return self._kind.name

    @property
    def version(self) -> int:
        return self._kind.version

    @property
    def channels(self) -> int:
        """Channels of a whole picture."""
        return self.coder.channels

    def encode(self, picture: np.ndarray) -> list[RankedPacket]:
        """uint8 [224, 224, 3] RGB (see ``load_picture``) -> packets, most important first, ranks from 0.

        May be called from several threads at once.
        """
        if picture.shape != (SIDE, SIDE, 3) or picture.dtype != np.uint8:
            raise ValueError(f"a picture is uint8 [{SIDE}, {SIDE}, 3], not {picture.dtype} {list(picture.shape)}")
        return self.bitstream.pack(self.network(picture))

    def channels_in(self, packets: Iterable[RankedPacket]) -> float:
        """How many channels ``packets`` hold, parts counted as parts; packets that are not sound count nothing."""
        return self.bitstream.collect(packets).channels

    def decoder(self, threads: int | None = None) -> Decoder:
        """A decoder for this codec's packets. Raises CodecError when onnxruntime is missing.

        ``threads``: how many its network computes with; all the CPUs that this process may use if None.
        """
        return Decoder(self._kind, self.bitstream, self._inputs, self._folder, threads)


def load(name: str = DEFAULT) -> Codec:
    """The shipped codec of that name. Raises CodecError when it cannot be had."""
    return Codec(name)
