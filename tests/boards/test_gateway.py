"""The files for a gateway, checked by the programs that read them."""

from __future__ import annotations

import ipaddress
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

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


def test_the_service_is_exposed_by_at_most_3_of_10(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text())
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (systemd 250 or later can)")
    assert done.returncode == 0, done.stdout + done.stderr
    (level,) = re.findall(r"exposure level for pnc-recv\.service: ([0-9.]+)", done.stdout)
    assert float(level) <= 3


def drop_ins() -> dict[str, str]:
    """Return what the page adds to the unit, by the heading above it."""
    text = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    sections = [section.partition("\n") for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]]
    found = {
        title: re.findall(r"^```\n(\[Service\]\n.*?)^```", body, re.MULTILINE | re.DOTALL)
        for title, _, body in sections
    }
    return {title: blocks[0] for title, blocks in found.items() if blocks}


def overridden(folder: Path, drop_in: str) -> Path:
    """Write the unit with a drop-in and a program that exists; return its path."""
    unit = folder / UNIT.name
    (folder / f"{UNIT.name}.d").mkdir()
    for path, text in ((unit, UNIT.read_text()), (folder / f"{UNIT.name}.d" / "override.conf", drop_in)):
        path.write_text(text.replace("/opt/pnc-link/bin/pnc-recv", sys.executable))
    return unit


@pytest.mark.parametrize("title", drop_ins())
def test_systemd_takes_what_the_page_adds_and_the_service_stays_confined(title: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = overridden(tmp_path, drop_ins()[title])
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" not in done.stderr:
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("title", drop_ins())
def test_recv_takes_the_commands_that_the_page_adds(title: str) -> None:
    for command in re.findall(r"^ExecStart=\S+/pnc-recv (.*)$", drop_ins()[title], re.MULTILINE):
        arguments = recv.parser().parse_args(command.split())
        assert arguments.ble or arguments.port not in ("auto", "sim")


def test_the_service_gets_a_network_only_with_what_needs_one() -> None:
    with_network = {title for title, text in drop_ins().items() if "PrivateNetwork=no" in text}
    for title, text in drop_ins().items():
        assert (title in with_network) == bool(re.search(r"--(?:post|web)\b", text))
        settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        if title in with_network:
            assert set(settings["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6"}  # added to AF_UNIX
            network = ipaddress.ip_network(settings["IPAddressAllow"])
            [command] = re.findall(r"^ExecStart=\S+/pnc-recv (.*)$", text, re.MULTILINE)
            arguments = recv.parser().parse_args(command.split())
            for host in (urlsplit(arguments.urls[0]).hostname, arguments.web.host):
                assert ipaddress.ip_address(host) in network
    assert len(with_network) == 1
    unit = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert (unit["PrivateNetwork"], unit["RestrictAddressFamilies"]) == ("yes", "AF_UNIX")


def test_the_service_has_limits_and_a_watchdog_and_stops_within_five_seconds() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert settings["Type"] == "notify"  # the watchdog is for services that report themselves
    assert float(settings["WatchdogSec"]) > 0
    assert float(settings["TimeoutStopSec"]) <= 5
    assert settings["UMask"] == "0077"
    assert settings["CapabilityBoundingSet"] == ""
    assert re.fullmatch(r"\d+[MG]", settings["MemoryMax"])
    assert "ProcSubset" not in settings  # onnxruntime reads /proc/cpuinfo
    assert settings.get("PrivateUsers", "no") == "no"  # the ports belong to the group dialout
    assert settings.get("PrivateDevices", "no") == "no"


def test_a_service_that_may_write_and_run_no_memory_can_serve() -> None:
    """MemoryDenyWriteExecute: the kernel's own switch for it, where there is one (Linux 6.3 or later)."""
    refuse = "import ctypes, runpy, sys; libc = ctypes.CDLL(None); denied = libc.prctl(65, 1, 0, 0, 0)\n"
    work = (
        "assert denied or libc.prctl(66, 0, 0, 0, 0) == 1\n"
        "import asyncio, numpy\n"
        "from host.board.core import BoardCore\n"
        "from host.codec import load\n"
        "from host.edge.classifier import load as load_classifier\n"
        "codec, classifier = load(), load_classifier()\n"
        "picture = numpy.full((224, 224, 3), 90, numpy.uint8)\n"
        "print('denied', denied, classifier.top(codec.decoder().decode(codec.encode(picture)).picture)[0][2] > 0)\n"
    )
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
    if sys.platform != "linux":
        pytest.skip("Linux only")
    done = subprocess.run([sys.executable, "-c", refuse + work], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("denied -1"):
        pytest.skip("this kernel has no such switch (Linux 6.3 or later has)")
    assert done.stdout == "denied 0 True\n"


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
