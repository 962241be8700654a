"""ICC colour profiles: pictures to sRGB, by LittleCMS in Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

#: Modes of Pillow in which a profile's colours are transformed, by the profile's colour space (ICC.1:2010, table 19).
MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
#: Modes that are converted to a profile's mode first, without any change of colour.
_CONVERTED = {"RGB": ("1", "L", "YCbCr", "HSV", "RGBX"), "L": ("1",)}


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
        if _is_srgb(opened):
            return image
        converted = ImageCms.profileToProfile(image, opened, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImportError:
        on_notice("its colour profile was ignored: this Pillow lacks LittleCMS")
    except Exception as error:  # PyCMSError, OSError, KeyError and others: Pillow has no base class for them
        on_notice(f"its colour profile cannot be used and was ignored ({_line(error)})")
    else:
        if converted is not None:
            return converted
    return image.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Return whether the profile says that it is sRGB: then nothing is to be done, and no value changes."""
    return (profile.profile.profile_description or "").lower().startswith("srgb")


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
