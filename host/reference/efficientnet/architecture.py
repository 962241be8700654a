"""The architecture of EfficientNet-Lite, as numbers.

The EfficientNet of Tan and Le (arXiv 1905.11946) in the "lite" form of the TensorFlow TPU models
(``efficientnet/lite``): no squeeze-and-excitation, ReLU6 for swish, stem and head of fixed width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
_CHANNEL_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """The scaling of one member of the family, and the side in pixels of its training pictures."""

    width: float
    depth: float
    side_px: int


VARIANTS: Mapping[str, Variant] = {
    "efficientnet-lite0": Variant(1.0, 1.0, 224),
    "efficientnet-lite1": Variant(1.0, 1.1, 240),
    "efficientnet-lite2": Variant(1.1, 1.2, 260),
}


@dataclass(frozen=True, slots=True)
class Block:
    """An inverted residual: 1x1 expansion (unless ``expand`` is 1), depthwise convolution, 1x1 projection."""

    kernel: int
    stride: int
    expand: int
    inputs: int
    outputs: int


# kernel, stride of the first block, expansion, channels and repeats before scaling (EfficientNet-B0).
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def blocks(variant: Variant) -> list[Block]:
    """Return the blocks of a variant in order. The first and the last stage are never repeated."""
    plan: list[Block] = []
    inputs = STEM_CHANNELS
    for kernel, stride, expand, channels, repeats in _STAGES:
        outputs = _scaled_channels(channels, variant.width)
        count = repeats if repeats == 1 else math.ceil(repeats * variant.depth)
        for index in range(count):
            plan.append(Block(kernel, stride if index == 0 else 1, expand, inputs, outputs))
            inputs = outputs
    return plan


def _scaled_channels(channels: int, width: float) -> int:
    """Return the nearest multiple of 8 that is at most a tenth below the exact product."""
    exact = channels * width
    rounded = max(_CHANNEL_MULTIPLE, int(exact + _CHANNEL_MULTIPLE / 2) // _CHANNEL_MULTIPLE * _CHANNEL_MULTIPLE)
    return rounded + _CHANNEL_MULTIPLE if rounded < 0.9 * exact else rounded
