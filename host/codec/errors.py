"""What can go wrong with a codec and its pictures, each told in one line."""

from __future__ import annotations

from ..errors import PncError


class CodecError(PncError):
    """Weights or parts of a codec are missing, broken, or of another version."""


class PictureError(PncError):
    """A file is no picture that can be sent; the message names the file."""
