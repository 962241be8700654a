"""A clip to [0, 1] that a pixel can come back from.

The gradient of a plain clip is zero beyond its ends: a colour that leaves [0, 1] all over the picture, which the first
steps of a training readily do to one, never returns.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Clip(torch.autograd.Function):
    """Values as of ``clamp(0, 1)``; of the gradient, all but what would push a pixel further out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,), (grad,) = ctx.saved_tensors, grads
        # Descent moves against the gradient.
        outwards = ((x < 0) & (grad > 0)) | ((x > 1) & (grad < 0))
        return grad.masked_fill(outwards, 0)


def let_pixels_return(last: nn.Module) -> None:
    """Puts the clip behind ``last``, the layer before a network's own clip, which then has nothing left to do."""
    last.register_forward_hook(lambda _module, _inputs, out: _Clip.apply(out))  # type: ignore[no-untyped-call]
