"""``make flash``: the commands it runs, the board it chooses, and each way it can fail."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.flash import flash
from host.boards.targets import TARGETS, target
from host.cli.command import USAGE, CommandError
from host.cli.hints import HINTS
from host.errors import Reason
from host.wire import Hello, Role
from tests.boards.desk import PYOCD, Desk, dongle, greeting, hello, kit
from tests.boards.flashing import BUILD_KIT, DONGLE, KIT, WEST, failure, ready, run, without_versions

__all__ = ["ready"]  # a fixture


def test_the_only_kit_is_built_written_and_heard_from(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    said = run(ready, KIT)
    assert without_versions(ready.log) == [*BUILD_KIT, WEST.format("nrfutil", "683123456")]
    assert [line for line in said if line.startswith("$ ")] == [f"$ {line}" for line in without_versions(ready.log)]
    assert said[-1] == "/dev/ttyACM0: firmware 0.1.0, protocol 2, answers"


@pytest.mark.parametrize(
    ("options", "passed"),
    [
        (("--skip-rebuild",), "--skip-rebuild"),  # up to 4.2
        (("--skip-rebuild", "--rebuild"), "--no-rebuild"),  # the first is deprecated
        (("--rebuild",), "--no-rebuild"),
    ],
)
def test_west_gets_the_option_that_its_zephyr_has(ready: Desk, options: tuple[str, ...], passed: str) -> None:
    ready.west_flash(*options)
    ready.add(kit(), greeting(hello()))
    run(ready, KIT)
    assert ready.log[-1] == WEST.format("nrfutil", "683123456").replace("--skip-rebuild", passed)


def test_the_chip_is_erased_only_if_that_was_asked_for(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    run(ready, replace(KIT, erase=True))
    assert ready.log[-1] == f"{WEST.format('nrfutil', '683123456')} --erase"
    ready.add(dongle())
    with pytest.raises(CommandError, match=r"^ERASE=1: a dongle's bootloader does not erase settings") as error:
        run(ready, replace(DONGLE, erase=True))
    assert error.value.status == USAGE


@pytest.mark.parametrize("version", ["3.25.1", "3.27.9", "3.4"])
def test_a_cmake_that_is_too_old_is_named_before_anything_is_built(ready: Desk, version: str) -> None:
    ready.cmake_needed("3.28.0")
    ready.tool("cmake", prints=f"cmake version {version}")
    ready.add(kit())
    assert failure(ready, KIT) == (
        ExitStatus.TOOL_MISSING,
        f"cmake {version} is too old, this Zephyr needs 3.28.0: `pip install 'cmake>=3.28.0,<4'` in the environment "
        "of west, which must come first on PATH",
    )
    assert ready.log == ["cmake --version"]


@pytest.mark.parametrize("printed", ["cmake version 3.28.0", "cmake version 4.0.1", "something else"])
def test_a_cmake_that_is_new_enough_or_unknown_builds(ready: Desk, printed: str) -> None:
    ready.cmake_needed("3.28.0")
    ready.tool("cmake", prints=printed)
    ready.add(kit(), greeting(hello()))
    run(ready, KIT)
    assert without_versions(ready.log)[1:3] == BUILD_KIT


def test_what_is_configured_is_only_built(ready: Desk) -> None:
    ready.configured("nrf52840dk_nrf52840", ready.environment["ZEPHYR_BASE"] + "/")
    ready.add(kit(), greeting(hello()))
    run(ready, KIT)
    assert without_versions(ready.log)[0] == BUILD_KIT[1]


def test_what_another_zephyr_configured_is_built_from_the_beginning(ready: Desk) -> None:
    ready.configured("nrf52840dk_nrf52840", "/elsewhere/zephyr")
    ready.add(kit(), greeting(hello()))
    run(ready, KIT)
    assert without_versions(ready.log)[:3] == ["cmake -E rm -rf build/firmware/nrf52840dk_nrf52840", *BUILD_KIT]


def test_before_zephyr_3_7_a_board_has_its_old_name(ready: Desk) -> None:
    ready.zephyr("3.6.0")
    ready.add(kit(), greeting(hello()))
    run(ready, KIT)
    assert without_versions(ready.log)[0].endswith("-DBOARD=nrf52840dk_nrf52840")


@pytest.mark.parametrize(("names", "runner"), [(("JLinkExe", "pyocd"), "jlink"), (("pyocd",), "pyocd")])
def test_the_first_runner_whose_tool_is_there_is_taken(desk: Desk, names: tuple[str, ...], runner: str) -> None:
    desk.tools("cmake", "ninja", "west", *names)
    desk.tool("pyocd", prints=PYOCD)
    desk.add(kit(), greeting(hello()))
    run(desk, KIT)
    assert desk.log[-1] == WEST.format(runner, "683123456")


def test_pyocd_is_not_taken_where_it_sees_no_kit(desk: Desk) -> None:
    """Zephyr's Python packages include pyocd, which waits for ever for a debugger that it cannot see."""
    desk.tools("cmake", "ninja", "west")
    desk.tool("pyocd", prints="No available debug probes are connected")
    desk.add(kit(), greeting(hello()))
    status, text = failure(desk, KIT)
    assert status == ExitStatus.TOOL_MISSING
    assert text.endswith(
        "and SEGGER's J-Link software (https://www.segger.com/downloads/jlink/), or the latter alone; pyocd is there, "
        "but sees no kit: to see one that is attached, it needs that software, too"
    )
    assert desk.log == ["pyocd list"]


