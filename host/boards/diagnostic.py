"""Problems that an examination has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How urgent a problem is; the value is the mark in front of it."""

    ERROR = "!"  # nothing works until it is fixed
    WARNING = "-"  # it matters for some uses only


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A problem, and the command or action that fixes it."""

    severity: Severity
    problem: str
    fix: str

    def lines(self) -> list[str]:
        """Return the lines to print."""
        return [f"{self.severity.value} {self.problem}", f"    {self.fix}"]
