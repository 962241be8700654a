"""``python -m host.boards doctor``: each problem that it finds, with its fix."""

from __future__ import annotations

import asyncio
import sys

import pytest

from host.boards import __main__ as boards
from host.boards import doctor
from host.boards.diagnostic import Diagnostic, Severity
from host.boards.doctor import Access, examine
from host.devices.survey import survey
from host.wire import VERSION, Error, ErrorCode
from tests.boards.desk import NRFUTIL, Desk, Record, bootloader, dongle, greeting, hello, kit

FREE = Access(lambda _port: True, lambda _port: "dialout")
RULES = f"sudo cp {doctor.RULES} /etc/udev/rules.d/ && sudo udevadm control --reload"


@pytest.fixture
def well(desk: Desk) -> Desk:
    """A computer without problems."""
    desk.zephyr("4.1.0", "nrfutil")
    desk.tools("cmake", "ninja", "west", "JLinkExe", "systemctl")
    desk.tool("nrfutil", prints=NRFUTIL)
    desk.tool("bluetoothctl", prints="bluetoothctl: 5.66 Powered: yes")
    (desk.sysfs / "class" / "bluetooth" / "hci0").mkdir(parents=True)
    desk.add(kit(), greeting(hello()))
    return desk


def found(desk: Desk, access: Access = FREE, platform: str = "linux") -> list[Diagnostic]:
    """Return the diagnostics."""
    system = desk.system(platform)
    return examine(system, asyncio.run(survey(system)), access)


def only(diagnostics: list[Diagnostic]) -> tuple[Severity, str, str]:
    """Return the only diagnostic."""
    [diagnostic] = diagnostics
    return diagnostic.severity, diagnostic.problem, diagnostic.fix


def test_a_computer_without_problems_has_no_diagnostics(well: Desk) -> None:
    assert found(well) == []


def test_no_board(well: Desk) -> None:
    well.records.clear()
    severity, problem, fix = only(found(well))
    assert (severity, problem) == (Severity.WARNING, "no board is attached")
    assert "with a cable that carries data" in fix


def test_the_rules_are_named_so_that_they_are_found_from_any_folder() -> None:
    assert doctor.RULES.is_absolute()
    assert doctor.RULES.is_file()


def test_a_port_that_may_not_be_used(well: Desk) -> None:
    assert only(found(well, Access(lambda _port: False, lambda _port: "dialout"))) == (
        Severity.ERROR,
        "/dev/ttyACM0: no permission to use it",
        "sudo usermod -aG dialout $USER, then log out and in again",
    )
    assert only(found(well, Access(lambda _port: False, lambda _port: "root"))) == (
        Severity.ERROR,
        "/dev/ttyACM0: no permission to use it",
        f"{RULES}, plug it in again",
    )


def test_the_debuggers_usb_drive(well: Desk) -> None:
    for interface, number in (("1-2:1.0", "02"), ("1-2:1.3", "08"), ("1-3:1.0", "08")):
        folder = well.sysfs / "bus" / "usb" / "devices" / interface
        folder.mkdir(parents=True)
        (folder / "bInterfaceClass").write_text(f"{number}\n")
    severity, problem, fix = only(found(well))
    assert severity is Severity.ERROR
    assert problem == "/dev/ttyACM0: the debugger's USB drive is on, which breaks its serial port"
    assert fix.startswith("JLinkExe -SelectEmuBySN 683123456, there: MSDDisable, exit; then unplug it")
    (well.sysfs / "bus" / "usb" / "devices" / "1-2:1.3" / "bInterfaceClass").write_text("ff\n")
    assert found(well) == []


def test_a_baud_rate_that_a_kit_does_not_carry(well: Desk) -> None:
    overlay = well.root / "firmware" / "boards" / "nrf52840dk_nrf52840.overlay"
    overlay.write_text("&uart0 {\n\tcurrent-speed = <1000000>;\n};\n")
    assert found(well) == []
    overlay.write_text("&uart0 {\n\tcurrent-speed = <921600>;\n};\n")
    assert only(found(well)) == (
        Severity.ERROR,
        "nrf52840dk_nrf52840.overlay: a development kit's debugger does not carry 921600 baud",
        "current-speed = <1000000>; in that file, and build again",
    )


