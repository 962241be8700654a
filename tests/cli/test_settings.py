"""The settings file: what it gives, what wins over it, and how it says that something of it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from host import recv, send
from host.cli.command import USAGE, CommandError
from host.cli.settings import FILE, KEYS, _options, parse


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str) -> None:
    Path(FILE).write_text(text, encoding="utf-8")


def test_without_a_file_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(send.parser(), "send", ["a.jpg"]).deadline == "300ms"
    assert capsys.readouterr().err == ""


def test_the_file_gives_what_the_command_line_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        'deadline = "500ms"\nport = "sim"\nmax-bytes = 2000\njson = true\n[send]\nport = "camera"\n[recv]\nworkers=2\n'
    )
    parsed = parse(send.parser(), "send", ["a.jpg", "--deadline=1s"])
    assert (parsed.deadline, parsed.port, parsed.max_bytes, parsed.json) == ("1s", "camera", 2000, True)
    assert capsys.readouterr().err == "send: pnc.toml gives json, max_bytes, port\n"
    served = parse(recv.parser(), "recv", [])
    assert (served.port, served.workers) == ("sim", 2)


def test_the_command_line_wins_also_with_the_value_that_is_the_default() -> None:
    write('port = "camera"\ndeadline = "1s"\n')
    parsed = parse(send.parser(), "send", ["a.jpg", "--port", "auto", "--deadline", "300ms"])
    assert (parsed.port, parsed.deadline) == ("auto", "300ms")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ([], "/dev/video2", "light", None)),
        (["a.jpg"], (["a.jpg"], None, "light", None)),
        (["--camera"], ([], "", "light", None)),
        (["--rate", "50kbps"], ([], "/dev/video2", None, "50kbps")),
    ],
)
def test_a_choice_on_the_command_line_excludes_the_others(
    words: list[str], expected: tuple[list[str], str | None, str | None, str | None]
) -> None:
    write('camera = "/dev/video2"\ntrace = "light"\n')
    parsed = parse(send.parser(), "send", words)
    assert (parsed.files, parsed.camera, parsed.trace, parsed.rate) == expected


def test_the_first_camera_and_several_bluetooth_cameras() -> None:
    write('[send]\ncamera = true\n[recv]\nble = ["one", "two"]\n')
    assert parse(send.parser(), "send", []).camera == ""
    assert parse(recv.parser(), "recv", []).ble == ["one", "two"]


def test_an_unknown_key_is_one_line_and_the_rest_counts(capsys: pytest.CaptureFixture[str]) -> None:
    write('dealine = "1s"\nport = "sim"\n[send]\nfavourite = "\u001b[31mred"\n'.replace("\x1b", "\\u001b"))
    assert parse(send.parser(), "send", ["a.jpg"]).port == "sim"
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "send: pnc.toml: dealine: no such setting, it is left out; is deadline meant?"
    assert second.startswith("send: pnc.toml: [send] favourite: no such setting, it is left out (known are ble, ")
    assert third == "send: pnc.toml gives port"


@pytest.mark.parametrize("key", ["exec", "post", "commands", "urls"])
def test_a_file_runs_no_program_and_sends_no_picture_away(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(f'{key} = "touch broken"\n[recv]\n{key} = ["touch broken"]\n')
    parsed = parse(recv.parser(), "recv", [])
    assert (parsed.commands, parsed.urls) == (None, None)
    assert capsys.readouterr().err.count("no such setting") == 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("port = ", "pnc.toml: not a TOML file (Invalid value"),
        ('crop = "left"', "pnc.toml: crop: 'left' is none of whole, centre, center"),
        ("max_bytes = 'many'", "pnc.toml: max_bytes: "),
        ("json = 1", "pnc.toml: json: write true or false"),
        ("port = [1]", "pnc.toml: port: write a text or a number"),
        ("port = true", "pnc.toml: port: write a text or a number"),
        ("send = 3", "pnc.toml: send: write a table, [send]"),
        ("resolution = '64'", "pnc.toml: resolution: '64' is not a size in pixels"),
        ("#" * 70_000, "pnc.toml: larger than 64 kB"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(text: str, error: str) -> None:
    write(text)
    with pytest.raises(CommandError) as raised:
        parse(send.parser(), "send", ["a.jpg"])
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)
    assert raised.value.status == USAGE


def test_every_key_is_an_option_of_a_command() -> None:
    known = set(_options(send.parser())) | set(_options(recv.parser()))
    assert KEYS - known <= {"key"}  # that of sealed pictures
