"""One workshop for all tests of the core."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.core_build import Workshop, compiler


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Where the core and its test programs are built, shared by the test processes of a run."""
    if compiler() is None:
        pytest.skip("no C compiler: install gcc or clang")
    base = tmp_path_factory.getbasetemp()
    folder: Path = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Workshop(folder / "core")
