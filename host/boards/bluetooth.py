"""What keeps this computer's own Bluetooth from serving (``host.recv --ble``). Linux; other systems only need bleak."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

from ..devices.host_system import HostSystem
from .diagnostic import Diagnostic

#: The first BlueZ that tells the MTU (https://github.com/hbldh/bleak/issues/738).
BLUEZ_NEEDED = (5, 62)
_FOR = "for recv --ble"


def bluetooth_diagnostics(machine: HostSystem) -> Iterator[Diagnostic]:
    """None of them is pressing: boards do without."""
    if importlib.util.find_spec("bleak") is None:
        yield Diagnostic(False, f"{_FOR}: the package bleak is missing", "pip install 'pnc-link[ble]'")
    if not machine.platform.startswith("linux"):
        return
    if machine.tool("bluetoothctl") is None:
        yield Diagnostic(False, f"{_FOR}: BlueZ is missing", "sudo apt install bluez")
        return
    version = re.search(r"([0-9]+)\.([0-9]+)", machine.output(["bluetoothctl", "--version"]))
    if version is not None and (int(version[1]), int(version[2])) < BLUEZ_NEEDED:
        yield Diagnostic(
            False,
            f"{_FOR}: BlueZ {version[0]} does not tell the MTU; {'.'.join(map(str, BLUEZ_NEEDED))} is needed",
            "upgrade the system (Debian 12 has 5.66)",
        )
    there = any((machine.sysfs / "class" / "bluetooth").glob("hci*"))
    if there and "Powered: yes" in machine.output(["bluetoothctl", "show"]):
        return
    blocks = list(_blocks(machine))  # of an adapter; or of a laptop's switch, which may take the adapter away
    if blocks:
        yield from blocks
    elif not there:
        yield Diagnostic(False, f"{_FOR}: this computer has no Bluetooth adapter", "plug one in; `lsusb` shows it")
    else:
        yield Diagnostic(
            False,
            f"{_FOR}: the Bluetooth adapter is down",
            "sudo systemctl start bluetooth && bluetoothctl power on",
        )


def _blocks(machine: HostSystem) -> Iterator[Diagnostic]:
    """What keeps Bluetooth off: a switch, or software, or both.

    https://www.kernel.org/doc/html/latest/driver-api/rfkill.html
    """
    switches = [
        path.parent
        for path in (machine.sysfs / "class" / "rfkill").glob("rfkill*/type")
        if path.read_text().strip() == "bluetooth"
    ]
    if any((switch / "hard").read_text().strip() == "1" for switch in switches):
        yield Diagnostic(
            False,
            f"{_FOR}: Bluetooth is switched off by the computer's hardware",
            "its switch or key for radio, or its firmware setup: no command can",
        )
    if any((switch / "soft").read_text().strip() == "1" for switch in switches):
        yield Diagnostic(False, f"{_FOR}: Bluetooth is blocked", "rfkill unblock bluetooth")
