"""The errors of the edge server. Each message is one line."""

from __future__ import annotations

from ..errors import PncError


class ClassifierError(PncError):
    """A classifier cannot be loaded or run."""


class ServerError(PncError):
    """The edge server cannot start or go on."""
