"""The port that ``send`` and ``recv`` use if boards.toml names boards."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

import pytest

from host.cli.board_choice import add_port_arguments, chosen_port
from host.cli.command import CommandError
from host.devices.choice import port_named
from host.devices.errors import BoardError
from tests.boards.desk import Desk, Scripted, kit, silent

NAMES = 'camera = "000683123456"\nroof = "7"\n'


def port(desk: Desk, *arguments: str, role: str = "camera") -> str | None:
    """Return the name of the chosen port."""
    parser = argparse.ArgumentParser()
    add_port_arguments(parser)
    system = replace(desk.system(), open_port=lambda name: Scripted(name, silent))
    chosen = chosen_port(parser.parse_args(arguments), role, system)
    return None if chosen is None else chosen.name


def name_boards(desk: Desk) -> None:
    (desk.folder / "project" / "boards.toml").write_text(NAMES)


@pytest.fixture
def two(desk: Desk) -> Desk:
    """A desk with two boards."""
    desk.add(kit())
    desk.add(kit("000683999999", "/dev/ttyACM1"))
    return desk


def test_a_named_board_is_taken_for_its_role_although_there_are_two(two: Desk) -> None:
    with pytest.raises(BoardError, match="several boards"):
        port(two)
    name_boards(two)
    assert port(two) == "/dev/ttyACM0"
    with pytest.raises(BoardError, match="several boards"):
        port(two, role="edge")
    del two.records[0]
    assert port(two, role="edge") == "/dev/ttyACM1"


def test_a_port_may_be_given_by_name(two: Desk) -> None:
    name_boards(two)
    assert port(two, "--port", "camera", role="edge") == "/dev/ttyACM0"
    assert port(two, "--port", "/dev/ttyACM1") == "/dev/ttyACM1"
    named = [asyncio.run(port_named(two.system(), text)) for text in ("camera", "/dev/ttyS0", "")]
    assert named == ["/dev/ttyACM0", "/dev/ttyS0", ""]
    with pytest.raises(BoardError, match=r"boards.toml: roof is 7, and that board is not attached; attached: /dev/tty"):
        port(two, "--port", "roof")
    two.records.clear()
    with pytest.raises(BoardError, match="attached: none"):
        port(two, "--port", "camera")


def test_a_name_that_no_board_has_is_an_error_that_says_where_to_write_it(two: Desk) -> None:
    with pytest.raises(CommandError) as error:
        port(two, "--port", "roof")
    assert str(error.value) == (
        f"roof is not a serial port, and {two.folder / 'project' / 'boards.toml'} has no such name: add the line "
        'roof = "SERIAL" (`python -m host.boards list` shows serial numbers)'
    )


def test_what_a_system_may_call_a_port_is_one(two: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(two.folder)
    names = ["/dev/ttyACM1", "COM3", "com12", "./tty"]
    assert [port(two, "--port", name) for name in names] == names
    (two.folder / "tty").touch()
    assert port(two, "--port", "tty") == "tty"


@pytest.mark.parametrize("wanted", ["/dev/ttyACM1", "camera", "auto"])
def test_only_the_air_of_virtual_boards_can_be_shaped(two: Desk, wanted: str) -> None:
    name_boards(two)
    with pytest.raises(CommandError, match=r"not that of /dev/ttyACM[01]$"):
        port(two, "--port", wanted, "--rate", "50kbps")
    assert port(two, "--port", "sim", "--rate", "50kbps") is None


def test_without_any_board_virtual_ones_are_taken_also_in_a_project_that_names_boards(desk: Desk) -> None:
    name_boards(desk)
    assert port(desk) is None
