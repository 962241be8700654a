"""How a board command ends. The exit statuses are documented in docs/boards.md."""

from __future__ import annotations

from enum import IntEnum

from ..errors import PncError


class ExitStatus(IntEnum):
    """Exit statuses of ``host.boards`` and ``make flash``; 2 is wrong usage, as everywhere."""

    OK = 0
    FAILED = 1  # anything that has no number of its own
    TOOL_MISSING = 3
    NO_BOARD = 4
    SEVERAL_BOARDS = 5
    FLASH_FAILED = 6  # also the build
    WRONG_FIRMWARE = 7  # or none answered


class BoardError(PncError):
    """A board cannot do what was asked: one line for a person, and the exit status."""

    def __init__(self, text: str, status: ExitStatus = ExitStatus.FAILED) -> None:
        super().__init__(text)
        self.status = status
