"""Values of more than 8 bits, or fractions, to 8 bits: by their full scale, or by the range that they use.

A thermal camera stores temperatures as 7,000 to 7,510 of 65,535. Scaled by the type's range that is black, so such a
picture is scaled by its own range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import PictureError

#: Full scales of greys: fractions, and the largest values of 8, 10, 12, 14 and 16 bits. The smallest that holds a
#: picture's values is taken to be its own.
FULL_SCALES = (1, 255, 1023, 4095, 16383, 65535)
#: Full scales of colours: the largest values of 8 to 14, and of 16 bits.
COLOUR_SCALES = (*((1 << bits) - 1 for bits in range(8, 15)), 65535)
#: The largest value of 16 bits.
LARGEST = 65535
#: A grey picture that uses at least this share of its full scale is scaled by that, any other one by its own range.
LEAST_SHARE = 0.5
#: The same for colours, which a range of their own would change, and for a scale that a file declares.
LEAST_SHARE_IF_SURE = 1 / 16
#: Share of the values at either end that may lie outside the range: dead and hot pixels.
OUTLIERS = 0.001
#: Level of a picture whose only value says nothing.
MIDDLE = 128
#: The range is that of about so many pixels, evenly spread over the picture.
_SAMPLED = 1_000_000


class Scaled(NamedTuple):
    """Levels, uint8 of the values' shape; ``full``: they were scaled by a full scale, not by their own range."""

    levels: npt.NDArray[np.uint8]
    full: bool


class _Scale(NamedTuple):
    """The range of the values, those that become black and white, and the full scale, if it is one."""

    low: float
    high: float
    black: float
    white: float
    full_scale: int | None

    @property
    def plain(self) -> int:
        """The level of a picture whose values are all equal."""
        return round(255 * self.low / self.full_scale) if self.full_scale is not None else MIDDLE


def grey_to_8_bits(
    values: npt.NDArray[np.generic], kind: str, usual_full_scale: int | None, on_notice: Callable[[str], None]
) -> Scaled:
    """Scale greys [h, w] of any type to uint8.

    Args:
        values: integers or fractions. Of those that are not finite, NaN and minus infinity become black, infinity
            white.
        kind: what they are, such as "16-bit grey", for notices.
        usual_full_scale: the full scale that is no guess, so that no notice is needed.
        on_notice: takes a line about what was done.

    Raises:
        PictureError: no value is finite.
    """
    finite = np.isfinite(values)
    bad = values.size - int(np.count_nonzero(finite))
    if bad == values.size:
        raise PictureError("none of its values is a number")
    scale = _scale(_sample(values[finite] if bad else values.reshape(-1)), FULL_SCALES, LEAST_SHARE)
    _say(scale, kind, usual_full_scale, on_notice)
    if scale.low == scale.high:
        return Scaled(np.where(finite, scale.plain, 0).astype(np.uint8), scale.full_scale is not None)
    if bad:
        on_notice(f"{kind}: {bad:,} of {values.size:,} values are not finite; NaN became black")
    return Scaled(_levels(values, scale), scale.full_scale is not None)


def deep_to_8_bits(
    values: npt.NDArray[np.uint16],
    visible: npt.NDArray[np.bool_] | None,
    largest: int,
    kind: str,
    on_notice: Callable[[str], None],
) -> Scaled:
    """Scale greys or colours of a file to uint8, all colours alike.

    Args:
        values: [h, w] greys, or [h, w, 3].
        visible: [h, w], which of them are not transparent; None: all. The others do not count.
        largest: the largest value that the file declares. 65,535 is that of the type: fewer bits may be used.
        kind: what they are, such as "16 bits a colour", for notices.
        on_notice: takes a line about what was done.
    """
    scale = _deep_scale(_pixels(values, visible), largest)
    _say(scale, kind, largest, on_notice)
    if scale.low == scale.high:
        return Scaled(np.full(values.shape, scale.plain, np.uint8), scale.full_scale is not None)
    return Scaled(_levels(values, scale), scale.full_scale is not None)


def fills_16_bits(upper: npt.NDArray[np.uint8], visible: npt.NDArray[np.bool_] | None) -> bool:
    """Return whether the upper 8 bits of greys or colours say that they are to be scaled by all 16 bits."""
    return _deep_scale(257 * _pixels(upper, visible).astype(np.uint16), LARGEST).full_scale == LARGEST


def _pixels(values: npt.NDArray[np.generic], visible: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.generic]:
    """Return a sample of the visible pixels [n, colours]; of all, if none is visible."""
    pixels = values.reshape(visible.size if visible is not None else values.shape[0] * values.shape[1], -1)
    seen = pixels[visible.reshape(-1)] if visible is not None and visible.any() else pixels
    return _sample(seen)


def _sample(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return values[:: max(1, len(values) // _SAMPLED)]


def _deep_scale(pixels: npt.NDArray[np.generic], largest: int) -> _Scale:
    if largest != LARGEST:
        return _scale(pixels, (largest,), LEAST_SHARE_IF_SURE)
    if (pixels == pixels[:, :1]).all():
        return _scale(pixels, FULL_SCALES, LEAST_SHARE)
    return _scale(pixels, COLOUR_SCALES, LEAST_SHARE_IF_SURE)


def _scale(sample: npt.NDArray[np.generic], scales: Sequence[int], least_share: float) -> _Scale:
    """Return by what a picture is scaled: by the smallest of ``scales``, if it uses at least ``least_share`` of it."""
    low, high = _range(sample.reshape(-1))
    full_scale = next((scale for scale in scales if high <= scale), None) if low >= 0 else None
    if full_scale is not None and (low == high or high - low >= least_share * full_scale):
        return _Scale(low, high, 0.0, float(full_scale), full_scale)
    return _Scale(low, high, low, high, None)


def _say(scale: _Scale, kind: str, usual_full_scale: int | None, on_notice: Callable[[str], None]) -> None:
    low, high, full_scale = scale.low, scale.high, scale.full_scale
    if low == high:
        on_notice(f"{kind}: every value is {low:,.6g}: a plain grey, level {scale.plain} of 255")
    elif full_scale is None:
        on_notice(f"{kind}: its own range of values, {low:,.6g} to {high:,.6g}, became black to white")
    elif full_scale != usual_full_scale:
        on_notice(f"{kind}: values {low:,.6g} to {high:,.6g}; 0 to {full_scale:,} became black to white")


def _levels(values: npt.NDArray[np.generic], scale: _Scale) -> npt.NDArray[np.uint8]:
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        table = _levels_of(np.arange(LARGEST + 1, dtype=np.float64), scale)
        levels: npt.NDArray[np.uint8] = table[values]
        return levels
    return _levels_of(values.astype(np.result_type(values.dtype, np.float32)), scale)


def _levels_of(values: npt.NDArray[np.floating], scale: _Scale) -> npt.NDArray[np.uint8]:
    scaled = (values - scale.black) * (255 / (scale.white - scale.black))
    finite = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    levels: npt.NDArray[np.uint8] = np.clip(np.round(finite), 0, 255).astype(np.uint8)
    return levels


def _range(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Return the lowest and the highest value without outliers; with them, if all others are equal."""
    ordered = np.sort(values).astype(np.float64)
    skipped = int(OUTLIERS * ordered.size)
    low, high = float(ordered[skipped]), float(ordered[-1 - skipped])
    return (low, high) if low < high else (float(ordered[0]), float(ordered[-1]))
