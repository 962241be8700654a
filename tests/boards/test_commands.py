"""``python -m host.boards``: its commands, on boards with scripted answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from host.boards import __main__ as boards
from host.boards.exit_status import ExitStatus
from host.cli.command import CommandError
from host.cli.hints import FAULT_HINTS
from host.wire import (
    FIRST_FAULT,
    Configure,
    Control,
    Error,
    ErrorCode,
    Hello,
    Link,
    LinkState,
    Log,
    Pair,
    PairAction,
    Pairing,
    PairMethod,
    Phy,
    Reset,
    Role,
    Statistics,
    StatisticsRequest,
)
from tests.boards.desk import Desk, bootloader, dongle, greeting, hello, kit

UP = Link(state=LinkState.UP, phy=Phy.LE_2M, mtu=247, interval_us=7500)
ADDRESS = bytes.fromhex("665544332211")


def run(desk: Desk, *arguments: str) -> int:
    """Run one command; return its exit status."""
    return asyncio.run(boards.boards(boards.parser().parse_args(arguments), desk.system()))


def failure(desk: Desk, *arguments: str) -> tuple[ExitStatus, str]:
    """Run a command that fails; return its exit status and its line."""
    with pytest.raises(CommandError) as error:
        run(desk, *arguments)
    assert "\n" not in str(error.value)
    return ExitStatus(error.value.status), str(error.value)


def usage_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Parse wrong arguments; return the line that they end in."""
    with pytest.raises(SystemExit) as ended:
        boards.parser().parse_args(arguments)
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


class Board:
    """A board that keeps its role and bonds."""

    def __init__(self, role: Role = Role.CAMERA, *, bonds: int = 2, pairs: bool = True) -> None:
        self.role = role
        self.pairing = Pairing(address=ADDRESS, address_type=1, bonds=bonds)
        self.pairs = pairs
        self.resets = 0

    def __call__(self, packet: Control) -> Sequence[Control]:
        match packet:
            case Hello():
                return [hello(self.role), UP]
            case Configure():
                self.role = Role(packet.role)
                return [hello(self.role)]
            case Pair(action=PairAction.OPEN):
                window = self._state(open=1, left_s=1, method=packet.method, random=b"r" * 16, confirm=b"c" * 16)
                return [window, self._state(paired=1, bonds=3)] if self.pairs else [window, self._state()]
            case Pair(action=PairAction.FORGET):
                self.pairing = self._state(bonds=0)
                return [self.pairing]
            case Pair():
                return [self.pairing]
            case StatisticsRequest():
                return [
                    Statistics(
                        uptime_ms=61_000, accepted=7, sent=5, waiting=2, links=1, link=LinkState.UP, phy=Phy.LE_2M,
                        rssi_dbm=-61, mtu=247, interval_us=7500, goodput_bps=1_264_000, peer=packet.peer,
                    )
                ]  # fmt: skip
            case Reset():
                self.resets += 1
        return []

    def _state(self, **changed: object) -> Pairing:
        return replace(self.pairing, **changed)  # type: ignore[arg-type]


def test_the_list_has_every_board_with_its_answer(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.folder / "project" / "boards.toml").write_text('roof = "683123456"\n')
    desk.add(kit(), Board(Role.CAMERA))
    desk.add(kit("683999999", "/dev/ttyACM1"), greeting(hello(Role.EDGE)))
    desk.add(kit("683000001", "/dev/ttyACM2"), greeting(hello(version=9)))
    desk.add(kit("683000002", "/dev/ttyACM3"))
    desk.add(dongle(), missing="in use by another program; close that one first")
    desk.add(bootloader())
    assert run(desk, "list") == 0
    lines = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["port", "serial", "name", "kind", "firmware", "role", "link"]
    assert lines[1:] == [
        ["/dev/ttyACM0", "683123456", "roof", "development kit", "0.1.0", "camera", "up 2M 7.5 ms MTU 247"],
        ["/dev/ttyACM1", "683999999", "-", "development kit", "0.1.0", "edge", "not connected"],
        [
            *("/dev/ttyACM2", "683000001", "-", "development kit", "0.1.0", "-"),
            "speaks protocol 9, this program 2: `make flash`",
        ],
        ["/dev/ttyACM3", "683000002", "-", "development kit", "-", "-", "no answer"],
        [
            *("/dev/ttyACM5", "E1D2C3B4A5968778", "-", "own USB", "-", "-"),
            "in use by another program; close that one first",
        ],
        ["/dev/ttyACM6", "E1D2C3B4A596", "-", "bootloader", "-", "-", "in its bootloader"],
    ]


