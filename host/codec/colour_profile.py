"""ICC colour profiles: pictures to sRGB, by LittleCMS in Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

#: Modes of Pillow in which a profile's colours are transformed, by the profile's colour space (ICC.1:2010, table 19).
MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
#: A profile that calls itself sRGB and changes no colour by more levels than this, of 255, is sRGB.
MOST_CHANGE = 2
#: Modes that are converted to a profile's mode first, without any change of colour.
_CONVERTED = {"RGB": ("1", "L", "YCbCr", "HSV", "RGBX"), "L": ("1",)}
#: Colours by which a profile is judged have every combination of so many levels, and all greys.
_STEPS = 9


def to_srgb(image: Image.Image, profile: bytes | None, on_notice: Callable[[str], None]) -> Image.Image:
    """Convert an image without transparency to RGB, by its profile if it has a usable one.

    Args:
        image: of a mode that Pillow converts to RGB.
        profile: its ICC profile; None: there is none, and the colours are taken as sRGB.
        on_notice: takes a line when the profile cannot be used.
    """
    if not profile:
        return image.convert("RGB")
    try:
        from PIL import ImageCms

        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[opened.profile.xcolor_space]
        if image.mode in _CONVERTED.get(mode, ()):
            image = image.convert(mode)
        if image.mode != mode:
            on_notice(f"its colour profile is for {mode}, its colours are {image.mode}: the profile was ignored")
            return image.convert("RGB")
        converted = None if _is_srgb(profile) else _transformed(image, opened)
    except ImportError:
        on_notice("its colour profile was ignored: this Pillow lacks LittleCMS")
    except Exception as error:  # PyCMSError, OSError, KeyError and others: Pillow has no base class for them
        on_notice(f"its colour profile cannot be used and was ignored ({_line(error)})")
    else:
        if converted is not None:
            return converted
    return image.convert("RGB")


def ignore_profile(profile: bytes | None, on_notice: Callable[[str], None]) -> None:
    """Say that a profile is not applied, since the picture was scaled by its own range; of sRGB there is no need to."""
    if not profile:
        return
    try:
        needless = _is_srgb(profile)
    except Exception:  # as in ``to_srgb``
        needless = False
    if not needless:
        on_notice("its colour profile was ignored: it is not for values that were scaled by their own range")


def _transformed(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    from PIL import ImageCms

    return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    """Return whether a profile says that it is sRGB, and is: then nothing is to be done, and no value changes.

    Linear profiles have names such as "sRGB-elle-V2-g10.icc", too.
    """
    from PIL import ImageCms

    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if not (opened.profile.profile_description or "").lower().startswith("srgb"):
        return False
    if opened.profile.xcolor_space not in ("RGB ", "GRAY"):
        return False
    ramp = _ramp().convert(MODES[opened.profile.xcolor_space])
    converted = _transformed(ramp, opened)
    before, after = (np.asarray(each, np.int16) for each in (ramp.convert("RGB"), converted))
    return before.shape == after.shape and int(np.abs(after - before).max()) <= MOST_CHANGE


def _ramp() -> Image.Image:
    """Return colours of all kinds, and all greys, as an RGB image."""
    levels = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, -1, 3)
    return Image.fromarray(np.concatenate([colours, greys], axis=1))


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
