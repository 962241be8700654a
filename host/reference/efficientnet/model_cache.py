"""Keeps built models in the user's cache folder, so that they are built once.

A cached file is the SHA-256 digest of the model (32 bytes) and the model. A file that does not match its
digest counts as missing. If the cache cannot be read or written, the model is built in memory each time,
without a message.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ...files import write_whole

_DIGEST_BYTES = 32


def cache_folder() -> Path | None:
    """Return the folder of cached models, which need not exist; None for a user without a home.

    It is ``$XDG_CACHE_HOME/pnc-link``, without that variable ``~/.cache/pnc-link``, on macOS
    ``~/Library/Caches/pnc-link``.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # a relative path is to be ignored (XDG base directory specification)
        return Path(base, "pnc-link")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "pnc-link"


def load_or_build(name: str, build: Callable[[], bytes]) -> bytes:
    """Return the cached model ``name``, or call ``build`` and cache its model under that name."""
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
