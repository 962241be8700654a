"""Teachers: frozen ImageNet classifiers that give the perceptual loss."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..edge.builtin import model_file
from ..reference.efficientnet.published import checked_weights_file
from .depthwise import StridedDepthwise
from .onnx_filters import fill, layers_of

#: What the names of classifiers end in that are adapted to decoded prefixes.
ADAPTED = "-pnc"


class Teacher(nn.Module):
    """An EfficientNet-Lite that returns features and answer. Its normalizations are folded into its convolutions.

    Its convolutions compute in ``dtype``.
    """

    def __init__(self, name: str, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        base = name.removesuffix(ADAPTED)
        net: Any = importlib.import_module("efficientnet_lite_pytorch").EfficientNet.from_name(base)
        net.load_state_dict(torch.load(checked_weights_file(base), map_location="cpu", weights_only=True))
        net.eval()
        self.stem = fuse_conv_bn_eval(net._conv_stem, net._bn0)
        for block in net._blocks:
            if hasattr(block, "_expand_conv"):
                block._expand_conv, block._bn0 = fuse_conv_bn_eval(block._expand_conv, block._bn0), nn.Identity()
            block._depthwise_conv, block._bn1 = fuse_conv_bn_eval(block._depthwise_conv, block._bn1), nn.Identity()
            block._project_conv, block._bn2 = fuse_conv_bn_eval(block._project_conv, block._bn2), nn.Identity()
            block._swish = nn.ReLU6(inplace=True)
        self.blocks = net._blocks
        self.head = fuse_conv_bn_eval(net._conv_head, net._bn1)
        self.last = net._fc
        if name != base:
            self._adapt(layers_of(model_file(name)))
        #: Blocks whose output is a feature: those before the resolution halves, and the last one.
        strides = [block._depthwise_conv.stride[0] for block in self.blocks]
        self.taps = {i - 1 for i, s in enumerate(strides) if s == 2 and i} | {len(strides) - 1}
        for block in self.blocks:
            if block._depthwise_conv.stride[0] > 1:
                block._depthwise_conv = StridedDepthwise(block._depthwise_conv)
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in (self.stem, self.blocks, self.head):
            part.to(dtype)

    def _adapt(self, filters: list[tuple[Tensor, Tensor]]) -> None:
        """Take the weights of the adapted network, whose normalizations are folded already."""
        layers = [each for each in self.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
        for layer, (weight, bias) in zip(layers, filters, strict=True):
            fill(layer, weight, bias)
        # Its first layer takes pixels x - 127.
        self.stem.weight.data.mul_(128)

    def forward(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return features of six stages (the last one pooled) and logits [n, 1000] of pixels (x - 127) / 128."""
        x = pixels.to(self.stem.weight.dtype).contiguous(memory_format=torch.channels_last)
        x = nn.functional.relu6(self.stem(x), inplace=True)
        features = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                features.append(x)
        x = nn.functional.relu6(self.head(x), inplace=True).mean(dim=(2, 3), keepdim=True, dtype=torch.float32)
        return [*features, x], self.last(x.flatten(1)).float()
