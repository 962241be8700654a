"""The codecs that can be measured, by name: PNC's own here, the baselines from ``baselines`` and ``pnc_reference``.

All of a codec's own bytes count, its headers among them: the data of the ranked packets, without the 7-byte header
that the link puts before each. A budget takes packets in the order of their ranks and shortens the last one, as the
link delivers them. So every picture, and with them the mean, stays within the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import codec as codec_package
from ..codec import SIDE, Codec
from ..codec import load as load_codec
from ..codec.weights import FOLDER, KINDS
from ..ranked import RankedPacket
from .baselines import FORMATS
from .codec_under_test import EVERYTHING, CodecUnderTest, OperatingPoint, Picture, Stream, at_budgets, fingerprint
from .errors import EvaluationError
from .pnc_reference import NAME as REFERENCE
from .pnc_reference import PncReference

NAMES = (*KINDS, *FORMATS, REFERENCE)


def load_codecs(names: Sequence[str], weights: Path | None = None) -> list[CodecUnderTest]:
    """Return the codecs of these names, each once. ``weights`` are those of the reference.

    Raises EvaluationError or CodecError when one is unknown or not available.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise EvaluationError(f"{unknown[0] or 'an empty name'}: no such codec; known are {', '.join(NAMES)}")
    return [_load(name, weights) for name in dict.fromkeys(names)]


def _load(name: str, weights: Path | None) -> CodecUnderTest:
    if name in KINDS:
        return PncCodec(load_codec(name))
    return PncReference(weights) if name == REFERENCE else FORMATS[name]()


class PncCodec:
    """A codec of this project."""

    kind = "cut"

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._decoder = codec.decoder()

    @property
    def name(self) -> str:
        return self._codec.name

    def operating_points(self, budgets_bytes: Sequence[int]) -> list[OperatingPoint]:
        """Return the budgets, and everything."""
        return at_budgets(budgets_bytes)

    def identity(self) -> dict[str, object]:
        """Return the codec's version and digests of its weights and code."""
        code = [
            file for pattern in ("*.py", "*.c", "*.h") for file in Path(codec_package.__file__).parent.rglob(pattern)
        ]
        return {
            "codec": self.name,
            "version": self._codec.version,
            "weights": fingerprint(FOLDER.glob(f"{self.name}.*")),
            "code": fingerprint([*code, Path(__file__)]),
        }

    def streams(self, picture: Picture, points: Sequence[OperatingPoint]) -> list[Stream | None]:
        """Encode once and cut the packets at each budget."""
        packets = sorted(self._codec.encode(picture), key=lambda packet: packet.rank)
        total = sum(len(packet.data) for packet in packets)
        sizes = [total if point.value is None else min(total, point.value) for point in points]
        return [Stream(size, size, tuple(cut(packets, size))) for size in sizes]

    def decode_batch(self, contents: Sequence[tuple[RankedPacket, ...]]) -> list[Picture]:
        """Decode packets."""
        return [decoded.picture for decoded in self._decoder.decode_batch(contents)]


class Originals:
    """The pictures as they are. The classifier's accuracy on them is the upper bound for every codec."""

    name, kind = "original", "original"

    def operating_points(self, budgets_bytes: Sequence[int]) -> list[OperatingPoint]:  # noqa: ARG002
        """Return the only point: everything."""
        return [EVERYTHING]

    def identity(self) -> dict[str, object]:
        """Return the name: the results depend on the classifier alone."""
        return {"codec": self.name}

    def streams(self, picture: Picture, points: Sequence[OperatingPoint]) -> list[Stream | None]:
        """Return the pixels."""
        return [Stream(picture.nbytes, picture.nbytes, picture.tobytes()) for _ in points]

    def decode_batch(self, contents: Sequence[bytes]) -> list[Picture]:
        """Return the pixels as pictures."""
        return [np.frombuffer(content, np.uint8).reshape(SIDE, -1, 3) for content in contents]


def cut(packets: Sequence[RankedPacket], size_bytes: int) -> list[RankedPacket]:
    """Return the first ``size_bytes`` of a stream: whole packets, and the last one shortened to the rest."""
    kept: list[RankedPacket] = []
    for packet in packets:
        if size_bytes <= 0:
            break
        kept.append(RankedPacket(packet.rank, packet.position, packet.data[:size_bytes]))
        size_bytes -= len(packet.data)
    return kept
