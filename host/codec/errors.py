"""Errors of the codec and its pictures. Each message is one line."""

from __future__ import annotations

from ..errors import PncError, Reason


class CodecError(PncError):
    """Weights or parts of a codec are missing, broken, or of another version."""


class PictureError(PncError):
    """A file is not a picture that can be sent; the message names the file."""

    reason = Reason.BAD_FILE
