"""Keeps built models in the user's cache folder, so that they are built once.

A cached file is the SHA-256 digest of the model (32 bytes) and the model. A file that does not match its
digest counts as missing. The cache is a convenience: where it cannot be read or written, the model is
built in memory each time and nothing is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ..files import write_whole

_DIGEST_BYTES = 32


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/pnc-link``; without that variable ``~/.cache/pnc-link``, on macOS
    ``~/Library/Caches/pnc-link``. None for a user without a home. The folder need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # a relative path is to be ignored (XDG base directory specification)
        return Path(base, "pnc-link")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "pnc-link"


def load_or_build(name: str, build: Callable[[], bytes]) -> bytes:
    """The cached model ``name``, or what ``build`` returns, which is then cached under that name."""
    folder = cache_folder()
    path = folder / name if folder else None
    if path:
        with contextlib.suppress(OSError):
            stored = path.read_bytes()
            model = stored[_DIGEST_BYTES:]
            if model and hashlib.sha256(model).digest() == stored[:_DIGEST_BYTES]:
                return model
    model = build()
    if path:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(hashlib.sha256(model).digest() + model, path, durable=False)
    return model
