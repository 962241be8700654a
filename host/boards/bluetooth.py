"""Problems that keep this computer's own Bluetooth from serving ``recv --ble``."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

from ..devices.host_system import HostSystem
from .diagnostic import Diagnostic, Severity

#: The first BlueZ that reports the MTU (https://github.com/hbldh/bleak/issues/738).
BLUEZ_NEEDED = (5, 62)


def bluetooth_diagnostics(host_system: HostSystem) -> Iterator[Diagnostic]:
    """Yield warnings only: boards work without Bluetooth. All but the check for bleak are for Linux."""
    if importlib.util.find_spec("bleak") is None:
        yield _warning("the package bleak is missing", "pip install 'pnc-link[ble]'")
    if not host_system.platform.startswith("linux"):
        return
    if host_system.tool("bluetoothctl") is None:
        yield _warning("BlueZ is missing", "sudo apt install bluez")
        return
    version = re.search(r"([0-9]+)\.([0-9]+)", host_system.output(["bluetoothctl", "--version"]))
    if version is not None and (int(version[1]), int(version[2])) < BLUEZ_NEEDED:
        yield _warning(
            f"BlueZ {version[0]} does not report the MTU; {'.'.join(map(str, BLUEZ_NEEDED))} is needed",
            "upgrade the system (Debian 12 has 5.66)",
        )
    has_adapter = any((host_system.sysfs / "class" / "bluetooth").glob("hci*"))
    if has_adapter and "Powered: yes" in host_system.output(["bluetoothctl", "show"]):
        return
    blocks = list(_blocks(host_system))  # of an adapter; or of a laptop's switch, which may take the adapter away
    if blocks:
        yield from blocks
    elif not has_adapter:
        yield _warning("this computer has no Bluetooth adapter", "plug one in; `lsusb` shows it")
    else:
        yield _warning("the Bluetooth adapter is down", "sudo systemctl start bluetooth && bluetoothctl power on")


def _blocks(host_system: HostSystem) -> Iterator[Diagnostic]:
    """Yield the hardware switch and the software block that keep Bluetooth off.

    https://www.kernel.org/doc/html/latest/driver-api/rfkill.html
    """
    switches = [
        path.parent
        for path in (host_system.sysfs / "class" / "rfkill").glob("rfkill*/type")
        if path.read_text().strip() == "bluetooth"
    ]
    if any((switch / "hard").read_text().strip() == "1" for switch in switches):
        yield _warning(
            "Bluetooth is switched off by the computer's hardware",
            "turn it on with the computer's radio switch or key, or in its firmware setup; no command can",
        )
    if any((switch / "soft").read_text().strip() == "1" for switch in switches):
        yield _warning("Bluetooth is blocked", "rfkill unblock bluetooth")


def _warning(problem: str, fix: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, f"for recv --ble: {problem}", fix)
