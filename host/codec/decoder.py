"""The decoder at the edge: packets -> picture, its network run by onnxruntime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..ranked import RankedPacket
from .bitstream import PlaneBitstream
from .errors import CodecError
from .onnx_session import open_session
from .values import PlaneValues
from .weights import FOLDER, Kind, check


@dataclass(frozen=True)
class Decoded:
    """A picture as far as it arrived: uint8 [224, 224, 3], channels it rests on, packets used, what was wrong."""

    picture: np.ndarray
    channels: float
    used: int
    faults: tuple[str, ...]


def open_network(path: Path, kind: Kind, threads: int | None) -> Any:
    """An onnxruntime session of the decoder's network. Raises CodecError when it cannot be had."""
    if not path.is_file():
        raise CodecError(f"{path}: the decoder's weights are missing; install the package again")
    session = open_session(str(path), path, threads)
    notes = session.get_modelmeta().custom_metadata_map
    check(path, kind, notes.get("name", "something unnamed"), notes.get("version", "unknown"))
    return session


class Decoder:
    """Decodes any subset of a picture's packets. Made by ``Codec.decoder()``."""

    def __init__(
        self,
        kind: Kind,
        bitstream: PlaneBitstream,
        inputs: PlaneValues,
        folder: Path = FOLDER,
        threads: int | None = None,
    ) -> None:
        """``threads``: how many the network computes with; all the CPUs that this process may use if None.
        """
        self._bitstream, self._inputs = bitstream, inputs
        self._session = open_network(folder / f"{kind.name}.onnx", kind, threads)

    def decode(self, packets: Iterable[RankedPacket]) -> Decoded:
        """The picture from whatever packets are sound, in any order; nothing unsound raises."""
        return self.decode_batch([packets])[0]

    def decode_batch(self, pictures: Sequence[Iterable[RankedPacket]]) -> list[Decoded]:
        """Several pictures in one run of the network."""
        if not pictures:
            return []
        found = [self._bitstream.collect(packets) for packets in pictures]
        pixels = self._session.run(["pixels"], self._inputs(found))[0]
        return [Decoded(p, f.channels, f.used, f.faults) for p, f in zip(pixels, found, strict=True)]
