"""Strided depthwise convolutions with a fast gradient, computed by convolutions of stride 1.

On CPUs torch computes that gradient by a scalar loop, which took a quarter of a training step with EfficientNet-Lite0
at 192 pixels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _Strided(torch.autograd.Function):
    """A depthwise convolution without gradients for weight and bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.stride, ctx.shape = stride, x.shape
        return F.conv2d(x, weight, bias, stride, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,), stride, shape = ctx.saved_tensors, ctx.stride, ctx.shape
        out = torch.empty(shape, dtype=weight.dtype, device=weight.device, memory_format=torch.channels_last)
        # Rows a, a + stride, ... depend on taps a, a + stride, ... only.
        for a in range(stride):
            for b in range(stride):
                taps = weight[:, :, a::stride, b::stride].flip(2, 3)
                part = F.conv2d(grads[0], taps, padding=(taps.shape[2] - 1, taps.shape[3] - 1), groups=len(weight))
                place = out[:, :, a::stride, b::stride]
                rows, columns = part.shape[2:]
                place[:, :, :rows, :columns] = part
                place[:, :, rows:] = 0
                place[:, :, :, columns:] = 0
        return out, None, None, None


class StridedDepthwise(nn.Module):
    """Replaces a depthwise ``nn.Conv2d`` with a stride; its gradient is fast if the weights are frozen."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.groups == conv.in_channels == conv.out_channels
        assert conv.padding == (0, 0)
        self.conv, self.pad = conv, getattr(conv, "static_padding", nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        """Convolve [n, c, h, w] to [n, c, about h / stride, about w / stride]."""
        padded = self.pad(x)
        c = self.conv
        if x.device.type != "cpu" or c.weight.requires_grad:
            return F.conv2d(padded, c.weight, c.bias, c.stride, groups=c.groups)
        out: Tensor = _Strided.apply(padded, c.weight, c.bias, c.stride[0])  # type: ignore[no-untyped-call]
        return out
