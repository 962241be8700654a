"""Exit statuses of ``host.boards``, documented in docs/boards.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum

from ..cli.command import CommandError
from ..cli.hints import with_hint
from ..devices.errors import BoardError
from ..errors import Reason


class ExitStatus(IntEnum):
    """Exit statuses of ``host.boards`` and ``make flash``; 2 is wrong usage, as for all commands."""

    OK = 0
    FAILED = 1  # any other failure
    TOOL_MISSING = 3
    NO_BOARD = 4
    SEVERAL_BOARDS = 5
    FLASH_FAILED = 6  # building or writing failed
    WRONG_FIRMWARE = 7  # wrong firmware answered, or none


_OF_REASON: Mapping[Reason, ExitStatus] = {
    Reason.NOT_ATTACHED: ExitStatus.NO_BOARD,
    Reason.UNKNOWN_BOARD: ExitStatus.NO_BOARD,
    Reason.NO_BOARD: ExitStatus.NO_BOARD,
    Reason.WRONG_ROLE: ExitStatus.NO_BOARD,
    Reason.SEVERAL_BOARDS: ExitStatus.SEVERAL_BOARDS,
    Reason.WRONG_FIRMWARE: ExitStatus.WRONG_FIRMWARE,
}


@contextmanager
def command_errors(advice: Mapping[Reason, str]) -> Iterator[None]:
    """Raise each BoardError as a CommandError with its exit status and advice.

    ``advice`` replaces that of ``cli.hints`` for the reasons that it contains.
    """
    try:
        yield
    except BoardError as error:
        text = f"{error}: {advice[error.reason]}" if error.reason in advice else with_hint(error)
        raise CommandError(text, _OF_REASON.get(error.reason, ExitStatus.FAILED)) from error
