"""For all tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.boards.desk import Desk
from tests.markers import MARKERS, markers_of

HERE = Path(__file__).resolve().parent

# A shell that starts something in the background has it ignore Ctrl-C, and so would every program that is tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="only the tests without a marker of tests/markers.py")


def pytest_configure(config: pytest.Config) -> None:
    for name, what in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {what}")
    if config.getoption("fast"):
        sys.meta_path.insert(0, NoTorch())
        os.openpty = _no_terminal


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``--fast``: import no file whose tests are all left out."""
    return True if config.getoption("fast") and markers_of(_below_tests(collection_path)) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test by tests/markers.py; with ``--fast`` leave out those that are marked.

    Those that train networks, the longest, come first, so that no process waits for another's at the end.
    """
    left_out = []
    for item in items:
        for name in sorted(markers_of(_below_tests(item.path), item.name)):
            item.add_marker(name)
        if config.getoption("fast") and any(item.get_closest_marker(name) for name in MARKERS):
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not {"torch", "slow"} <= {mark.name for mark in item.iter_markers()})


def _below_tests(path: Path) -> str:
    return path.relative_to(HERE).as_posix() if path.is_relative_to(HERE) else ""


class NoTorch:
    """Refuses PyTorch with ``--fast``, so that no test gets there without its marker."""

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: Any = None) -> ModuleSpec | None:
        """Raise AssertionError for torch; find nothing else."""
        assert name.partition(".")[0] != "torch", "a fast test imports PyTorch: give it the marker torch"
        return None


def _no_terminal() -> NoReturn:
    raise AssertionError("a fast test opens a pseudo-terminal: give it the marker pty")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with boards on it, for tests of the programs that look for boards."""
    return Desk(tmp_path)
