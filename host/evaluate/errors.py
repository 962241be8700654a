"""The one error of the evaluation."""

from __future__ import annotations

from ..errors import PncError


class EvaluationError(PncError):
    """The evaluation cannot be made; the message is one line that names the file and says what to do."""
