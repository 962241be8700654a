"""Access to the vectors in protocol/vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "protocol" / "vectors"


def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of a vector file by its name."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return found
