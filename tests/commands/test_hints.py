"""Advice on errors: each reason has it, commands print it, libraries do not."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import host
from host.cli.command import FAILURE, USAGE, CommandError, run_command
from host.cli.hints import HINTS, WITHOUT_HINT, with_hint
from host.errors import PncError, Reason

ROOT = Path(host.__file__).parent
#: Rooms of a library: their texts say what went wrong, not what to do.
LIBRARIES = ("link", "transport", "board", "devices", "codec", "edge", "camera", "sim")
#: Rooms that every install has.
INSTALLED = (*LIBRARIES, "cli", "boards")
ADVICE = ("make flash", "python -m host", "pip install", "docs/")


def modules(room: str) -> list[str]:
    """Return the names of a room's modules, without those that compile its C."""
    found = pkgutil.walk_packages([str(ROOT / room)], f"host.{room}.")
    return [module.name for module in found if ".build_" not in module.name and not module.name.endswith("__main__")]


def error_classes() -> list[type[PncError]]:
    """Return every class of errors in the installed rooms."""
    for room in INSTALLED:
        for name in modules(room):
            importlib.import_module(name)

    def below(kind: type[PncError]) -> Iterator[type[PncError]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return [kind for kind in below(PncError) if kind.__module__.startswith("host.")]


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_advice_or_needs_none(reason: Reason) -> None:
    assert (reason in HINTS) != (reason in WITHOUT_HINT)
    line = with_hint(PncError("what went wrong", reason=reason, subject="pnc-link[edge]"))
    assert "\n" not in line
    assert (line == "what went wrong") == (reason in WITHOUT_HINT)


def test_each_error_class_carries_a_reason() -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")
    kinds = error_classes()
    assert {"TransportError", "BoardError", "CodecError", "ClassifierError", "CameraError"} <= {
        kind.__name__ for kind in kinds
    }
    for kind in kinds:
        assert kind.reason in Reason
        error = kind("text", reason=Reason.PORT_BUSY)
        assert (str(error), error.reason) == ("text", Reason.PORT_BUSY)
        if not issubclass(kind, CommandError):
            other = kind.of(PncError("text", reason=Reason.MISSING_PACKAGE, subject="thing"))
            assert (type(other), str(other)) == (kind, "text")
            assert (other.reason, other.subject) == (Reason.MISSING_PACKAGE, "thing")


@pytest.mark.parametrize("room", LIBRARIES)
def test_no_library_gives_advice(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            assert not [advice for advice in ADVICE if advice in text], f"{path}: {text}"


def texts(tree: ast.Module) -> list[str]:
    """Return the string literals of a module without its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    literals = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)
    return [node.value for node in literals if isinstance(node.value, str)]


def test_a_command_prints_name_error_and_advice_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise PncError("onnx is not installed", reason=Reason.MISSING_PACKAGE, subject="pnc-link[edge]")

    assert run_command("recv", main) == FAILURE
    assert capsys.readouterr().err == "recv: onnx is not installed: pip install 'pnc-link[edge]'\n"


def test_wrong_usage_has_its_exit_status_and_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise CommandError("--port and --ble exclude each other", USAGE)

    assert run_command("recv", main) == USAGE
    assert capsys.readouterr().err == "recv: --port and --ble exclude each other\n"
