"""The extractor finds what a page shows as commands, and nothing else."""

from __future__ import annotations

import textwrap

import pytest

from tests.docs.blocks import BlockError, read_blocks, read_commands
from tests.docs.rules import rule_for


def commands(text: str) -> list[str]:
    page = textwrap.dedent(text)
    return [command.text for block in read_blocks(page) for command in read_commands(block, "page")]


def test_a_fenced_block_of_commands() -> None:
    page = """
        ```sh
        make send          # a comment
        # only a comment

        python -m host.send 'a # b.jpg' --json
        anything at all
        ```
        """
    assert commands(page) == ["make send", "python -m host.send 'a # b.jpg' --json", "anything at all"]


def test_a_block_without_a_language_is_commands_if_it_begins_with_one() -> None:
    assert commands("```\npnc-send image.jpg\nnew-tool x\n```\n") == ["pnc-send image.jpg", "new-tool x"]
    assert commands("```\nserial port ─► core\n```\n") == []


def test_a_command_among_other_lines_must_be_told_apart() -> None:
    with pytest.raises(BlockError, match="name the block's language"):
        commands("```\nsome output\nmake send\n```\n")
    assert commands("```text\nsome output\nmake send\n```\n") == []


def test_prompts_part_commands_from_output() -> None:
    assert commands("```console\n$ make send\n  delivered 5 of 5\n$ make test\n```\n") == ["make send", "make test"]


def test_a_backslash_continues() -> None:
    assert commands("```sh\nmake figures \\\n    DATA=photos\nmake help\n```\n") == [
        "make figures DATA=photos",
        "make help",
    ]


def test_a_block_in_a_list() -> None:
    assert commands("1. First\n\n   ```\n   sudo apt install git\n   ```\n2. Then\n") == ["sudo apt install git"]


def test_an_indented_block() -> None:
    assert commands("Text.\n\n    make send\n    make test\n\nText.\n") == ["make send", "make test"]
    assert commands("Text.\n\n    a drawing\n") == []


def test_a_block_needs_its_end() -> None:
    with pytest.raises(BlockError, match="no end"):
        commands("```sh\nmake send\n")


def test_other_languages_are_no_commands() -> None:
    assert commands("```python\nimport host.codec\n```\n") == []


def test_where_it_is() -> None:
    [block] = read_blocks("# Title\n\n```sh\n# first\nmake send\n```\n")
    assert [command.where for command in read_commands(block, "README.md")] == ["README.md:5"]


@pytest.mark.parametrize("text", ["rm -rf /", "make surprise", "python -m host.unknown", "python -m http.server"])
def test_what_no_rule_knows_is_neither_run_nor_excused(text: str) -> None:
    assert rule_for(text) is None


@pytest.mark.parametrize("text", ["python -m host.boards reset", "pnc-boards flash", "make flash BOARD=nrf52840dk"])
def test_what_would_change_a_board_is_not_run(text: str) -> None:
    rule = rule_for(text)
    assert rule is not None
    assert rule.way.name == "USAGE"
