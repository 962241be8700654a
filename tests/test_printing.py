"""Everything is printed in one place, which no text and no stream can trouble."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host import printing
from host.printing import OutputError, failure, note, separate_output, show

HOST = Path(printing.__file__).parent
EXAMPLES = HOST.parent / "docs" / "examples"
#: What the one place itself does.
ALLOWED = {"printing.py"}
#: Modules that print, and what of them prints nothing.
SILENT = {"logging": {"disable", "NOTSET", "WARNING", "lastResort", "Handler", "LogRecord"}, "warnings": set[str]()}
SILENT["warnings"] = {"catch_warnings", "simplefilter", "filterwarnings", "showwarning", "warn_explicit"}


def prints(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that print, or that could hand a standard stream to something that does."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="print" | "input"):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "__stdout__" | "__stderr__"):
                yield node.lineno
            case ast.ImportFrom(module="sys") if {each.name for each in node.names} & {"stdout", "stderr"}:
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="logging" | "warnings" as module), attr=used):
                if used not in SILENT[module]:
                    yield node.lineno
            case ast.ImportFrom(module="logging" | "warnings" as module):
                if {each.name for each in node.names} - SILENT[module]:
                    yield node.lineno
            case ast.Attribute(attr="print_exc" | "print_exception" | "print_stack" | "pprint"):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="tqdm" | "bar"), attr="write")):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="write"), args=[ast.Constant(), *_]):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="sys"), attr="stderr"):
                if not _is_compared(node, tree):
                    yield node.lineno


def _is_compared(node: ast.Attribute, tree: ast.Module) -> bool:
    return any(node in each.comparators for each in ast.walk(tree) if isinstance(each, ast.Compare))


@pytest.mark.parametrize("path", sorted(HOST.rglob("*.py")), ids=lambda path: str(path.relative_to(HOST)))
def test_nothing_is_printed_but_in_one_place(path: Path) -> None:
    if path.name in ALLOWED:
        return
    lines = sorted(prints(ast.parse(path.read_text(encoding="utf-8"))))
    assert not lines, f"{path}: lines {lines} print: use show or note of host/printing.py"


@pytest.mark.parametrize(
    "code",
    [
        "print(label)",
        "print(label, file=sys.stderr)",
        "say = print",
        "sys.stdout.write(label)",
        "sys.stderr.write(label)",
        "from sys import stdout",
        "tqdm.write(label)",
        "bar.write(label, file=sys.stdout)",
        "logging.warning(label)",
        "log = logging.getLogger()",
        "from logging import getLogger",
        "warnings.warn(label)",
        "traceback.print_exc()",
        "os.write(1, label)",
        "helper(sys.stdout)",
    ],
)
def test_whatever_prints_is_found(code: str) -> None:
    assert list(prints(ast.parse(code)))


def prints_raw(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of an example that may print a text as it is.

    It may print ``printable(...)``, constants, and f-strings of those and of numbers: a length, a sum, or what is
    formatted in a way that only numbers have.
    """
    may = {id(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call) and _prints_printable(each)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="print") | ast.Attribute(value=ast.Name(id="sys"), attr="exit" | "stdout" | "stderr"):
                if id(node) not in may:
                    yield node.lineno
            case ast.Attribute(attr="print_exc" | "print_exception" | "print_stack" | "pprint"):
                yield node.lineno


def _prints_printable(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id="print") | ast.Attribute(value=ast.Name(id="sys"), attr="exit"):
            return all(map(_is_printable, call.args)) and {each.arg for each in call.keywords} <= {"flush"}
    return False


def _is_printable(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="printable" | "len" | "sum") | ast.Attribute(attr="printable")):
            return True
        case ast.JoinedStr():
            return all(map(_is_printable, value.values))
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(how))])):
            return how[-1] in "defg%" or _is_printable(value.value)
        case ast.FormattedValue():
            return _is_printable(value.value)
    return False


def programs_of(path: Path) -> list[str]:
    """Return the program of an example, or the cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return [text]
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.rglob("*.py"), *EXAMPLES.rglob("*.ipynb")]), ids=lambda path: path.name
)
def test_examples_print_no_text_from_elsewhere_as_it_is(path: Path) -> None:
    for program in programs_of(path):
        lines = [program.splitlines()[number - 1].strip() for number in prints_raw(ast.parse(program))]
        assert not lines, f"{path.name} prints what may not be printable: {lines}"


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.mjs")), ids=lambda path: path.name)
def test_examples_in_javascript_print_no_text_from_elsewhere_as_it_is(path: Path) -> None:
    raw = re.findall(r"(?:console\.\w+|process\.std\w+)(?!\w|\(printable\().*", path.read_text(encoding="utf-8"))
    assert not raw, f"{path.name} prints what may not be printable: {raw}"


@pytest.mark.parametrize(
    "code",
    [
        "print(label)",
        "print('class', label)",
        "print(f'{share:.0%} {label}')",
        "print(f'{label:5}')",
        "print(str(error))",
        "print(1, end=label)",
        "print(1, file=sys.stderr)",
        "serve(on_notice=print)",
        "sys.exit(f'{error}')",
        "sys.stdout.write(label)",
    ],
)
def test_whatever_an_example_prints_as_it_is_is_found(code: str) -> None:
    assert list(prints_raw(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "print()",
        "print(pnc_link.printable(label), flush=True)",
        "print(f'{share:6.1%} {count:,d} {len(rows)} {printable(label)}')",
        "sys.exit(1)",
        "sys.exit(pnc_link.printable(f'{error}'))",
    ],
)
def test_what_an_example_may_print(code: str) -> None:
    assert not list(prints_raw(ast.parse(code)))


class Strict(io.TextIOWrapper):
    """A stream of one encoding that refuses everything else."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8", "utf-16-le"])
@pytest.mark.parametrize(("function", "name"), [(show, "stdout"), (note, "stderr")])
def test_any_line_is_printed_in_any_encoding(
    function: Callable[..., None], name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Strict(encoding)
    monkeypatch.setattr(sys, name, stream)
    function("first", "\x1b[2Jcafé 花 \udcff\nsend: all is well")
    first, second = stream.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]
    assert first == "first"
    assert second.startswith("\\x1b[2Jcaf")
    assert second.endswith("\\xff\\nsend: all is well")


def test_a_screen_is_cleared_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, kind, begin in ((True, "xterm", "\x1b[H\x1b[J"), (True, "dumb", ""), (False, "xterm", "")):
        monkeypatch.setenv("TERM", kind)
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stdout", stream)
        show("line", clear=True)
        assert stream.getvalue() == f"{begin}line\n"


class Broken(io.StringIO):
    """A stream on a disk that is full."""

    def write(self, _text: str) -> int:
        raise OSError(28, os.strerror(28))


def test_output_that_cannot_be_written_is_an_error_and_then_there_is_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    with separate_output():
        with pytest.raises(OutputError, match=r"^stdout: cannot be written \(No space left on device\)$"):
            show("line")
        note("more")
        assert failure() is not None
    assert errors.getvalue() == ""
    assert failure() is None
    note("later")
    assert errors.getvalue() == "later\n"


def test_a_stdout_that_was_closed_is_an_error_and_such_a_stderr_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with separate_output():
        note("nobody wants to know")
        with pytest.raises(OutputError, match=r"^stdout: cannot be written \(Bad file descriptor\)$"):
            show("line")


def test_with_an_event_loop_the_program_is_told_and_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    told: list[str] = []
    with separate_output(), printing.ends(lambda: told.append("end")):
        show("line")
        show("line")
        assert told == ["end"]
