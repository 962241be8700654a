"""The files for a gateway, checked by the programs that read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host import recv
from host.devices.usb import BOOTLOADER_PRODUCT, NORDIC, SEGGER

ROOT = Path(__file__).parents[2]
UNIT, RULES = ROOT / "gateway" / "pnc-recv.service", ROOT / "host" / "boards" / "70-pnc-link.rules"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/pnc-link/bin/pnc-recv", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_udev_takes_the_rules() -> None:
    if shutil.which("udevadm") is None:
        pytest.skip("udevadm is not installed")
    done = subprocess.run(["udevadm", "verify", str(RULES)], capture_output=True, text=True, check=False)
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this udevadm cannot verify (systemd 254 or later can)")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_units_command_is_one_that_recv_takes_and_never_virtual_boards() -> None:
    [command] = re.findall(r"^ExecStart=\S+/pnc-recv (.*)$", UNIT.read_text(), re.MULTILINE)
    arguments = recv.parser().parse_args(command.split())
    assert arguments.port not in ("auto", "sim")


def test_the_rules_are_for_the_vendors_that_are_looked_for() -> None:
    rules = RULES.read_text()
    assert set(re.findall(r'ATTRS\{idVendor\}=="([0-9a-f]{4})"', rules)) == {f"{SEGGER:04x}", f"{NORDIC:04x}"}
    assert BOOTLOADER_PRODUCT == 0x521F
    labels, jumps = (set(re.findall(rf'{word}="(\w+)"', rules)) for word in ("LABEL", "GOTO"))
    assert labels == jumps
