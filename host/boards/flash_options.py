"""Options of ``make flash``, and the board that they choose."""

from __future__ import annotations

from dataclasses import dataclass

from ..cli.command import CommandError
from ..devices.choice import choose_for_writing
from ..devices.host_system import HostSystem
from ..devices.usb import UsbDevice
from ..errors import Reason
from .exit_status import ExitStatus, command_errors
from .targets import Target
from .zephyr import Signing

_ADVICE = {
    Reason.SEVERAL_BOARDS: "choose one with SNR=… or ROLE=camera|edge (boards.toml gives names, docs/boards.md)",
    Reason.WRONG_ROLE: "leave ROLE out, or plug the other one in",
}


#: How a dongle starts its bootloader.
RESET_BUTTON = "press RESET on the dongle (the small button at its side; the red LED then fades)"


@dataclass(frozen=True, slots=True)
class FlashOptions:
    """The firmware to write and the board. ``serial`` or ``role`` choose among several boards; both may be empty."""

    target: Target
    serial: str = ""
    role: str = ""
    #: The firmware's port is the chip's own USB, on a board whose default is another one.
    own_usb: bool = False
    #: Erase the whole chip before, with the settings and bonds of whatever firmware it had.
    erase: bool = False
    #: Write MCUboot, and the firmware signed.
    signing: Signing | None = None
    dry_run: bool = False
    #: Time limit for the bootloader, or the new firmware, to appear after a reset.
    wait_s: float = 15.0

    @property
    def changes_port(self) -> bool:
        """True if the new firmware answers at another USB device than the one that writes it."""
        return self.own_usb and not self.target.by_bootloader


async def choose(host_system: HostSystem, options: FlashOptions) -> UsbDevice:
    """Return the one board that the options choose. Raises CommandError if there is none, or several."""
    attached = host_system.boards()
    boards = [board for board in attached if board.kind in options.target.kinds]
    if not boards:
        others = [board for board in attached if board.kind not in options.target.kinds]
        raise CommandError(
            f"no {options.target.name} is attached{_how_to_attach(options.target, others)}", ExitStatus.NO_BOARD
        )
    with command_errors(_ADVICE):
        return await choose_for_writing(host_system, boards, serial=options.serial, role=options.role)


def _how_to_attach(target: Target, others: list[UsbDevice]) -> str:
    if others:
        listed = ", ".join(f"{board.kind.value} at {board.port}" for board in others)
        return f" (but {listed}: another BOARD=?)"
    where = (
        f"plug it in, and if it has other firmware {RESET_BUTTON}"
        if target.by_bootloader
        else "plug it in at its debugger's USB socket and switch it on"
    )
    return f": {where}"
