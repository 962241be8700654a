"""For all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.boards.desk import Desk

# A shell that starts something in the background has it ignore Ctrl-C, and so would every program that is tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with boards on it, for tests of the programs that look for boards."""
    return Desk(tmp_path)
