"""Picture formats that the codecs are compared with.

Most are a ladder: a file for each quality, of which the best that fits a budget is sent. Where not even the lowest
quality fits, nothing is sent and the picture counts as wrong. Progressive JPEG is one stream, cut at the budget.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image, features

from ..codec import SIDE
from .codec_under_test import Criterion, OperatingPoint, Picture, Stream, at_budgets, fingerprint
from .errors import EvaluationError

_BOX_HEADER_BYTES = 8
# Markers, ITU-T T.81 table B.1.
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_STUFFED_OR_RESTART = {0x00, *range(0xD0, 0xD8)}


class Baseline(ABC):
    """A codec under test that writes a file for each quality.

    ``ladder``: the qualities that are tried to fill a budget, rising; ``curve``: those of them at which all pictures
    are measured.
    """

    kind = "ladder"
    name: str
    ladder: tuple[int, ...]
    curve: tuple[int, ...]

    @abstractmethod
    def encode(self, picture: Picture, quality: int) -> bytes:
        """Return a whole file."""

    @abstractmethod
    def decode(self, data: bytes) -> Picture:
        """Decode a file, or the beginning of one; never raises. Data that cannot be decoded give a grey picture."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Return options and versions of libraries, ready for JSON."""

    def overhead_bytes(self, data: bytes) -> int:  # noqa: ARG002
        """Return how many bytes of a file are a container around the coded picture."""
        return 0

    def identity(self) -> dict[str, object]:
        """Return ladder, settings and a digest of the code."""
        return {
            "codec": self.name,
            "ladder": list(self.ladder),
            "settings": self.settings(),
            "code": fingerprint({Path(__file__), Path(inspect.getfile(type(self)))}),
        }

    def operating_points(self, budgets_bytes: Sequence[int]) -> list[OperatingPoint]:
        """Return the budgets, the same without the container if there is one, and the qualities of the curve."""
        points = at_budgets(budgets_bytes)
        if self.overhead_bytes(self.encode(grey(), self.ladder[0])):
            points += [OperatingPoint(Criterion.PAYLOAD, budget) for budget in sorted(set(budgets_bytes))]
        return [*points, *(OperatingPoint(Criterion.QUALITY, quality) for quality in self.curve)]

    def streams(self, picture: Picture, points: Sequence[OperatingPoint]) -> list[Stream | None]:
        """Encode a picture at the qualities that the points need, and choose among the files."""
        if any(point.criterion is not Criterion.QUALITY for point in points):
            qualities = set(self.ladder)
        else:
            qualities = {point.value for point in points if point.value is not None}
        files = {quality: self._stream(picture, quality) for quality in sorted(qualities)}
        return [self._chosen(files, point) for point in points]

    def decode_batch(self, contents: Sequence[bytes]) -> list[Picture]:
        """Decode files."""
        return [self.decode(content) for content in contents]

    def _stream(self, picture: Picture, quality: int) -> Stream:
        data = self.encode(picture, quality)
        return Stream(len(data), len(data) - self.overhead_bytes(data), data)

    def _chosen(self, files: dict[int, Stream], point: OperatingPoint) -> Stream | None:
        if point.value is None:
            return files[self.ladder[-1]]
        if point.criterion is Criterion.QUALITY:
            return files[point.value]
        for quality in reversed(self.ladder):
            stream = files[quality]
            counted = stream.payload_bytes if point.criterion is Criterion.PAYLOAD else stream.size_bytes
            if counted <= point.value:
                return stream
        return None


class PillowFormat(Baseline):
    """A format that Pillow writes and reads."""

    def __init__(
        self,
        name: str,
        file_format: str,
        ladder: tuple[int, ...],
        curve: tuple[int, ...],
        options: dict[str, Any],
        library: str | None = None,
    ) -> None:
        """Describe a format.

        Args:
            name: the name on the command line.
            file_format: Pillow's name of the format.
            ladder: see ``Baseline``.
            curve: see ``Baseline``.
            options: arguments of ``Image.save``.
            library: Pillow's name of the library that codes the format.
        """
        self.name, self.ladder, self.curve = name, ladder, curve
        self._format, self._options, self._library = file_format, options, library

    def encode(self, picture: Picture, quality: int) -> bytes:
        """Return a whole file."""
        file = BytesIO()
        Image.fromarray(picture).save(file, self._format, quality=quality, **self._options)
        return file.getvalue()

    def decode(self, data: bytes) -> Picture:
        """Decode a file; a grey picture where that is impossible or the size is another one."""
        try:
            with Image.open(BytesIO(data), formats=[self._format]) as image:
                picture = np.asarray(image.convert("RGB"))
        except Exception:  # the formats' errors have no base class of their own
            return grey()
        return picture if picture.shape == (SIDE, SIDE, 3) else grey()

    def settings(self) -> dict[str, object]:
        """Return options and versions."""
        library = features.version(self._library) if self._library else None
        return {"options": self._options, "pillow": PIL.__version__, "library": library}


