"""The picture codec: a picture to ranked packets, of which any prefix decodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..ranked import RankedPacket
from .decoder import Decoder, Found
from .entropy import EntropyCoder
from .network import GRID, SIDE, network_from
from .packets import Bitstream, MaskedValues
from .planes.analysis import Analysis
from .planes.bitstream import PlaneBitstream
from .planes.entropy import PlaneCoder
from .planes.values import PlaneValues
from .weights import DEFAULT, FOLDER, Family, kind_of, load_arrays


class Packing(Protocol):
    """Symbols of a picture <-> ranked packets."""

    def pack(self, symbols: np.ndarray) -> list[RankedPacket]: ...

    def collect(self, packets: Iterable[RankedPacket]) -> Any: ...


class Codec:
    """One trained codec. Encoding needs numpy and the C coder alone; ``decoder()`` needs onnxruntime."""

    network: Callable[[np.ndarray], np.ndarray]
    coder: EntropyCoder | PlaneCoder
    bitstream: Packing
    _inputs: Callable[[Sequence[Any]], dict[str, np.ndarray]]

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        """Raises CodecError when there is no codec of that name or its weights cannot be used."""
        self._kind, self._folder = kind_of(name), folder
        arrays = load_arrays(self._kind, folder)
        if self._kind.family is Family.PLANES:
            planes = PlaneCoder(arrays)
            self.network, self.coder = Analysis(arrays), planes
            self.bitstream, self._inputs = PlaneBitstream(self._kind, planes), PlaneValues(arrays)
        else:
            coder = EntropyCoder(arrays, GRID)
            self.network, self.coder = network_from(arrays), coder
            self.bitstream, self._inputs = Bitstream(self._kind, coder), MaskedValues(arrays["zero"])

    @property
    def name(self) -> str:
        return self._kind.name

    @property
    def version(self) -> int:
        return self._kind.version

    @property
    def cuts_anywhere(self) -> bool:
        """Whether the last packet of a prefix may be shortened to any length."""
        return self._kind.family is Family.PLANES

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
        found: Found = self.bitstream.collect(packets)
        return found.channels

    def decoder(self, threads: int | None = None) -> Decoder:
        """A decoder for this codec's packets. Raises CodecError when onnxruntime is missing.

        ``threads``: how many its network computes with; all the CPUs that this process may use if None.
        """
        return Decoder(self._kind, self.bitstream.collect, self._inputs, self._folder, threads)


def load(name: str = DEFAULT) -> Codec:
    """The shipped codec of that name. Raises CodecError when it cannot be had."""
    return Codec(name)
