"""The codec's C part, compiled by ``build_coder.py``."""

from __future__ import annotations

from typing import Any

from .errors import CodecError


def library() -> Any:
    """Import the compiled module. Raises CodecError when it has not been built."""
    try:
        from . import _coder  # type: ignore[attr-defined]
    except ImportError as error:
        raise CodecError(f"the codec's C part is not built ({error}); run: pip install -e .") from None
    return _coder
