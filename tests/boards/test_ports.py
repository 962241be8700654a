"""Which port ``send`` and ``recv`` take when boards.toml names boards."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from serial.tools import list_ports

from host.command import CommandError
from host.link.port import PortError
from host.ports import add_port_arguments, chosen_port, port_named
from tests.boards.desk import Record, kit

NAMES = 'camera = "000683123456"\nroof = "7"\n'


def port(*arguments: str, role: str = "camera") -> str | None:
    parser = argparse.ArgumentParser()
    add_port_arguments(parser)
    return chosen_port(parser.parse_args(arguments), role)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Record]:
    """Two boards, and a project's folder."""
    attached = [kit(), kit("000683999999", "/dev/ttyACM1")]
    monkeypatch.setattr(list_ports, "comports", lambda: attached)
    monkeypatch.chdir(tmp_path)
    return attached


def test_a_named_board_is_taken_for_its_role_although_there_are_two(records: list[Record], tmp_path: Path) -> None:
    assert len(records) == 2
    with pytest.raises(PortError, match="several boards"):
        port()
    (tmp_path / "boards.toml").write_text(NAMES)
    assert port() == "/dev/ttyACM0"
    with pytest.raises(PortError, match="several boards"):
        port(role="edge")


def test_a_port_may_be_given_by_name(records: list[Record], tmp_path: Path) -> None:
    (tmp_path / "boards.toml").write_text(NAMES)
    assert port("--port", "camera", role="edge") == "/dev/ttyACM0"
    assert port("--port", "/dev/ttyACM1") == "/dev/ttyACM1"
    assert [port_named(text) for text in ("camera", "/dev/ttyS0", "")] == ["/dev/ttyACM0", "/dev/ttyS0", ""]
    with pytest.raises(
        CommandError, match=r"boards.toml: roof is 7, and that board is not attached; attached: /dev/tty"
    ):
        port("--port", "roof")
    records.clear()
    with pytest.raises(CommandError, match="attached: none"):
        port("--port", "camera")


def test_a_name_that_no_board_has_is_an_error_that_says_where_to_write_it(
    records: list[Record], tmp_path: Path
) -> None:
    assert records
    with pytest.raises(CommandError) as error:
        port("--port", "roof")
    assert str(error.value) == (
        f'roof is no serial port, and {tmp_path / "boards.toml"} names no board so: write roof = "SERIAL" there '
        "(`python -m host.boards list` shows serial numbers)"
    )
    assert [port("--port", name) for name in ("/dev/ttyACM1", "COM3", "com12", "./tty")] == [
        *("/dev/ttyACM1", "COM3", "com12", "./tty"),
    ]
    (tmp_path / "tty").touch()
    assert port("--port", "tty") == "tty"


def test_without_any_board_virtual_ones_are_taken_also_in_a_project_that_names_boards(
    records: list[Record], tmp_path: Path
) -> None:
    (tmp_path / "boards.toml").write_text(NAMES)
    records.clear()
    assert port() is None