def test_of_a_kits_two_ports_the_one_that_answers_is_listed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.add(kit())
    second = kit(port="/dev/ttyACM1")
    second.location = "1-2:1.2"
    desk.add(second, Board())
    assert run(desk, "list") == 0
    [_, line] = capsys.readouterr().out.splitlines()
    assert line.startswith("/dev/ttyACM1  683123456")


@pytest.mark.parametrize("command", ["list", "info", "reset", "forget", "monitor", "pair"])
def test_without_a_board_a_command_says_so(desk: Desk, command: str) -> None:
    status, text = failure(desk, command)
    assert status == ExitStatus.NO_BOARD
    assert text.startswith("no board is attached: plug one in")


@pytest.mark.parametrize("which", ["/dev/ttyACM1", "683999999", "000683999999", "edge", "attic"])
def test_a_board_is_chosen_by_port_serial_role_or_name(
    desk: Desk, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.add(kit(), Board(Role.CAMERA))
    desk.add(kit("683999999", "/dev/ttyACM1"), Board(Role.EDGE))
    if which == "attic":
        (desk.folder / "project" / "boards.toml").write_text("attic = 683999999\n")
    assert run(desk, "info", "--board", which) == 0
    said = capsys.readouterr().out
    assert "port        /dev/ttyACM1" in said
    assert "role        edge" in said


def test_info_prints_everything(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.add(kit(), Board())
    assert run(desk, "info") == 0
    assert capsys.readouterr().out.splitlines() == [
        "port        /dev/ttyACM0",
        "name        board",
        "board       0000000000001234",
        "address     11:22:33:44:55:66 (random)",
        "firmware    0.1.0, protocol 2",
        "role        camera",
        "started     61 s ago (power)",
        "can         -; 64 packets queued, 4 in the radio",
        "pairing     closed, knows 2",
        "connection  up 2M 7.5 ms MTU 247",
    ]


def test_info_shows_what_a_board_says_about_its_last_reset(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    note = Log(level=2, text=b"watchdog: thread sender hung\x1b[2J")
    desk.add(kit(), lambda packet: [*Board()(packet), *([note] if isinstance(packet, Hello) else [])])
    assert run(desk, "info") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "last reset  watchdog: thread sender hung\\x1b[2J"


def test_what_a_board_says_of_itself_is_shown_and_obeyed_by_no_terminal(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    evil, shown = "\x1b[2J\nrole  edge\u202e\xff", "\\x1b[2J\\nrole  edge\\u202e\xff"
    (desk.folder / "project" / "boards.toml").write_text('"attic\\u001b[2J\\n" = "683123456"\n')
    desk.add(
        kit(),
        lambda packet: [
            replace(each, name=evil.encode()) if isinstance(each, Hello) else each for each in Board()(packet)
        ],
    )
    desk.add(kit(f"683999999{evil}", "/dev/ttyACM1"), Board(Role.EDGE))
    assert run(desk, "info", "--board", "/dev/ttyACM0") == 0
    assert run(desk, "list") == 0
    assert run(desk, "monitor", "--count", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert f"name        {shown}" in lines
    assert any(line.startswith(f"/dev/ttyACM1  683999999{shown}") for line in lines)
    assert any(line.startswith("attic\\x1b[2J\\n ") for line in lines)
    _, text = failure(desk, "reset", "--board", evil)
    assert text.startswith(f"{shown}: no such board")


def test_of_several_boards_none_is_guessed_and_an_unknown_one_is_an_error(desk: Desk) -> None:
    desk.add(kit(), Board())
    desk.add(kit("683999999", "/dev/ttyACM1"), Board())
    for arguments in (["reset"], ["reset", "--board", "camera"]):
        status, text = failure(desk, *arguments)
        assert status == ExitStatus.SEVERAL_BOARDS
        assert text == (
            "several boards are attached: /dev/ttyACM0 (serial 683123456, camera), /dev/ttyACM1 (serial 683999999, "
            "camera): choose one with --board"
        )
    status, text = failure(desk, "reset", "--board", "attic")
    assert status == ExitStatus.NO_BOARD
    assert text.startswith("attic: no such board; attached: /dev/ttyACM0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("camera = [", "Invalid value"),
        ("camera = true", 'camera must be a USB serial number: camera = "683123456"'),
        ('camera = ""', "camera must be a USB serial number"),
        ("camera = 0", "camera must be a USB serial number"),
        ('[boards]\ncamera = "1"', "boards must be a USB serial number"),
    ],
)
def test_a_boards_toml_that_makes_no_sense_is_an_error_that_names_it(desk: Desk, content: str, said: str) -> None:
    (desk.folder / "project" / "boards.toml").write_text(content)
    desk.add(kit(), Board())
    status, text = failure(desk, "list")
    assert status == ExitStatus.FAILED
    assert "boards.toml: " in text
    assert said in text


def test_a_board_gets_its_role(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    port = desk.add(kit(), Board(Role.NONE))
    assert run(desk, "role", "edge") == 0
    assert "role edge; its pairing window is open" in capsys.readouterr().err
    [asked] = [packet for packet in port.heard if isinstance(packet, Configure)]
    assert asked == Configure(role=Role.EDGE, tx_power_dbm=127)
    assert run(desk, "role", "edge") == 0
    assert "it already has this role" in capsys.readouterr().err


def test_a_board_gets_another_phy_and_keeps_its_role(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    port = desk.add(kit(), Board(Role.CAMERA))
    assert run(desk, "role", "camera", "--phy", "auto") == 0
    assert capsys.readouterr().err.endswith(": role camera, PHY auto\n")
    [asked] = [packet for packet in port.heard if isinstance(packet, Configure)]
    assert asked == Configure(role=Role.CAMERA, phy=Phy.AUTO, tx_power_dbm=127)


def test_a_role_that_is_refused_is_an_error_with_the_boards_reason(desk: Desk) -> None:
    def answer(packet: Control) -> Sequence[Control]:
        refused = Error(code=ErrorCode.CONFIGURE, detail=255, text=b"no such radio")
        return [hello(Role.NONE)] if isinstance(packet, Hello) else [refused]

    desk.add(kit(), answer)
    assert failure(desk, "role", "edge") == (ExitStatus.FAILED, "/dev/ttyACM0: no such radio")


def test_a_board_that_stops_answering_is_an_error(desk: Desk) -> None:
    desk.add(kit(), greeting(hello()))
    assert failure(desk, "info") == (
        ExitStatus.FAILED,
        "/dev/ttyACM0: the board stopped answering: check its cable and its power, or press its reset button",
    )


def test_the_page_names_every_option_of_flash(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "boards.md").read_text(encoding="utf-8")
    scripts = page[page.index("Scripts should therefore call") : page.index("## `python -m host.boards`")]
    with pytest.raises(SystemExit):
        boards.parser().parse_args(["flash", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert set(re.findall(r"--[a-z-]+", scripts)) == options


SETTINGS_FAULT = Error(code=ErrorCode.SETTINGS, detail=3 << 16 | 5, text=b"settings cannot be stored")


def test_a_fault_of_the_board_is_no_answer_and_is_shown_with_what_to_do(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Board()
    desk.add(kit(), lambda packet: [*board(packet)[:1], SETTINGS_FAULT, *board(packet)[1:]])
    assert run(desk, "info") == ExitStatus.OK
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fault"))
    assert line.startswith(
        "fault       settings cannot be stored (error 9, number 5, 3 times): if the board was erased"
    )
    assert "otherwise `make flash ERASE=1` erases" in line


def test_advice_about_settings_fits_a_dongle_which_make_flash_does_not_erase(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Board()
    desk.add(dongle(), lambda packet: [*board(packet)[:1], SETTINGS_FAULT, *board(packet)[1:]])
    assert run(desk, "info") == ExitStatus.OK
    said = capsys.readouterr().out
    assert "`python -m host.boards forget` removes its bonds" in said
    assert "`make flash ERASE=1`" not in said


def test_every_fault_has_advice() -> None:
    assert set(FAULT_HINTS) == {code for code in ErrorCode if code >= FIRST_FAULT}


def test_a_pairing_that_fails_for_lack_of_room_says_so(desk: Desk) -> None:
    full = Error(code=ErrorCode.BONDS_FULL, detail=1 << 16 | 8, text=b"no room for another bond")

    def answer(packet: Control) -> Sequence[Control]:
        if not isinstance(packet, Pair):
            return [hello()] if isinstance(packet, Hello) else []
        return [Pairing(open=1, left_s=2, bonds=8), full, Pairing(open=0, bonds=8, failed=1)]

    desk.add(kit(), answer)
    status, text = failure(desk, "pair", "--board", "/dev/ttyACM0")
    assert status == ExitStatus.FAILED
    assert "no room for another bond" in text
    assert "`python -m host.boards forget`" in text


def test_a_board_of_another_protocol_is_an_error_that_says_what_to_flash(desk: Desk) -> None:
    desk.add(kit(), greeting(hello(version=9)))
    status, text = failure(desk, "info")
    assert status == ExitStatus.WRONG_FIRMWARE
    assert text == (
        "/dev/ttyACM0: firmware 0.1.0 speaks protocol 9, this program 2: write the firmware of this release with "
        "`make flash`; if that was just done, this program is of another release: install that of the firmware"
    )


def test_a_silent_board_is_an_error(desk: Desk) -> None:
    desk.add(kit())
    assert failure(desk, "info") == (
        ExitStatus.NO_BOARD,
        "/dev/ttyACM0: no answer: see `python -m host.boards doctor`",
    )


def test_a_reset_board_is_greeted_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    board = Board()
    desk.add(kit(), board)
    assert run(desk, "reset") == 0
    assert board.resets == 1
    assert "restarted, firmware 0.1.0" in capsys.readouterr().err


@pytest.mark.parametrize("returns", [True, False])
def test_a_board_whose_port_vanishes_with_a_reset_is_waited_for(
    desk: Desk, returns: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "RESET_S", 0.5)

    def answer(packet: Control) -> Sequence[Control]:
        if isinstance(packet, Reset):
            port.missing = "" if returns else "no such port"
            port.vanish()
        return [hello()] if isinstance(packet, Hello) else []

    port = desk.add(dongle(), answer)
    if returns:
        assert run(desk, "reset") == 0
        assert port.opened == 3  # listed, reset, and again
        assert "/dev/ttyACM5: restarted" in capsys.readouterr().err
    else:
        assert failure(desk, "reset") == (
            ExitStatus.FAILED,
            "/dev/ttyACM5: no such port: it did not come back: unplug it, plug it in again",
        )


def test_a_board_forgets_its_bonds(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.add(kit(), Board(bonds=2))
    assert run(desk, "forget") == 0
    assert "forgot 2" in capsys.readouterr().err
    assert run(desk, "forget") == 0
    assert "it was not paired" in capsys.readouterr().err


def test_one_board_is_opened_until_another_has_paired(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    port = desk.add(kit(), Board())
    assert run(desk, "pair", "--board", "camera", "--window", "30") == 0
    [asked] = [packet for packet in port.heard if isinstance(packet, Pair)]
    assert (asked.action, asked.method, asked.window_s) == (PairAction.OPEN, PairMethod.JUST_WORKS, 30)
    assert capsys.readouterr().err.splitlines()[-1] == "boards: /dev/ttyACM0: paired"


def test_two_boards_pair_out_of_band_with_the_first_ones_secret(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.add(kit(), Board(Role.CAMERA))
    edge = desk.add(kit("683999999", "/dev/ttyACM1"), Board(Role.EDGE))
    assert run(desk, "pair") == 0
    opened, closed = [packet for packet in edge.heard if isinstance(packet, Pair)]
    assert (opened.method, opened.address, opened.address_type) == (PairMethod.OUT_OF_BAND, ADDRESS, 1)
    assert (opened.random, opened.confirm) == (b"r" * 16, b"c" * 16)
    assert closed.action == PairAction.CLOSE
    said = capsys.readouterr().err
    assert "boards: paired" in said
    assert "11:22:33:44:55:66" in said
    assert (b"r" * 16).decode() not in said


def test_a_window_that_closes_without_a_board_is_an_error(desk: Desk) -> None:
    desk.add(kit(), Board(pairs=False))
    status, text = failure(desk, "pair", "--board", "camera")
    assert status == ExitStatus.FAILED
    assert "no board paired: is the other board powered, near and of the other role?" in text


@pytest.mark.parametrize("window", ["0", "-5", "65536"])
@pytest.mark.parametrize("which", [[], ["--board", "camera"]])
def test_a_pairing_window_that_no_board_can_have_is_wrong_usage(
    which: list[str], window: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = usage_error(capsys, "pair", *which, "--window", window)
    assert f"argument --window: '{window}' is not a number of seconds from 1 to 65535" in line


def test_two_boards_of_one_role_cannot_be_paired(desk: Desk) -> None:
    desk.add(kit(), Board())
    assert failure(desk, "pair")[0] == ExitStatus.NO_BOARD
    desk.add(kit("683999999", "/dev/ttyACM1"), Board())
    status, text = failure(desk, "pair")
    assert status == ExitStatus.SEVERAL_BOARDS
    assert "attached are 2 of role camera, 0 of role edge: `boards role` gives a board its role" in text


def test_the_monitor_prints_a_table_of_every_connection(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.add(kit(), Board())
    desk.add(kit("683999999", "/dev/ttyACM1"))  # does not answer: left out
    assert run(desk, "monitor", "--count", "2", "--interval", "0.01") == 0
    lines = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 4
    table = dict(zip(lines[0], lines[3], strict=True))
    assert table["board"] == "camera"
    assert (table["queue"], table["kbit/s"], table["accepted"], table["sent"]) == ("2", "1264", "7", "5")
    assert (table["link"], table["phy"], table["interval"], table["mtu"], table["rssi"]) == (
        *("up", "2M", "7.5 ms", "247", "-61 dBm"),
    )


def test_the_monitor_refuses_a_board_of_another_version_as_the_other_commands_do(desk: Desk) -> None:
    desk.add(kit(), greeting(replace(hello(version=9), role=9)))
    status, text = failure(desk, "monitor", "--board", "/dev/ttyACM0")
    assert status == failure(desk, "info")[0]
    assert text == failure(desk, "info")[1]
    assert "speaks protocol 9, this program" in text


def test_the_monitor_without_a_board_that_answers_is_an_error(desk: Desk) -> None:
    desk.add(kit())
    desk.add(kit("2", "/dev/ttyACM1"), greeting(hello(version=9)))  # answers, but cannot be asked
    status, text = failure(desk, "monitor")
    assert status == ExitStatus.NO_BOARD
    assert text == "no board answered: see `python -m host.boards list`"


@pytest.mark.parametrize("arguments", [[], ["dance"], ["role", "king"], ["flash", "--role", "king"]])
def test_wrong_usage_ends_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(capsys, *arguments)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--interval", value) for value in ("-1", "0", "nan", "inf", "soon")),
        *(("--count", value) for value in ("-1", "1.5", "many")),
    ],
)
def test_the_monitor_takes_no_interval_or_count_that_makes_no_sense(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"boards monitor: argument {option}: '{value}' is not a" in usage_error(capsys, "monitor", option, value)