@pytest.mark.parametrize("folder", ["nordic/nrf5340dk", "arm/nrf5340dk_nrf5340_cpuapp"])
def test_a_runner_that_zephyr_lacks_for_a_board_is_not_taken_for_it(ready: Desk, folder: str) -> None:
    options = replace(KIT, target=TARGETS["nrf5340dk"])
    ready.tool("pyocd", prints=PYOCD)
    ready.runners_of(folder, "nrfjprog", "jlink")
    ready.add(kit(), greeting(hello()))
    run(ready, options)
    assert " --runner jlink " in ready.log[-1]
    (ready.folder / "bin" / "JLinkExe").unlink()
    status, text = failure(ready, options)
    assert status == ExitStatus.TOOL_MISSING
    assert text.endswith("or the latter alone")


def test_nrfutil_is_not_taken_where_zephyr_has_no_runner_for_it_or_it_is_pythons(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    ready.tool("nrfutil", prints="nrfutil version 6.1.7")
    run(ready, KIT)
    assert ready.log[-1] == WEST.format("jlink", "683123456")


def test_nrfutil_is_not_taken_for_a_kit_without_its_command_for_devices(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    ready.tool("nrfutil", prints="nrfutil 7.13.0\nnrf5sdk-tools 1.1.0 for other devices")
    run(ready, KIT)
    assert ready.log[-1] == WEST.format("jlink", "683123456")


def test_a_board_without_a_serial_number_is_not_named_to_west(ready: Desk) -> None:
    ready.add(kit(""), greeting(hello()))
    run(ready, KIT)
    assert ready.log[-1] == WEST.format("nrfutil", "").removesuffix(" --dev-id ")


def test_a_dry_run_prints_the_commands_and_runs_none(ready: Desk) -> None:
    ready.add(kit())
    said = run(ready, replace(KIT, dry_run=True))
    assert [line for line in said if line.startswith("$ ")] == [
        f"$ {line}" for line in [*BUILD_KIT, WEST.format("nrfutil", "683123456")]
    ]
    assert without_versions(ready.log) == []


def test_of_several_boards_the_serial_number_chooses_with_or_without_leading_zeros(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    ready.add(kit("000683999999", "/dev/ttyACM1"), greeting(hello()))
    for serial in ("683999999", "000683999999"):
        run(ready, replace(KIT, serial=serial))
        assert ready.log[-1] == WEST.format("nrfutil", "683999999")


def test_of_several_boards_the_role_chooses(ready: Desk) -> None:
    ready.add(kit(), greeting(hello(Role.CAMERA)))
    ready.add(kit("683999999", "/dev/ttyACM1"), greeting(hello(Role.EDGE)))
    run(ready, replace(KIT, role="edge"))
    assert ready.log[-1] == WEST.format("nrfutil", "683999999")


def test_boards_toml_names_a_role_before_boards_are_asked(ready: Desk) -> None:
    (ready.folder / "project" / "boards.toml").write_text('camera = "000683999999"\n')
    ready.add(kit(), greeting(hello(Role.CAMERA)))
    ready.add(kit("683999999", "/dev/ttyACM1"), greeting(hello(Role.NONE)))
    run(ready, replace(KIT, role="camera"))
    assert ready.log[-1] == WEST.format("nrfutil", "683999999")


@pytest.mark.parametrize("role", [Role.EDGE, Role.NONE, None])
def test_the_only_board_is_taken_for_a_role_that_it_may_have(ready: Desk, role: Role | None) -> None:
    (ready.folder / "project" / "boards.toml").write_text('camera = "5"\n')
    ready.add(kit(), None if role is None else greeting(hello(role)))
    run(ready, replace(KIT, role="edge", dry_run=True))


def test_the_only_board_is_not_taken_for_a_role_that_another_board_has(ready: Desk) -> None:
    ready.add(kit(), greeting(hello(Role.CAMERA)))
    assert failure(ready, replace(KIT, role="edge")) == (
        ExitStatus.NO_BOARD,
        "the only board attached, at /dev/ttyACM0, has the role camera: leave ROLE out, or plug the other one in",
    )
    (ready.folder / "project" / "boards.toml").write_text('camera = "5"\n')
    status, text = failure(ready, replace(KIT, role="camera"))
    assert (status, text) == (
        ExitStatus.NO_BOARD,
        "boards.toml: camera is 5, and that board is not attached; attached: /dev/ttyACM0 (serial 683123456)",
    )
    assert not any("west" in line for line in ready.log)


def test_of_several_boards_none_is_guessed(ready: Desk) -> None:
    ready.add(kit(), greeting(hello(Role.NONE)))
    ready.add(kit("683999999", "/dev/ttyACM1"), greeting(hello(Role.NONE)))
    for options in (KIT, replace(KIT, role="camera")):
        status, text = failure(ready, options)
        assert status == ExitStatus.SEVERAL_BOARDS
        assert "/dev/ttyACM0 (serial 683123456), /dev/ttyACM1 (serial 683999999)" in text
        assert "choose one with SNR=… or ROLE=camera|edge" in text
    assert not any("west" in line for line in ready.log)


def test_a_board_that_is_missing_is_told_before_the_build(ready: Desk) -> None:
    assert failure(ready, KIT)[0] == ExitStatus.NO_BOARD
    assert failure(ready, DONGLE) == (
        ExitStatus.NO_BOARD,
        "no nrf52840dongle is attached: plug it in, and if it has other firmware press RESET on the dongle (the small "
        "button at its side; the red LED then fades)",
    )
    assert without_versions(ready.log) == []


def test_no_board_is_an_error_that_says_where_to_plug_it_in(ready: Desk) -> None:
    assert failure(ready, KIT) == (
        ExitStatus.NO_BOARD,
        "no nrf52840dk is attached: plug it in at its debugger's USB socket and switch it on",
    )
    ready.add(dongle())
    assert failure(ready, KIT)[1] == "no nrf52840dk is attached (but own USB at /dev/ttyACM5: another BOARD=?)"


def test_a_serial_number_that_is_not_there_is_an_error_that_lists_those_that_are(ready: Desk) -> None:
    ready.add(kit())
    status, text = failure(ready, replace(KIT, serial="5"))
    assert status == ExitStatus.NO_BOARD
    assert text == "serial 5: no such board; attached: /dev/ttyACM0 (serial 683123456)"


def test_a_board_of_boards_toml_that_is_not_attached_is_an_error(ready: Desk) -> None:
    (ready.folder / "project" / "boards.toml").write_text('camera = "5"\n')
    ready.add(kit())
    ready.add(kit("683999999", "/dev/ttyACM1"))
    status, text = failure(ready, replace(KIT, role="camera"))
    assert (status, text) == (
        ExitStatus.NO_BOARD,
        "boards.toml: camera is 5, and that board is not attached; attached: /dev/ttyACM0 (serial 683123456), "
        "/dev/ttyACM1 (serial 683999999)",
    )


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ((), "cmake is missing: `pip install 'cmake<4'`"),
        (("cmake",), "ninja is missing: `sudo apt install ninja-build`"),
        (("cmake", "ninja"), "west is missing: activate the environment of docs/zephyr.md, which has it (`. ../"),
        (("cmake", "ninja", "west"), "no tool to write a board: install nrfutil"),
    ],
)
def test_a_missing_tool_is_named_before_anything_is_built(desk: Desk, tools: tuple[str, ...], said: str) -> None:
    desk.add(kit())
    desk.tools(*tools)
    status, text = failure(desk, KIT)
    assert status == ExitStatus.TOOL_MISSING
    assert said in text
    assert desk.log == []


def test_a_missing_zephyr_is_an_error(ready: Desk) -> None:
    del ready.environment["ZEPHYR_BASE"]
    assert failure(ready, KIT)[0] == ExitStatus.TOOL_MISSING
    assert "ZEPHYR_BASE is not set: docs/zephyr.md says how to get Zephyr" in failure(ready, KIT)[1]
    ready.environment["ZEPHYR_BASE"] = "/nowhere"
    assert failure(ready, KIT) == (
        ExitStatus.TOOL_MISSING,
        "ZEPHYR_BASE=/nowhere is not a Zephyr (it has no file VERSION): `export ZEPHYR_BASE=…` with the folder "
        "zephyr that `west update` made (docs/zephyr.md)",
    )


@pytest.mark.parametrize(
    ("tool", "said"), [("ninja", "the build failed: `ninja -C"), ("west", "writing the board failed: `west")]
)
def test_a_tool_that_fails_ends_it_with_the_command_in_the_message(ready: Desk, tool: str, said: str) -> None:
    ready.add(kit(), greeting(hello()))
    ready.tool(tool, status=5)
    status, text = failure(ready, KIT)
    assert status == ExitStatus.FLASH_FAILED
    assert text.startswith(said)
    assert text.endswith("ended with status 5")


def test_a_tool_that_cannot_be_started_is_an_error(ready: Desk) -> None:
    ready.add(kit(), greeting(hello()))
    (ready.folder / "bin" / "west").write_text("#!/nowhere/python\n")
    assert failure(ready, KIT) == (
        ExitStatus.TOOL_MISSING,
        "writing the board failed: west cannot be run (No such file or directory): install it again",
    )


def test_an_unknown_board_is_an_error_that_lists_those_that_there_are() -> None:
    said = re.escape(
        "BOARD=uno: no such board; known are nrf52840dk, nrf52833dk, nrf52dk, nrf5340dk, nrf54l15dk, nrf52"
    )
    with pytest.raises(CommandError, match=said) as error:
        target("uno")
    assert error.value.status == USAGE
    assert target("nrf52840dk/nrf52840") is target("nrf52840dk_nrf52840") is TARGETS["nrf52840dk"]
    assert target("nrf5340dk/nrf5340/cpuapp") is target("nrf5340dk_nrf5340_cpuapp") is TARGETS["nrf5340dk"]


@pytest.mark.parametrize("other", [hello(version=9), hello(firmware=b"\x00\x00\x09")])
def test_another_firmware_than_was_written_is_an_error(ready: Desk, other: Hello) -> None:
    ready.add(kit(), greeting(other))
    status, text = failure(ready, KIT)
    assert status == ExitStatus.WRONG_FIRMWARE
    assert text.startswith("/dev/ttyACM0: wrong firmware answered: ")
    assert text.endswith("and 0.1.0 with protocol 2 was written: unplug it, plug it in again")
    ready.add(kit("2", "/dev/ttyACM7"), greeting(other))
    status, text = failure(ready, replace(KIT, serial="683123456"))
    assert text.endswith("was it another board? unplug the others and run this again")


@pytest.mark.parametrize("reason", [reason for reason in Reason if "make flash" in HINTS.get(reason, "")])
def test_advice_to_write_the_firmware_says_what_to_do_if_that_was_done(reason: Reason) -> None:
    done = ("if its firmware was written before", "if that was just done", "forget the old services")
    assert any(words in HINTS[reason] for words in done), HINTS[reason]


def test_no_hello_is_an_error(ready: Desk) -> None:
    ready.add(kit())
    status, text = failure(ready, KIT)
    assert status == ExitStatus.WRONG_FIRMWARE
    assert text == "written, but /dev/ttyACM0: no board answered: unplug it, plug it in again"


def test_a_board_that_does_not_come_back_is_an_error(ready: Desk) -> None:
    ready.add(kit())
    system = ready.system()
    attached = iter([ready.records] * 2)  # when it is chosen, and when it is written
    gone = replace(system, records=lambda: next(attached, []))
    with pytest.raises(
        CommandError, match="written, but the board did not come back: unplug it, plug it in again"
    ) as error:
        asyncio.run(flash(gone, KIT, lambda _line: None))
    assert error.value.status == ExitStatus.WRONG_FIRMWARE