def test_firmware_that_is_old_foreign_or_missing(well: Desk) -> None:
    well.records.clear()
    well.add(kit(), greeting(hello(version=VERSION + 1)))
    well.add(kit("2", "/dev/ttyACM1"), greeting(hello(firmware=b"\0\0\7")))
    well.add(kit("3", "/dev/ttyACM2"))
    well.add(dongle(), missing="in use by another program; close that one first")
    well.add(bootloader())
    assert [(one.severity, one.problem, one.fix) for one in found(well)] == [
        (
            Severity.ERROR,
            f"/dev/ttyACM0: old or new firmware 0.1.0 (protocol {VERSION + 1}, and this program speaks {VERSION})",
            "make flash BOARD=nrf52840dk SNR=683123456",
        ),
        (
            Severity.ERROR,
            "/dev/ttyACM2: nothing on it speaks this protocol (other firmware, or another baud rate; if its firmware "
            "was just written, unplug it and plug it in again)",
            "make flash BOARD=nrf52840dk SNR=3",
        ),
        (
            Severity.ERROR,
            "/dev/ttyACM5: in use by another program; close that one first",
            "close the other program, or plug it in again",
        ),
        (
            Severity.ERROR,
            "/dev/ttyACM6: a dongle in its bootloader, without firmware",
            "make flash BOARD=nrf52840dongle SNR=E1D2C3B4A596",
        ),
        (
            Severity.WARNING,
            "/dev/ttyACM1: old firmware 0.0.7; this source has 0.1.0",
            "make flash BOARD=nrf52840dk SNR=2",
        ),
    ]


@pytest.mark.parametrize(
    ("gone", "problem", "fix"),
    [
        (["cmake"], "cmake is missing", "`pip install 'cmake<4'`"),
        (["ninja"], "ninja is missing", "`sudo apt install ninja-build`"),
        (["west"], "west is missing", "activate the environment of docs/zephyr.md"),
        (["nrfutil", "JLinkExe"], "no tool to write a board", "install nrfutil (https://"),
    ],
)
def test_a_missing_tool(well: Desk, gone: list[str], problem: str, fix: str) -> None:
    for name in gone:
        (well.folder / "bin" / name).unlink()
    severity, said, does = only(found(well))
    assert (severity, said) == (Severity.WARNING, f"to write firmware: {problem}")
    assert does.startswith(fix)


def test_a_fault_that_a_board_reports(well: Desk) -> None:
    well.records.clear()
    fault = Error(code=ErrorCode.WATCHDOG, detail=1 << 16 | 12, text=b"a part of the board is not watched")
    well.add(kit(), greeting(hello(), fault))
    severity, said, does = only(found(well))
    assert (severity, said) == (
        Severity.ERROR,
        "/dev/ttyACM0: a part of the board is not watched (error 10, number 12, 1 times)",
    )
    assert does.startswith("`python -m host.boards reset`")


@pytest.mark.parametrize(
    ("record", "advice"),
    [
        (kit(), "otherwise `make flash ERASE=1` erases"),
        (dongle(), "otherwise `python -m host.boards reset`: when it starts,"),
    ],
)
def test_advice_about_settings_fits_the_board(well: Desk, record: Record, advice: str) -> None:
    well.records.clear()
    fault = Error(code=ErrorCode.SETTINGS, detail=1 << 16 | 5, text=b"settings cannot be stored")
    well.add(record, greeting(hello(), fault))
    assert advice in only(found(well))[2]


def test_a_cmake_that_is_too_old_for_this_zephyr(well: Desk) -> None:
    well.cmake_needed("3.28.0")
    well.tool("cmake", prints="cmake version 3.25.1")
    severity, said, does = only(found(well))
    assert severity == Severity.WARNING
    assert said == "to write firmware: cmake 3.25.1 is too old, this Zephyr needs 3.28.0"
    assert does.startswith("`pip install 'cmake>=3.28.0,<4'`")


def test_a_missing_zephyr_and_a_missing_command_of_nrfutil(well: Desk) -> None:
    well.records.clear()
    well.add(dongle(), greeting(hello()))
    well.tool("nrfutil", prints="nrfutil 7.13.0")
    del well.environment["ZEPHYR_BASE"]
    assert [(one.problem, one.fix) for one in found(well)] == [
        ("to write firmware: nrfutil lacks a command", "`nrfutil install nrf5sdk-tools`"),
        (
            "to write firmware: ZEPHYR_BASE is not set",
            "docs/zephyr.md says how to get Zephyr, then `export ZEPHYR_BASE=…` with its folder",
        ),
    ]


def test_a_zephyr_that_is_not_where_it_should_be(well: Desk) -> None:
    well.environment["ZEPHYR_BASE"] = "/nowhere"
    assert only(found(well)) == (
        Severity.WARNING,
        "to write firmware: ZEPHYR_BASE=/nowhere is not a Zephyr (it has no file VERSION)",
        "`export ZEPHYR_BASE=…` with the folder zephyr that `west update` made (docs/zephyr.md)",
    )


