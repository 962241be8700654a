"""The codec's compiled C part (see ``build_coder.py``)."""

from __future__ import annotations

from typing import Any

from ..errors import Reason
from .errors import CodecError


def library() -> Any:
    """Import the compiled module. Raises CodecError if it has not been built."""
    try:
        from . import _coder  # type: ignore[attr-defined]
    except ImportError as error:
        raise CodecError(f"the codec's C part is not built ({error})", reason=Reason.NOT_BUILT) from None
    return _coder
