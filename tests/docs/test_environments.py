"""The pages for a first board: firmware is written in the environment that has west and Zephyr's packages."""

from __future__ import annotations

import pytest

from tests.docs.blocks import read_blocks, read_commands
from tests.docs.conftest import ROOT


@pytest.mark.parametrize("page", ["docs/two-kits.md", "docs/kit-and-laptop.md", "docs/dongle.md"])
def test_a_board_is_written_in_the_environment_of_zephyr(page: str) -> None:
    active = ""
    written = 0
    for block in read_blocks((ROOT / page).read_text(encoding="utf-8")):
        for command in read_commands(block, page):
            if command.text.startswith(". "):
                active = command.text
            if command.text.startswith("make flash"):
                assert active == ". ../pnc-zephyr/venv/bin/activate", command.where
                written += 1
    assert written
    assert active == ". .venv/bin/activate"
