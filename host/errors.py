"""The base class of every error that a user can meet."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from .text import printable


class Reason(StrEnum):
    """Cause of an error, for code to read. ``cli.hints`` has the advice that belongs to each."""

    OTHER = "other"
    # Serial ports
    PORT_MISSING = "port missing"  # there is no serial port of that name
    PORT_BUSY = "port busy"  # another program has the serial port open
    PORT_DENIED = "port denied"  # the user may not open the serial port
    PORT_LOST = "port lost"  # the port went away while it was in use
    # Boards
    NOT_ATTACHED = "not attached"  # no board is attached
    UNKNOWN_BOARD = "unknown board"  # boards are attached, but not the requested one
    SEVERAL_BOARDS = "several boards"  # more than one board fits
    NO_BOARD = "no board"  # nothing that speaks the protocol answered
    NOT_READY = "not ready"  # the board did not start, or did not take its role
    BOARD_SILENT = "board silent"  # the board answered before, and then no more
    REFUSED = "refused"  # the board refused a request
    WRONG_FIRMWARE = "wrong firmware"  # another protocol version, or another program
    WRONG_ROLE = "wrong role"  # a camera board where an edge board is needed, or the reverse
    NO_EDGE_BOARD = "no edge board"  # the camera board has no radio connection
    NO_EDGE_SERVER = "no edge server"  # the edge board is connected, but no program serves behind it
    # This computer's Bluetooth
    NO_BLUETOOTH = "no bluetooth"  # Bluetooth cannot be used, for a cause that the text names
    NO_BLUEZ = "no bluez"  # Linux without BlueZ, or BlueZ is not running
    NO_ADAPTER = "no adapter"  # no Bluetooth adapter, or one that is switched off
    BLUETOOTH_OFF = "bluetooth off"  # the adapter is switched off or blocked
    BLUETOOTH_DENIED = "bluetooth denied"  # the user may not use Bluetooth
    BLUETOOTH_BUSY = "bluetooth busy"  # another program scans
    SMALL_MTU = "small mtu"  # the connection does not carry whole packets
    SEVERAL_CAMERAS = "several cameras"  # more than one camera board is in Bluetooth's reach
    OLD_SERVICE = "old service"  # the camera board's GATT service is that of another release
    NO_CONNECTION = "no connection"  # the camera board does not accept the connection
    NOT_PAIRED = "not paired"  # the camera board is a stranger, and pairing was not asked for
    PAIRING = "pairing"  # the two ends do not share keys
    WRONG_KEY = "wrong key"  # camera and edge server do not have the same key for pictures
    # Cameras
    NO_CAMERA = "no camera"  # there is no camera of that name, or it is gone
    CAMERA_BUSY = "camera busy"  # another program uses the camera
    CAMERA_DENIED = "camera denied"  # the user may not use the camera
    NO_PICAMERA2 = "no picamera2"  # the package for a Raspberry Pi's cameras cannot be used in this environment
    # This computer's software, files and the command line
    MISSING_PACKAGE = "missing package"  # ``subject`` is not installed: a requirement as pip takes it
    NOT_SHIPPED = "not shipped"  # ``subject`` is a published classifier, which is not part of an edge server
    NOT_CALIBRATED = "not calibrated"  # how sure a classifier is was not fitted
    NOT_BUILT = "not built"  # a part in C is not compiled
    INCOMPLETE = "incomplete"  # the installation lacks a file
    BAD_FILE = "bad file"  # a file cannot be read, written or used
    BAD_USAGE = "bad usage"  # wrong options or values on the command line
    DEADLINE_INFEASIBLE = "deadline infeasible"  # shorter than the link needs


class PncError(Exception):
    """Base class of this package's errors.

    ``str()`` is one printable line: what went wrong, and with which file, port or board. ``reason`` and ``subject`` are
    for code. What to do is not part of the text: the commands add it (``cli.hints``).
    """

    reason: Reason = Reason.OTHER
    subject: str = ""

    def __init__(self, text: str = "", *, reason: Reason | None = None, subject: str = "") -> None:
        super().__init__(printable(text))
        if reason is not None:
            self.reason = reason
        if subject:
            self.subject = subject

    @classmethod
    def of(cls, error: PncError) -> Self:
        """Return ``error`` as an error of this class: same text, reason and subject."""
        return cls(str(error), reason=error.reason, subject=error.subject)
