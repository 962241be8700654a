"""Errors of the sources of pictures."""

from __future__ import annotations

from ..errors import PncError


class SourceError(PncError):
    """A camera, a watched folder or standard input cannot give pictures; ``reason`` says why."""
