"""The codecs under test as ranked packets: what is sent of a picture, and what can be made of the ranks that arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .. import codec as codec_package
from ..evaluate.baselines import Baseline, ProgressiveJpeg, webp
from ..evaluate.codec_under_test import Picture
from ..evaluate.codecs import PncCodec
from ..ranked import RankedPacket
from ..wire import MAX_CODEC_BYTES

_WEBP_QUALITY, _PROGRESSIVE_QUALITY = 0, 30


class Stream(Protocol):
    """A codec whose pictures are sent as ranked packets."""

    name: str

    def identity(self) -> dict[str, object]:
        """Return all that the decoded pictures depend on, ready for JSON."""

    def encode(self, picture: Picture) -> list[RankedPacket]:
        """Return the packets of a picture."""

    def usable(self, count: int, ranks: Iterable[int]) -> frozenset[int]:
        """Return which of the ranks that arrived can be decoded; ``count``: of the packets of the picture."""

    def decode_batch(self, pictures: Sequence[Sequence[RankedPacket]]) -> list[Picture]:
        """Decode the usable packets of pictures."""


class PncStream:
    """This project's codec: every set of ranks can be decoded."""

    def __init__(self) -> None:
        self._codec = codec_package.load()
        self._decoder = self._codec.decoder()
        self.name = self._codec.name

    def identity(self) -> dict[str, object]:
        """Return weights and code."""
        return PncCodec(self._codec).identity()

    def encode(self, picture: Picture) -> list[RankedPacket]:
        """Return the packets of a picture."""
        return self._codec.encode(picture)

    def usable(self, count: int, ranks: Iterable[int]) -> frozenset[int]:  # noqa: ARG002
        """Return all ranks."""
        return frozenset(ranks)

    def decode_batch(self, pictures: Sequence[Sequence[RankedPacket]]) -> list[Picture]:
        """Decode pictures."""
        return [decoded.picture for decoded in self._decoder.decode_batch(pictures)]


class FileStream:
    """A picture format: a file in packets of equal size. ``cut``: its beginning can be decoded, else only the whole."""

    def __init__(self, baseline: Baseline, quality: int, *, cut: bool) -> None:
        self._baseline, self._quality, self._cut = baseline, quality, cut
        self.name = baseline.name

    def identity(self) -> dict[str, object]:
        """Return settings, versions and code."""
        return self._baseline.identity() | {"quality": self._quality}

    def encode(self, picture: Picture) -> list[RankedPacket]:
        """Return the packets of a picture."""
        data = self._baseline.encode(picture, self._quality)
        parts = [data[at : at + MAX_CODEC_BYTES] for at in range(0, len(data), MAX_CODEC_BYTES)]
        return [RankedPacket(rank, 0, part) for rank, part in enumerate(parts)]

    def usable(self, count: int, ranks: Iterable[int]) -> frozenset[int]:
        """Return the ranks before the first gap; of a format that cannot be cut, all or none."""
        arrived = frozenset(ranks)
        whole = next((rank for rank in range(count) if rank not in arrived), count)
        return frozenset(range(whole)) if self._cut or whole == count else frozenset()

    def decode_batch(self, pictures: Sequence[Sequence[RankedPacket]]) -> list[Picture]:
        """Decode pictures."""
        return [self._baseline.decode(b"".join(packet.data for packet in packets)) for packets in pictures]


#: The codecs by name. Each raises an error when a part that it needs is not installed.
STREAMS: dict[str, Callable[[], Stream]] = {
    "pnc-v2": PncStream,
    "webp": lambda: FileStream(webp(), _WEBP_QUALITY, cut=False),
    "pjpeg": lambda: FileStream(ProgressiveJpeg(), _PROGRESSIVE_QUALITY, cut=True),
}
