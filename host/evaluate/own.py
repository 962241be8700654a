"""Our own codecs, and the pictures themselves, as subjects of the measurement.

Counted are the codec's own bytes, its headers among them: all the data of the ranked packets, without the
7-byte header that the link puts before each. A budget takes packets in the order of their ranks and shortens the last
one; so every picture, and with them the mean, stays at or below the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import codec as codec_package
from ..codec import SIDE, Codec
from ..codec.weights import FOLDER
from ..ranked import RankedPacket
from .subject import EVERYTHING, Picture, Question, Stream, View, fingerprint


class OwnCodec:
    """A codec of ours."""

    kind = "cut"

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._decoder = codec.decoder()

    @property
    def name(self) -> str:
        return self._codec.name

    def questions(self, budgets_bytes: Sequence[int]) -> list[Question]:
        return [*(Question(View.BUDGET, budget) for budget in sorted(set(budgets_bytes))), EVERYTHING]

    def identity(self) -> dict[str, object]:
        code = Path(codec_package.__file__).parent
        return {
            "codec": self.name,
            "version": self._codec.version,
            "weights": fingerprint(FOLDER.glob(f"{self.name}.*")),
            "code": fingerprint([*code.glob("native/*.[ch]"), *code.glob("*.py"), Path(__file__)]),
        }

    def streams(self, picture: Picture, questions: Sequence[Question]) -> list[Stream | None]:
        packets = sorted(self._codec.encode(picture), key=lambda p: p.rank)
        total = sum(len(packet.data) for packet in packets)
        sizes = [total if question.value is None else min(total, question.value) for question in questions]
        return [Stream(size, size, tuple(cut(packets, size))) for size in sizes]

    def decode(self, contents: Sequence[tuple[RankedPacket, ...]]) -> list[Picture]:
        return [decoded.picture for decoded in self._decoder.decode_batch(contents)]


class Originals:
    """The pictures as they are: what the classifier makes of them bounds every codec."""

    name, kind = "original", "original"

    def questions(self, budgets_bytes: Sequence[int]) -> list[Question]:  # noqa: ARG002
        return [EVERYTHING]

    def identity(self) -> dict[str, object]:
        return {"codec": self.name}

    def streams(self, picture: Picture, questions: Sequence[Question]) -> list[Stream | None]:
        return [Stream(picture.nbytes, picture.nbytes, picture.tobytes()) for _ in questions]

    def decode(self, contents: Sequence[bytes]) -> list[Picture]:
        return [np.frombuffer(content, np.uint8).reshape(SIDE, -1, 3) for content in contents]


def cut(packets: Sequence[RankedPacket], size_bytes: int) -> list[RankedPacket]:
    """The first ``size_bytes`` of a stream: whole packets, and the last one shortened to what is left."""
    kept: list[RankedPacket] = []
    for packet in packets:
        if size_bytes <= 0:
            break
        kept.append(RankedPacket(packet.rank, packet.position, packet.data[:size_bytes]))
        size_bytes -= len(packet.data)
    return kept
