"""The errors of the edge server; each message is one line that says what to do."""

from __future__ import annotations


class ClassifierError(Exception):
    """A classifier cannot be loaded or run."""


class ServerError(Exception):
    """The edge server cannot start or go on."""
