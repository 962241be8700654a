"""Numbers on a command line: what is none is refused in words, and no option takes one as Python does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import host
from host import demo, send, timeline
from host.cli.command import CommandParser
from host.cli.units import bits_per_second, milliseconds, seconds, whole

HOST = Path(host.__file__).parent


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("64", 64), ("007", 7), ("0" * 5000 + "9", 9)])
def test_a_whole_number(text: str, number: int) -> None:
    assert whole(1, 64)(text) == number


@pytest.mark.parametrize(
    "text", ["", "0", "65", "-1", "+1", "1.0", "1e1", " 1", "1_0", "0x1", "nan", "many", "\u0663", "9" * 5000, "1\n"]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number from 1 to 64"):
        whole(1, 64)(text)


def test_zero_may_be_a_whole_number() -> None:
    assert whole(0, 5)("0") == whole(0, 5)("000") == 0


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e999", "soon", "", "1s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert seconds("0.5") == 0.5
    with pytest.raises(ValueError, match="is not a number of seconds above 0"):
        seconds(text)


def test_a_number_with_a_unit_is_finite() -> None:
    for parse in (milliseconds, bits_per_second):
        with pytest.raises(ValueError, match="is not a"):
            parse("9" * 400)


@pytest.mark.parametrize(
    ("parser", "arguments", "complaint"),
    [
        (demo.parser, ["--seconds", "nan"], "'nan' is not a number of seconds above 0"),
        (demo.parser, ["--seconds=-1"], "'-1' is not a number of seconds above 0"),
        (send.parser, ["a.jpg", "--max-bytes", "9" * 30], "is not a whole number from 1"),
        (timeline.parser, ["a.jsonl", "--image", "65536"], "'65536' is not a whole number from 0 to 65535"),
    ],
)
def test_a_command_refuses_what_is_no_number(
    parser: Callable[[], CommandParser], arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(HOST.rglob("*.py")), ids=lambda path: str(path.relative_to(HOST)))
def test_no_option_takes_a_number_as_python_does(path: Path) -> None:
    bare = [
        node.value.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and node.arg == "type"
        and isinstance(node.value, ast.Name)
        and node.value.id in ("int", "float", "complex")
    ]
    assert not bare, f"{path}: lines {bare}: use argument() of cli/command.py with a parser of cli/units.py"
