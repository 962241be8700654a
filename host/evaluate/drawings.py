"""A drawn picture of what people are tempted to read out of a decoded picture: text, whose heights are known.

It is drawn at four times the size and reduced, as a camera would blur it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..codec import SIDE
from .codec_under_test import Picture

_SCALE = 4
#: Lines of the text chart: the size of the font in pixels of the 224, and the text.
LINES = ((44, "EXIT 36"), (32, "KX 8306"), (24, "NO 5 S6 B8"), (18, "room 1O9 - 1Q0"), (14, "37.2 °C  2026-03-08"))
SMALL_LINES = ((11, "batch 6B83-SS5 exp 09/28"), (9, "small print: 0 O 8 B 5 S 1 l"))


def text_chart() -> Picture:
    """Return dark and bright text of falling size on a sign, uint8 [224, 224, 3]."""
    image = Image.new("RGB", (SIDE * _SCALE, SIDE * _SCALE), (222, 222, 214))
    draw = ImageDraw.Draw(image)
    at = 6 * _SCALE
    for number, (size, text) in enumerate((*LINES, *SMALL_LINES)):
        height = round(1.28 * size * _SCALE)
        ground, ink = ((24, 78, 60), (245, 245, 235)) if number == 0 else ((222, 222, 214), (25, 25, 35))
        draw.rectangle((0, at - 4 * _SCALE, image.width, at + height - 4 * _SCALE), fill=ground)
        draw.text((8 * _SCALE, at), text, fill=ink, font=ImageFont.load_default(size * _SCALE), anchor="lt")
        at += height
    return _reduced(image)


def _reduced(image: Image.Image) -> Picture:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
