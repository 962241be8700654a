"""What to do about an error: the advice that a command adds to a library's one line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ..devices.client import fault_text
from ..devices.usb import Kind
from ..errors import PncError, Reason
from ..wire import Error, ErrorCode

#: Advice by reason. ``{subject}`` is the error's, quoted for a shell.
HINTS: Mapping[Reason, str] = {
    Reason.PORT_MISSING: "`python -m serial.tools.list_ports` lists the ports of this computer",
    Reason.PORT_BUSY: "close that program first",
    Reason.PORT_DENIED: "add yourself to the group dialout (`sudo usermod -aG dialout $USER`) and log in again",
    Reason.NOT_ATTACHED: (
        "plug one in (a development kit at its debugger's USB socket), or see `python -m host.boards doctor`"
    ),
    Reason.SEVERAL_BOARDS: "choose one with --port",
    Reason.NO_BOARD: (
        "if its firmware was written before, unplug it and plug it in again, or try its other port; if not, "
        "`make flash` writes it"
    ),
    Reason.NOT_READY: "unplug it, plug it in again",
    Reason.BOARD_SILENT: "check its cable and its power, or press its reset button",
    Reason.WRONG_FIRMWARE: (
        "write the firmware of this release with `make flash`; if that was just done, this program is of another "
        "release: install that of the firmware"
    ),
    Reason.WRONG_ROLE: "choose the other board with --port",
    Reason.NO_EDGE_BOARD: "is the other board powered, near and of role edge?",
    Reason.NO_EDGE_SERVER: "is `python -m host.recv` running at the other board?",
    Reason.NO_BLUETOOTH: "`python -m host.boards doctor` looks for the cause",
    Reason.NO_BLUEZ: "sudo apt install bluez, sudo systemctl start bluetooth",
    Reason.NO_ADAPTER: "plug one in, or `bluetoothctl power on`",
    Reason.BLUETOOTH_OFF: "`bluetoothctl power on` (if it is blocked: `rfkill unblock bluetooth`)",
    Reason.BLUETOOTH_DENIED: "Linux: join the group bluetooth; macOS: allow it in the Privacy settings",
    Reason.BLUETOOTH_BUSY: "close that program, or `sudo systemctl restart bluetooth`",
    Reason.SMALL_MTU: "upgrade BlueZ to 5.62 or later, or use a second board as the edge",
    Reason.SEVERAL_CAMERAS: "choose one with --ble ADDRESS",
    Reason.OLD_SERVICE: (
        "write the firmware of this release with `make flash`; docs/troubleshooting.md says how to make this computer "
        "forget the old services"
    ),
    Reason.NO_CONNECTION: "is it paired with another computer? its button opens pairing for 60 s",
    Reason.NOT_PAIRED: "if it is yours, give `--ble {subject}`, or --pair to pair with the only board in reach",
    Reason.PAIRING: (
        "open the board's pairing window with its button and try again; if the two were paired before, make both "
        "forget it (docs/troubleshooting.md)"
    ),
    Reason.WRONG_KEY: "give both `send` and `recv` the same file with --key, or neither",
    Reason.NO_CAMERA: "check its cable and its name; `python -m host.boards doctor` looks for the cause",
    Reason.CAMERA_BUSY: "close that program first",
    Reason.CAMERA_DENIED: "add yourself to the group video (`sudo usermod -aG video $USER`) and log in again",
    Reason.NO_PICAMERA2: "`python -m host.boards doctor` says how to install it",
    Reason.MISSING_PACKAGE: "pip install {subject}",
    Reason.NOT_SHIPPED: (
        "pip install 'pnc-link[evaluate]', write it with "
        "`python -m host.reference classifier {subject} --out FILE.onnx`, then give --classifier FILE.onnx"
    ),
    Reason.NOT_CALIBRATED: "`python -m host.evaluate.sure fit` writes it",
    Reason.NOT_BUILT: "run `pip install -e .`",
    Reason.INCOMPLETE: "install the package again",
}
#: Reasons whose text alone says what to do.
WITHOUT_HINT = frozenset(
    {
        Reason.OTHER,
        Reason.PORT_LOST,
        Reason.UNKNOWN_BOARD,
        Reason.REFUSED,
        Reason.BAD_FILE,
        Reason.BAD_USAGE,
        Reason.DEADLINE_INFEASIBLE,
    }
)


_WAS_ERASED = "if the board was erased (number 1000), set it up and pair it again; otherwise "
#: Advice about each fault that a board can report.
FAULT_HINTS: Mapping[int, str] = {
    ErrorCode.BLUETOOTH: "`python -m host.boards reset`; if it stays, write the firmware again with `make flash`",
    ErrorCode.SETTINGS: (
        f"{_WAS_ERASED}`make flash ERASE=1` erases its settings and bonds; if it stays, the flash of the chip is worn "
        "out"
    ),
    ErrorCode.WATCHDOG: "`python -m host.boards reset`; until then nothing restarts the board if its firmware hangs",
    ErrorCode.ADVERTISE: "the board tries again; if it stays, `python -m host.boards reset`",
    ErrorCode.SCAN: "the board tries again; if it stays, `python -m host.boards reset`",
    ErrorCode.SERVICE: "the board tries again; write the firmware of one release to both boards with `make flash`",
    ErrorCode.PAIRING: "`python -m host.boards reset`; until then the board's radio is off",
    ErrorCode.STUCK: "the boards connect again; if it happens often, look at distance and interference",
    ErrorCode.BONDS_FULL: "`python -m host.boards forget` removes the bonds of a board",
}
#: Advice that differs for a board on its own USB, most likely a dongle: its bootloader does not erase settings.
_OWN_USB_HINTS: Mapping[int, str] = {
    ErrorCode.SETTINGS: (
        f"{_WAS_ERASED}`python -m host.boards reset`: when it starts, the board erases settings that it cannot open; "
        "if it stays, `python -m host.boards forget` removes its bonds, and a development kit is erased by "
        "`make flash USB=1 ERASE=1`; if that does not help, the flash of the chip is worn out"
    ),
}


def fault_hint(code: int, kind: Kind = Kind.DEBUGGER) -> str:
    """Return what to do about a fault of a board of this kind, nothing if the code is unknown."""
    own_usb = _OWN_USB_HINTS.get(code, "") if kind is not Kind.DEBUGGER else ""
    return own_usb or FAULT_HINTS.get(code, "")


def fault_with_hint(fault: Error, kind: Kind = Kind.DEBUGGER) -> str:
    """Return a fault of a board in words and, after a colon, what to do about it. One line."""
    hint = fault_hint(fault.code, kind)
    return f"{fault_text(fault)}: {hint}" if hint else fault_text(fault)


def with_hint(error: PncError) -> str:
    """Return the error's text and, after a colon, what to do about it. One line."""
    hint = HINTS.get(error.reason, "").format(subject=shlex.quote(error.subject))
    return f"{error}: {hint}" if hint else str(error)
