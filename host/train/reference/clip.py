"""A clip to [0, 1] with a gradient that leads values back inside.

The gradient of a plain clip is zero outside [0, 1]. The first training steps often push a colour outside all over the
picture; with a plain clip it never returns.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Clip(torch.autograd.Function):
    """``clamp(0, 1)`` whose gradient is zero only where it would push a pixel further outside."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,), (grad,) = ctx.saved_tensors, grads
        # Gradient descent moves against the gradient.
        outwards = ((x < 0) & (grad > 0)) | ((x > 1) & (grad < 0))
        return grad.masked_fill(outwards, 0)


def let_pixels_return(last: nn.Module) -> None:
    """Append this clip to ``last``, the layer before a network's own clip, which then changes nothing."""
    last.register_forward_hook(lambda _module, _inputs, out: _Clip.apply(out))  # type: ignore[no-untyped-call]
