"""From trained filters to the whole numbers that ship."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ..codec.network import FIXED_BITS
from .model import Model
from .network import Filters


def fixed(values: Tensor) -> np.ndarray:
    """Real numbers as int64 with ``FIXED_BITS`` bits after the point."""
    whole: np.ndarray = np.round(values.detach().double().numpy() * (1 << FIXED_BITS)).astype(np.int64)
    return whole


def integer_layer(filters: Filters, outputs: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights int8, factors and offsets of a convolution, its outputs in the order given (as ``int8_ste`` rounds)."""
    weight = filters.weight().detach()
    scale = weight.abs().amax(dim=(1, 2, 3)).clamp_min(1e-8) / 127
    whole = (weight / scale.view(-1, 1, 1, 1)).round().clamp(-127, 127)
    offset = filters.offset(whole * scale.view(-1, 1, 1, 1)).detach()
    return whole[outputs].numpy().astype(np.int8), fixed(scale[outputs]), fixed(offset[outputs])


def encoder_arrays(model: Model) -> dict[str, np.ndarray]:
    """Arrays of the integer encoder; channels stand in the order of transmission."""
    order = model.order.tolist()
    arrays: dict[str, np.ndarray] = {}
    for name, conv, outputs in (
        ("conv1", model.encoder.conv1, list(range(len(model.encoder.conv1.bias)))),
        ("conv2", model.encoder.conv2, order),
    ):
        parts = integer_layer(conv, outputs)
        arrays |= {f"{name}_{what}": a for what, a in zip(("weight", "factor", "offset"), parts, strict=True)}
    arrays["zero"] = model.encoder.zero[order].numpy().astype(np.uint8)
    arrays["lift"] = fixed(model.encoder.lift[order])
    return arrays
