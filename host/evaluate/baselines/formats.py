"""WebP, AVIF and JPEG XL: a file for each quality."""

from __future__ import annotations

from importlib.metadata import version

from PIL import features

from ..errors import EvaluationError
from .pillow import PillowRival

_BOX_HEADER_BYTES = 8


def webp() -> PillowRival:
    """Raises EvaluationError when this Pillow has no WebP."""
    _need("webp", "WebP")
    ladder = (0, 1, 2, 3, 4, 5, 6, *range(8, 62, 2))
    return PillowRival("webp", "WEBP", ladder, (0, 2, 5, 10, 18, 28, 40, 54), {"method": 6}, library="webp")


class Avif(PillowRival):
    """AVIF by libaom at speed 4: for the same squared error 5 to 6 % fewer bytes than at Pillow's 6; speed 3 takes 2.3
    times as long for another 2 to 3 % (20 photos, qualities 5 and 30)."""

    def __init__(self) -> None:
        """Raises EvaluationError when this Pillow has no AVIF."""
        _need("avif", "AVIF")
        options = {"speed": 4, "codec": "aom", "max_threads": 1}
        super().__init__("avif", "AVIF", tuple(range(0, 60, 5)), (0, 10, 20, 30, 35, 40, 50), options, library="avif")

    def overhead_bytes(self, data: bytes) -> int:
        """All but what is in the box ``mdat``: ISO/IEC 14496-12, section 4.2."""
        at = payload = 0
        while at + _BOX_HEADER_BYTES <= len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] == b"mdat":
                payload += size - _BOX_HEADER_BYTES
            at += max(size, _BOX_HEADER_BYTES)
        return len(data) - payload


class JpegXl(PillowRival):
    """JPEG XL as a bare codestream, without a container. The plug-in decodes whole files only, so it counts as a
    ladder although the format knows progressive streams."""

    def __init__(self) -> None:
        """Raises EvaluationError when the plug-in is missing."""
        try:
            import pillow_jxl  # noqa: F401  (registers the format)
        except ImportError:
            raise EvaluationError(
                "jxl: the plug-in pillow-jxl-plugin is not installed: pip install 'pnc-link[rivals]'"
            ) from None
        ladder = (1, 5, 12, 20, 30, 42, 55)
        super().__init__("jxl", "JXL", ladder, ladder, {"effort": 9, "num_threads": 0})

    def settings(self) -> dict[str, object]:
        return super().settings() | {"library": version("pillow-jxl-plugin")}


def _need(feature: str, name: str) -> None:
    if not features.check(feature):
        raise EvaluationError(f"{feature}: this Pillow has no {name}: pip install 'pnc-link[rivals]'")
