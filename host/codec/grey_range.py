"""Greys of more than 8 bits, or as fractions, to 8 bits: by their full scale, or by the range that they use.

A thermal camera stores temperatures as 7,000 to 7,510 of 65,535. Scaled by the type's range that is black, so such a
picture is scaled by its own range.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from .errors import PictureError

#: Full scales: fractions, and the largest values of 8, 10, 12, 14 and 16 bits. The smallest that holds a picture's
#: values is taken to be its own.
FULL_SCALES = (1, 255, 1023, 4095, 16383, 65535)
#: A picture that uses at least this share of its full scale is scaled by that, any other one by its own range.
LEAST_SHARE = 0.5
#: Share of the values at either end that may lie outside the range: dead and hot pixels.
OUTLIERS = 0.001
#: Level of a picture whose only value says nothing.
MIDDLE = 128
#: A picture of 16 bits a colour whose upper 8 bits are at most this, but for outliers, uses fewer than 15 bits.
DARK = 63
#: The range is that of about so many values, evenly spread over the picture.
_SAMPLED = 1_000_000


def grey_to_8_bits(
    values: npt.NDArray[np.generic], kind: str, usual_full_scale: int | None, on_notice: Callable[[str], None]
) -> npt.NDArray[np.uint8]:
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
    low, high = _range(values[finite] if bad else values.reshape(-1))
    full_scale = next((scale for scale in FULL_SCALES if high <= scale), None) if low >= 0 else None
    if low == high:
        level = round(255 * low / full_scale) if full_scale is not None else MIDDLE
        on_notice(f"{kind}: every value is {low:,.6g}: a plain grey, level {level} of 255")
        return np.where(finite, level, 0).astype(np.uint8)
    if full_scale is not None and high - low >= LEAST_SHARE * full_scale:
        black, white = 0.0, float(full_scale)
        if full_scale != usual_full_scale:
            on_notice(f"{kind}: values {low:,.6g} to {high:,.6g}; 0 to {full_scale:,} became black to white")
    else:
        black, white = low, high
        on_notice(f"{kind}: its own range of values, {low:,.6g} to {high:,.6g}, became black to white")
    if bad:
        on_notice(f"{kind}: {bad:,} of {values.size:,} values are not finite; NaN became black")
    exact = values.astype(np.result_type(values.dtype, np.float32))
    scaled = np.nan_to_num((exact - black) * (255 / (white - black)), nan=0.0, posinf=255.0, neginf=0.0)
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def brightened(image: Image.Image, on_notice: Callable[[str], None]) -> Image.Image:
    """Return the upper 8 bits of 16 a colour, as Pillow reads them, scaled up if the picture uses fewer bits.

    Args:
        image: RGB, RGBA or LA.
        on_notice: takes a line about what was done.
    """
    bands = image.getbands()
    colours = np.asarray(image)[..., : len(bands) - ("A" in bands)]
    highest = round(_range(colours.reshape(-1))[1])
    if highest > DARK:
        return image
    if highest == 0:
        on_notice("16 bits a colour, all values below 256 of 65,535: black")
        return image
    full_scale = (1 << highest.bit_length()) - 1
    on_notice(
        f"16 bits a colour, values up to {256 * highest + 255:,}; 0 to {256 * full_scale + 255:,} became black to "
        f"white, in {highest + 1} steps: save it with 8 bits a colour"
    )
    brighter = [min(255, round(255 * level / full_scale)) for level in range(256)]
    tables = [brighter if band != "A" else list(range(256)) for band in bands]
    return image.point([level for table in tables for level in table])


def _range(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Return the lowest and the highest value without outliers; with them, if all others are equal."""
    sample = np.sort(values[:: max(1, values.size // _SAMPLED)]).astype(np.float64)
    skipped = int(OUTLIERS * sample.size)
    low, high = float(sample[skipped]), float(sample[-1 - skipped])
    return (low, high) if low < high else (float(sample[0]), float(sample[-1]))
