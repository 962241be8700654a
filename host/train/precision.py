"""The precision in which networks are trained: bfloat16 where the processor computes fast in it."""

from __future__ import annotations

import torch


def is_reduced(device: torch.device) -> bool:
    """Return True if a device computes faster in bfloat16 than in float32: a GPU, or a CPU with AVX-512.

    On other CPUs oneDNN computes bfloat16 in plain loops: a 3x3 convolution and its gradients took 9 times as long.
    """
    return device.type == "cuda" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def fast_type(device: torch.device) -> torch.dtype:
    """Return the type in which a device trains."""
    return torch.bfloat16 if is_reduced(device) else torch.float32


def reduced(device: torch.device) -> torch.autocast:
    """Return the context that computes in ``fast_type``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=is_reduced(device))
