"""The decoder of the edge server: packets to a picture, by a network that onnxruntime runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Reason
from ..ranked import RankedPacket
from .bitstream import Bitstream
from .errors import CodecError
from .onnx_session import first_line, open_session
from .projection import IntervalProjection
from .values import DecoderInputs
from .weights import FOLDER, Kind, check


@dataclass(frozen=True)
class Decoded:
    """A picture decoded from the packets that arrived."""

    #: uint8 [224, 224, 3] RGB.
    picture: np.ndarray
    #: How many channels it rests on, with fractions.
    channels: float
    #: Number of packets that were used.
    used: int
    #: Their bytes.
    used_bytes: int
    #: Why other packets were not used, a line each.
    issues: tuple[str, ...]
    #: Share of each 8x8 cell's bit-planes that was not received, float32 [28, 28], 0 to 1. There the decoder fills in
    #: what is probable. docs/fidelity.md says what that means.
    interpolated: np.ndarray


def open_network(path: Path, kind: Kind, threads: int | None) -> Any:
    """Open the decoder's network in onnxruntime. Raises CodecError if it is missing, unusable or of another codec."""
    if not path.is_file():
        raise CodecError(f"{path}: the decoder's weights are missing", reason=Reason.INCOMPLETE)
    session = open_session(str(path), path, threads)
    notes = session.get_modelmeta().custom_metadata_map
    check(path, kind, notes.get("name", "something unnamed"), notes.get("version", "unknown"))
    return session


class Decoder:
    """Decodes any subset of a picture's packets. Made by ``Codec.decoder()``."""

    def __init__(
        self,
        kind: Kind,
        bitstream: Bitstream,
        inputs: DecoderInputs,
        projection: IntervalProjection,
        folder: Path = FOLDER,
        threads: int | None = None,
    ) -> None:
        """Open the network of ``kind`` in ``folder``. Raises CodecError; ``threads`` as in ``Codec.decoder``."""
        self._bitstream, self._inputs, self._projection = bitstream, inputs, projection
        self._session = open_network(folder / f"{kind.name}.onnx", kind, threads)

    def decode(self, packets: Iterable[RankedPacket]) -> Decoded:
        """Decode a picture from any of its packets, in any order. Unusable packets are listed in ``issues``."""
        return self.decode_batch([packets])[0]

    def decode_batch(self, pictures: Sequence[Iterable[RankedPacket]]) -> list[Decoded]:
        """Decode several pictures in one run of the network. Raises CodecError if it fails, for lack of memory."""
        if not pictures:
            return []
        received = [self._bitstream.depacketize(packets) for packets in pictures]
        try:
            pixels = self._session.run(["pixels"], self._inputs(received))[0]
        except Exception as error:  # onnxruntime's errors have no base class of their own
            raise CodecError(f"the decoder failed: {first_line(error)}") from error
        corrected = self._projection(pixels, received)
        return [
            Decoded(p, r.channels, r.used, r.used_bytes, r.issues, r.interpolated)
            for p, r in zip(corrected, received, strict=True)
        ]
