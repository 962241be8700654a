"""What the answers of a classifier depend on."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from ..edge.builtin import model_bytes
from ..edge.efficientnet_lite import VARIANTS


def identity_of(name_or_file: str) -> dict[str, object]:
    """A digest of its model, and the version of what runs it, ready for JSON."""
    model = model_bytes(name_or_file) if name_or_file in VARIANTS else Path(name_or_file).read_bytes()
    return {"model": hashlib.sha256(model).hexdigest(), "onnxruntime": version("onnxruntime")}
