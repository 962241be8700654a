"""The firmware on simulated boards; skipped where Zephyr or BabbleSim is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bsim.simulation import missing, the_program

WHY = missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything in this folder with the reason."""
    if WHY is not None:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"simulated boards: {WHY}"))


@pytest.fixture(scope="session")
def program() -> Path:
    """The firmware, built for a simulated board. PNC_BSIM_PROGRAM names one that is there already."""
    return the_program()
