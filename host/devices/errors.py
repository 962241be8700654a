"""Errors about boards."""

from __future__ import annotations

from ..errors import PncError, Reason


class BoardError(PncError):
    """No board fits, or a board does not do what it was asked."""


class NoHelloError(BoardError):
    """Nothing that speaks the protocol answered at the port."""

    reason = Reason.NO_BOARD
