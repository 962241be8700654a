"""The error of the evaluation."""

from __future__ import annotations

from ..errors import PncError


class EvaluationError(PncError):
    """The evaluation is impossible; the message is one line that names the file or package."""
