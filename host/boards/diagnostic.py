"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that is wrong, and the command (or the act) that mends it. ``pressing``: nothing works before."""

    pressing: bool
    what: str
    mend: str

    def lines(self) -> list[str]:
        """For a person."""
        return [f"{'!' if self.pressing else '-'} {self.what}", f"    {self.mend}"]
