"""Drawn pictures of what people are tempted to read out of a decoded picture: small text, and faces.

Nobody's photo is needed for them. They are drawn at four times the size and reduced, as a camera would blur them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..codec import SIDE
from .codec_under_test import Picture

_SCALE = 4
#: Lines of the text chart: the height of the letters in pixels of the 224, and the text.
LINES = ((44, "EXIT 36"), (32, "KX 8306"), (24, "NO 5 S6 B8"), (18, "room 1O9 - 1Q0"), (14, "37.2 °C  2026-03-08"))
SMALL_LINES = ((11, "batch 6B83-SS5 exp 09/28"), (9, "small print: 0 O 8 B 5 S 1 l"))

_SKIN = ((224, 172, 130), (141, 85, 54), (241, 204, 176), (176, 118, 80))
_HAIR = ((52, 36, 24), (20, 18, 20), (196, 150, 80), (110, 110, 112))


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


def faces() -> Picture:
    """Return a large face and three small ones, which differ in glasses, beard, mouth and gaze, uint8 [224, 224, 3]."""
    image = Image.new("RGB", (SIDE * _SCALE, SIDE * _SCALE), (150, 178, 196))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 150 * _SCALE, image.width, image.height), fill=(112, 128, 104))
    _face(draw, (74, 92), 52, 0, glasses=False, beard=False, smile=0.7, gaze=0.3)
    for number, (x, y, radius) in enumerate(((172, 52, 24), (166, 120, 15), (200, 122, 12)), 1):
        _face(
            draw, (x, y), radius, number, glasses=number != 2, beard=number == 2, smile=number - 2.0, gaze=-0.4 * number
        )
    return _reduced(image)


def _face(
    draw: ImageDraw.ImageDraw,
    centre: tuple[int, int],
    radius: int,
    person: int,
    *,
    glasses: bool,
    beard: bool,
    smile: float,
    gaze: float,
) -> None:
    """Draw a person from the shoulders up. Lengths below are in radii of the face; y points down."""
    skin, hair = _SKIN[person], _HAIR[person]
    shade = tuple(round(0.78 * level) for level in skin)
    clothes = ((96, 40, 48), (40, 60, 110), (60, 62, 60), (150, 120, 40))[person]

    def at(x: float, y: float) -> tuple[float, float]:
        return (centre[0] + radius * x) * _SCALE, (centre[1] + radius * y) * _SCALE

    def oval(x: float, y: float, width: float, height: float, fill: tuple[int, ...]) -> None:
        draw.ellipse((*at(x - width, y - height), *at(x + width, y + height)), fill=fill)

    line = max(1, round(0.06 * radius * _SCALE))
    oval(0, 2.3, 1.5, 1.1, clothes)
    draw.rectangle((*at(-0.35, 0.7), *at(0.35, 1.45)), fill=shade)
    oval(0, -0.35, 1.02, 1.1, hair)
    oval(0, 0.05, 0.86, 1.12, skin)
    draw.pieslice((*at(-0.95, -1.3), *at(0.95, 0.2)), 190, 350, fill=hair)
    if beard:
        draw.chord((*at(-0.8, -0.2), *at(0.8, 1.2)), 25, 155, fill=hair)
    for side in (-1, 1):
        eye = 0.36 * side
        oval(eye, -0.12, 0.17, 0.1, (250, 250, 250))
        oval(eye + 0.07 * gaze, -0.12, 0.085, 0.09, (60, 90, 60))
        oval(eye + 0.07 * gaze, -0.12, 0.04, 0.045, (10, 10, 10))
        draw.arc((*at(eye - 0.24, -0.42), *at(eye + 0.24, -0.1)), 200, 340, fill=hair, width=line)
        if glasses:
            draw.ellipse((*at(eye - 0.27, -0.34), *at(eye + 0.27, 0.12)), outline=(20, 20, 20), width=line)
    if glasses:
        draw.line((*at(-0.1, -0.12), *at(0.1, -0.12)), fill=(20, 20, 20), width=line)
    draw.line((*at(0.02, -0.1), *at(0.12, 0.32), *at(-0.04, 0.36)), fill=shade, width=line, joint="curve")
    mouth = [at(0.3 * x, 0.62 + 0.12 * smile * math.cos(math.pi * x / 2)) for x in np.linspace(-1, 1, 15)]
    draw.line(mouth, fill=(150, 50, 52), width=round(1.6 * line), joint="curve")


def _reduced(image: Image.Image) -> Picture:
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


#: The drawings by name.
DRAWINGS: dict[str, Callable[[], Picture]] = {"text": text_chart, "faces": faces}
