"""The base class of every error that a user can meet."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something failed, for code to read. ``cli.hints`` has the advice that belongs to each."""

    OTHER = "other"
    PORT_MISSING = "port missing"  # no serial port of that name
    PORT_BUSY = "port busy"  # another program has the serial port open
    PORT_DENIED = "port denied"  # the user may not open it
    PORT_LOST = "port lost"  # it went away while it was in use
    NO_BOARD = "no board"  # nothing that speaks the protocol answered
    SEVERAL_BOARDS = "several boards"  # which one is meant is open
    BOARD_SILENT = "board silent"  # it answered once and then no more
    WRONG_FIRMWARE = "wrong firmware"  # another protocol version, or another program
    WRONG_ROLE = "wrong role"  # camera where edge is needed, or the reverse
    NO_EDGE_BOARD = "no edge board"  # the camera board has no radio connection
    NO_EDGE_SERVER = "no edge server"  # the edge board is there, but no program behind it
    NO_BLUETOOTH = "no bluetooth"  # this computer cannot use Bluetooth
    PAIRING = "pairing"  # the two ends do not share keys
    MISSING_PACKAGE = "missing package"  # an optional dependency is not installed
    BAD_FILE = "bad file"  # a file cannot be read, written or used
    BAD_USAGE = "bad usage"  # wrong options or values on the command line
    DEADLINE_INFEASIBLE = "deadline infeasible"  # shorter than the link needs


class PncError(Exception):
    """Base class of this package's errors. ``str()`` is one line: what went wrong, and with which file, port or board.

    ``reason`` is for code. What to do about it is not part of the text: the commands add it (``cli.hints``).
    """

    reason: Reason = Reason.OTHER

    def __init__(self, text: str = "", *, reason: Reason | None = None) -> None:
        super().__init__(text)
        if reason is not None:
            self.reason = reason
