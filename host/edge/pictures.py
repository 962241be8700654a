"""Prepares decoded pictures for the input of a classifier's network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..codec import SIDE
from .errors import ClassifierError

#: Side of the pictures that the codec decodes, in pixels.
PICTURE_SIDE_PX = SIDE
#: ImageNet's mean and standard deviation of R, G, B on the scale 0..255 (those of torchvision's models).
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)

_Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input of a network. ``mean`` and ``std`` are used for float inputs only."""

    layout: Literal["NHWC", "NCHW"]
    dtype: Literal["uint8", "float32"]
    height_px: int
    width_px: int
    #: Pictures in every run, if the network fixes their number; None: any number.
    batch: int | None
    mean: _Three = IMAGENET_MEAN
    std: _Three = IMAGENET_STD

    def prepare(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Return the network's tensor for pictures, uint8 [n, 224, 224, 3].

        Pillow's bilinear filter scales them if the network takes another size. Floats become (x - mean) / std; uint8
        inputs take the pixels unchanged.
        """
        if (self.height_px, self.width_px) != pictures.shape[1:3]:
            size = (self.width_px, self.height_px)
            resized = [Image.fromarray(p).resize(size, Image.Resampling.BILINEAR) for p in pictures]
            pictures = np.stack([np.asarray(image) for image in resized])
        tensor: npt.NDArray[Any] = pictures
        if self.dtype == "float32":
            tensor = (pictures - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)) if self.layout == "NCHW" else tensor


def input_spec(shape: Sequence[object], kind: str, metadata: Mapping[str, str]) -> InputSpec:
    """Return the description of an ONNX model's input.

    Args:
        shape: its shape; names or None where a dimension varies.
        kind: its element type, as onnxruntime writes it.
        metadata: the model's. ``pnc.mean`` and ``pnc.std`` are one number or three, separated by commas, on the scale
            0..255.

    Raises:
        ClassifierError: it is not a batch of RGB pictures. The message does not name the model.
    """
    if kind not in ("tensor(uint8)", "tensor(float)"):
        raise ClassifierError(f"its input is {kind}: uint8 or float32 pictures are supported")
    if len(shape) != 4 or (shape[1] != 3 and shape[3] != 3):
        raise ClassifierError(f"its input has shape {list(shape)}: [n, 3, h, w] or [n, h, w, 3] is supported")
    batch, *sides = shape
    channels_first = shape[1] == 3
    height, width = sides[1:] if channels_first else sides[:2]
    return InputSpec(
        "NCHW" if channels_first else "NHWC",
        "uint8" if kind == "tensor(uint8)" else "float32",
        height if isinstance(height, int) else PICTURE_SIDE_PX,
        width if isinstance(width, int) else PICTURE_SIDE_PX,
        batch if isinstance(batch, int) else None,
        _three(metadata, "pnc.mean", IMAGENET_MEAN),
        _three(metadata, "pnc.std", IMAGENET_STD),
    )


def _three(metadata: Mapping[str, str], key: str, default: _Three) -> _Three:
    if key not in metadata:
        return default
    try:
        numbers = [float(part) for part in metadata[key].split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3) or not np.isfinite(numbers).all() or (key == "pnc.std" and 0 in numbers):
        raise ClassifierError(f"its {key} is {metadata[key]!r}: one number or three, separated by commas")
    red, green, blue = numbers * 3 if len(numbers) == 1 else numbers
    return red, green, blue
