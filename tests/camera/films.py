"""Films and pictures that tests make, and what is in them."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

#: Grey levels of the pictures of a film, in their order: each tells its number.
STEP = 8


def grey(number: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Return a grey picture whose level is ``STEP`` times a number."""
    return Image.new("RGB", size, (STEP * number,) * 3)


def number_of(pixels: np.ndarray) -> int:
    """Return the number of a grey picture, as the codec or a camera gave it back."""
    return round(float(pixels.mean()) / STEP)


def jpeg(image: Image.Image, **options: object) -> bytes:
    """Return a JPEG file."""
    content = io.BytesIO()
    image.save(content, "JPEG", quality=95, **options)
    return content.getvalue()


def film(path: Path, count: int, *, fps: int = 25, size: tuple[int, int] = (64, 48)) -> Path:
    """Write an MJPEG film of grey pictures 0 to ``count`` - 1 with FFmpeg."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        stream.time_base = Fraction(1, fps)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.asarray(grey(number, size)), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
