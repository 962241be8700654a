"""The errors of the edge server; each message is one line that says what to do."""

from __future__ import annotations

from ..errors import PncError


class ClassifierError(PncError):
    """A classifier cannot be loaded or run."""


class ServerError(PncError):
    """The edge server cannot start or go on."""