def test_a_dongle_without_nrfutil(well: Desk) -> None:
    well.records.clear()
    well.add(dongle(), greeting(hello()))
    (well.folder / "bin" / "nrfutil").unlink()
    severity, problem, fix = only(found(well))
    assert (severity, problem) == (Severity.WARNING, "to write firmware: nrfutil is missing")
    assert fix.endswith("then `nrfutil install nrf5sdk-tools`")


def test_modem_manager_until_the_rules_are_installed(well: Desk) -> None:
    well.tool("systemctl", prints="active")
    assert only(found(well)) == (
        Severity.WARNING,
        "ModemManager probes every new serial port for some seconds, also those of boards",
        RULES,
    )
    well.rules.mkdir()
    (well.rules / "70-pnc-link.rules").touch()
    assert found(well) == []


def test_bluez_that_is_missing_old_without_adapter_or_down(well: Desk) -> None:
    well.tool("bluetoothctl", prints="bluetoothctl: 5.55 Powered: yes")
    assert only(found(well))[1] == "for recv --ble: BlueZ 5.55 does not report the MTU; 5.62 is needed"
    well.tool("bluetoothctl", prints="bluetoothctl: 5.66 Powered: no")
    assert only(found(well))[1:] == (
        "for recv --ble: the Bluetooth adapter is down",
        "sudo systemctl start bluetooth && bluetoothctl power on",
    )
    (well.sysfs / "class" / "bluetooth" / "hci0").rmdir()
    assert only(found(well))[1] == "for recv --ble: this computer has no Bluetooth adapter"
    (well.folder / "bin" / "bluetoothctl").unlink()
    assert only(found(well))[1:] == ("for recv --ble: BlueZ is missing", "sudo apt install bluez")
    assert found(well, platform="darwin") == []


def test_bluetooth_that_a_switch_or_a_command_keeps_off(well: Desk) -> None:
    def switch(number: int, kind: str, *, hard: int = 0, soft: int = 0) -> None:
        folder = well.sysfs / "class" / "rfkill" / f"rfkill{number}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in (("type", kind), ("hard", hard), ("soft", soft)):
            (folder / name).write_text(f"{value}\n")

    by_hardware = (
        "for recv --ble: Bluetooth is switched off by the computer's hardware",
        "turn it on with the computer's radio switch or key, or in its firmware setup; no command can",
    )
    by_command = ("for recv --ble: Bluetooth is blocked", "rfkill unblock bluetooth")
    switch(0, "wlan", hard=1, soft=1)
    switch(1, "bluetooth", soft=1)
    assert found(well) == [], "another adapter serves"
    well.tool("bluetoothctl", prints="bluetoothctl: 5.66 Powered: no")
    assert only(found(well))[1:] == by_command
    switch(1, "bluetooth", hard=1)
    assert only(found(well))[1:] == by_hardware
    switch(1, "bluetooth", hard=1, soft=1)
    assert [(one.problem, one.fix) for one in found(well)] == [by_hardware, by_command]
    (well.sysfs / "class" / "bluetooth" / "hci0").rmdir()
    assert [one.problem for one in found(well)] == [by_hardware[0], by_command[0]], "the switch took the adapter away"
    switch(1, "bluetooth")
    assert "no Bluetooth adapter" in only(found(well))[1]


def test_bleak_that_is_missing(well: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    assert only(found(well)) == (
        Severity.WARNING,
        "for recv --ble: the package bleak is missing",
        "pip install 'pnc-link[ble]'",
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [("camera = \n", "Invalid value (at line 1, column 10)"), ("camera = 1.5\n", "camera must be a USB serial number")],
)
def test_a_broken_boards_toml_is_one_diagnostic_among_the_others(
    well: Desk, content: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = well.folder / "project" / "boards.toml"
    path.write_text(content)
    well.add(bootloader())
    assert asyncio.run(boards.boards(boards.parser().parse_args(["doctor"]), well.system("win32"))) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"! {path}: {problem}")
    assert lines[1].startswith("    correct boards.toml, or remove it; a line of it: ")
    assert any("a dongle in its bootloader, without firmware" in line for line in lines[2:])


def test_the_command_prints_diagnostics_and_fails_only_for_errors(
    well: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = boards.parser().parse_args(["doctor"])
    well.records.clear()
    assert asyncio.run(boards.boards(arguments, well.system("win32"))) == 0
    assert capsys.readouterr().out.startswith("- no board is attached\n    plug one in")
    well.add(kit())
    assert asyncio.run(boards.boards(arguments, well.system("win32"))) == 1
    out = capsys.readouterr().out
    assert out.startswith("! /dev/ttyACM0: nothing on it speaks this protocol")
    assert "    make flash BOARD=nrf52840dk SNR=683123456\n" in out