def jpeg() -> PillowFormat:
    """Return baseline JPEG with optimized tables."""
    curve = (1, 3, 5, 8, 12, 18, 26, 36)
    return PillowFormat("jpeg", "JPEG", tuple(range(1, 46)), curve, {"optimize": True}, library="libjpeg_turbo")


def webp() -> PillowFormat:
    """Return WebP. Raises EvaluationError when this Pillow lacks it."""
    _need("webp", "WebP")
    ladder = (0, 1, 2, 3, 4, 5, 6, *range(8, 62, 2))
    return PillowFormat("webp", "WEBP", ladder, (0, 2, 5, 10, 18, 28, 40, 54), {"method": 6}, library="webp")


class Avif(PillowFormat):
    """AVIF by libaom at speed 4.

    For the same squared error that needs 5 to 6 % fewer bytes than Pillow's speed 6; speed 3 takes 2.3 times as long
    for another 2 to 3 % (20 photos, qualities 5 and 30).
    """

    def __init__(self) -> None:
        """Raise EvaluationError when this Pillow has no AVIF."""
        _need("avif", "AVIF")
        options = {"speed": 4, "codec": "aom", "max_threads": 1}
        curve = (0, 10, 20, 30, 36, 42, 50)
        super().__init__("avif", "AVIF", tuple(range(0, 60, 2)), curve, options, library="avif")

    def overhead_bytes(self, data: bytes) -> int:
        """Return all but the content of the box ``mdat`` (ISO/IEC 14496-12, section 4.2)."""
        at = payload = 0
        while at + _BOX_HEADER_BYTES <= len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] == b"mdat":
                payload += size - _BOX_HEADER_BYTES
            at += max(size, _BOX_HEADER_BYTES)
        return len(data) - payload


class JpegXl(PillowFormat):
    """JPEG XL as a bare codestream, without a container.

    The format knows progressive streams. It is measured as a ladder because the plug-in decodes whole files only.
    """

    def __init__(self) -> None:
        """Raise EvaluationError when the plug-in is missing."""
        try:
            import pillow_jxl  # noqa: F401  (registers the format)
        except ImportError:
            raise EvaluationError(
                "jxl: the plug-in pillow-jxl-plugin is not installed: pip install 'pnc-link[baselines]'"
            ) from None
        ladder = (1, 5, 12, 20, 30, 42, 55)
        super().__init__("jxl", "JXL", ladder, ladder, {"effort": 9, "num_threads": 0})

    def settings(self) -> dict[str, object]:
        """Return options and versions."""
        return super().settings() | {"library": version("pillow-jxl-plugin")}


class ProgressiveJpeg(PillowFormat):
    """Progressive JPEG at quality 30, as PNC's authors sent it: one stream that may be cut at any byte.

    Its tables are always optimized.
    """

    kind = "cut"

    def __init__(self) -> None:
        options = {"progressive": True, "optimize": True}
        super().__init__("pjpeg", "JPEG", (30,), (30,), options, library="libjpeg_turbo")

    def decode(self, data: bytes) -> Picture:
        """Decode the beginning of a file."""
        return super().decode(whole_segments(data) + bytes([0xFF, _END]))

    def operating_points(self, budgets_bytes: Sequence[int]) -> list[OperatingPoint]:
        """Return the budgets, and everything."""
        return at_budgets(budgets_bytes)

    def streams(self, picture: Picture, points: Sequence[OperatingPoint]) -> list[Stream | None]:
        """Encode once and cut the file at each budget."""
        whole = self.encode(picture, self.ladder[-1])
        return [Stream(len(data), len(data), data) for data in (whole[: point.value] for point in points)]


#: The picture formats by name. Each raises EvaluationError when a part that it needs is not installed.
FORMATS: dict[str, Callable[[], Baseline]] = {
    "jpeg": jpeg,
    "pjpeg": ProgressiveJpeg,
    "webp": webp,
    "avif": Avif,
    "jxl": JpegXl,
}


def grey() -> Picture:
    """Return the picture of a receiver that could decode nothing."""
    return np.full((SIDE, SIDE, 3), 128, np.uint8)


def whole_segments(data: bytes) -> bytes:
    """Return the beginning of a cut JPEG stream, without a header that is not whole: the scan before it still decodes.

    Scans themselves may end anywhere: the decoder completes them.
    """
    at = 0
    while at + 1 < len(data):
        if data[at] != 0xFF:
            return data[:at]  # no JPEG stream continues like this
        marker = data[at + 1]
        if marker == _END:
            return data[:at]
        if marker == _START:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 4 > len(data) or end > len(data) or end < at + 4:
            return data[:at]
        at = _end_of_scan(data, end) if marker == _SCAN else end
    return data[:at]


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the coded data that begin at ``at`` end: at the next marker, or with ``data``."""
    while True:
        at = data.find(0xFF, at)
        if at < 0:
            return len(data)
        if at + 1 == len(data):
            return at
        if data[at + 1] not in _STUFFED_OR_RESTART:
            return at
        at += 2


def _need(feature: str, name: str) -> None:
    if not features.check(feature):
        raise EvaluationError(f"{feature}: this Pillow has no {name}: pip install 'pnc-link[baselines]'")
