"""EfficientNet-Lite as a network that learns.

Batch normalization keeps the statistics that it was published with. So it is a factor of the filters and an offset, and
costs no pass over the pictures; factor and offset learn as its gain and bias would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...reference.efficientnet.architecture import VARIANTS, blocks
from ..precision import fast_type
from .depthwise import Depthwise, padded

NORM_EPSILON = 1e-3


class NormedConv(nn.Module):
    """A convolution and its normalization, padding 'same', then ReLU6 unless ``activate`` is False."""

    mean: Tensor
    scale: Tensor

    def __init__(
        self, tensors: Mapping[str, Tensor], conv: str, norm: str, *, stride: int = 1, activate: bool = True
    ) -> None:
        """``tensors``: published weights, by torch's names; ``conv`` and ``norm``: which of them."""
        super().__init__()
        self.conv, self.norm, self.stride, self.activate = conv, norm, stride, activate
        self.weight = nn.Parameter(tensors[f"{conv}.weight"].clone())
        self.gain = nn.Parameter(tensors[f"{norm}.weight"].clone())
        self.bias = nn.Parameter(tensors[f"{norm}.bias"].clone())
        self.register_buffer("mean", tensors[f"{norm}.running_mean"].clone())
        self.register_buffer("scale", torch.rsqrt(tensors[f"{norm}.running_var"] + NORM_EPSILON))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Filters and offsets with the normalization in them."""
        factor = self.gain * self.scale
        return self.weight * factor.view(-1, 1, 1, 1), self.bias - self.mean * factor

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, d, h / stride, w / stride], in the type of ``x``."""
        weight, bias = (t.to(x.dtype) for t in self.folded())
        weight = weight.contiguous(memory_format=torch.channels_last)
        kernel = weight.shape[-1]
        if weight.shape[1] == 1:
            y: Tensor = Depthwise.apply(x, weight, bias, self.stride)  # type: ignore[no-untyped-call]
        else:
            y = F.conv2d(x if kernel == 1 else padded(x, kernel, self.stride), weight, bias, self.stride)
        return F.relu6(y, inplace=True) if self.activate else y


class LiteNetwork(nn.Module):
    """A variant of EfficientNet-Lite for pictures of 224 pixels, which starts from published weights."""

    def __init__(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.plan = blocks(VARIANTS[name])
        self.stem = NormedConv(tensors, "_conv_stem", "_bn0", stride=2)
        rows = []
        for index, block in enumerate(self.plan):
            at = f"_blocks.{index}."
            row = [NormedConv(tensors, f"{at}_expand_conv", f"{at}_bn0")] if block.expand != 1 else []
            row.append(NormedConv(tensors, f"{at}_depthwise_conv", f"{at}_bn1", stride=block.stride))
            row.append(NormedConv(tensors, f"{at}_project_conv", f"{at}_bn2", activate=False))
            rows.append(nn.Sequential(*row))
        self.blocks = nn.ModuleList(rows)
        self.head = NormedConv(tensors, "_conv_head", "_bn1")
        classes, features = tensors["_fc.weight"].shape
        self.last = nn.Linear(features, classes)
        self.last.load_state_dict({"weight": tensors["_fc.weight"], "bias": tensors["_fc.bias"]})

    def forward(self, pictures: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """uint8 [n, 224, 224, 3] -> logits float32 [n, classes]; convolutions compute in ``dtype`` (None: the fast)."""
        return self.maps_and_logits(pictures, (), dtype)[1]

    def maps_and_logits(
        self, pictures: Tensor, after: Sequence[int | str], dtype: torch.dtype | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Also return the feature maps [n, c, h, w] behind the blocks ``after``, in ``dtype``."""
        maps = []
        x = ((pictures.permute(0, 3, 1, 2).float() - 127) / 128).to(dtype or fast_type(pictures.device))
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for index, (plan, block) in enumerate(zip(self.plan, self.blocks, strict=True)):
            y = block(x)
            x = x + y if plan.stride == 1 and plan.inputs == plan.outputs else y
            if index in after:
                maps.append(x)
        logits: Tensor = self.last(self.head(x).mean(dim=(2, 3), dtype=torch.float32))
        return maps, logits
