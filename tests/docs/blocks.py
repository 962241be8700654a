"""Finds the commands and programs that a Markdown page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Languages of a fenced block in which every line is a command.
SHELL = ("sh", "bash", "shell", "console")
#: How a command begins where the block names no language: a well-known program, a program of an environment, a script
#: of ours, or a variable before a program.
_COMMAND = re.compile(
    r"(?:make|python3?|pipx?|pytest|sudo|git|cd|\.|source|export|echo|curl|cmake|ninja|apt|apt-get|brew|twister|torchrun"
    r"|west|systemctl|journalctl|pre-commit|node|uv|docker|[\w./~-]*/bin/[\w.-]+|pnc-\w+)(?:\s|$)|[A-Z_]+=\S+\s+\S"
)
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<language>[\w+-]*).*$")


class BlockError(ValueError):
    """A block of a page cannot be read as commands, nor as anything else."""


@dataclass(frozen=True)
class Block:
    """A block of code: its language ("" if none is named), first line's number, and lines."""

    language: str
    number: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Command:
    """A command as the page shows it, without the comment after it, and where it is."""

    text: str
    where: str


def read_blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, and the indented ones that begin with a command."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        if fence:
            closing = re.compile(rf"^ *{re.escape(fence['fence'][0])}{{{len(fence['fence'])},}} *$")
            end = next((at for at in range(index + 1, len(lines)) if closing.match(lines[at])), None)
            if end is None:
                raise BlockError(f"line {index + 1}: this block has no end")
            margin = len(fence["indent"])
            inside = (line[margin:] if not line[:margin].strip() else line.lstrip() for line in lines[index + 1 : end])
            yield Block(fence["language"], index + 2, tuple(inside))
            index = end
        elif _begins_indented(lines, index):
            end = index
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            yield Block("sh", index + 1, tuple(line[4:] for line in lines[index:end]))
            index = end - 1
        index += 1


def _begins_indented(lines: list[str], index: int) -> bool:
    after_blank = index > 0 and not lines[index - 1].strip()
    return (
        after_blank
        and lines[index].startswith("    ")
        and bool(_COMMAND.match(lines[index].strip().removeprefix("$ ")))
    )


def read_commands(block: Block, page: str) -> list[Command]:
    """Return the commands of a block; BlockError if only some of its lines look like commands.

    With prompts (``$ ``) the other lines are output. A backslash at the end continues a command.
    """
    if block.language and block.language not in SHELL:
        return []
    numbered = list(_joined(block))
    looks = [bool(_COMMAND.match(line)) for _, line in numbered]
    if any(line.startswith("$ ") for _, line in numbered):
        numbered = [(number, line[2:].lstrip()) for number, line in numbered if line.startswith("$ ")]
    elif not block.language and looks[:1] != [True]:
        if any(looks):
            raise BlockError(f"{page}:{block.number}: commands among other lines; name the block's language")
        return []
    return [Command(_without_comment(line), f"{page}:{number}") for number, line in numbered]


def _joined(block: Block) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line, continued lines joined, without empty lines and comments."""
    begun, number = "", block.number
    for index, line in enumerate(block.lines):
        number = number if begun else block.number + index
        begun += line.strip()
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        if begun and not begun.startswith("#"):
            yield number, begun
        begun = ""


def _without_comment(line: str) -> str:
    """Cut a comment off: " #" outside of quotes, up to the end of the line."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and line[:index].endswith((" ", "\t")):
            return line[:index].rstrip()
    return line


def pages(root: Path) -> list[Path]:
    """Return the pages whose commands are tested."""
    top = [root / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [path for path in (*top, *sorted((root / "docs").glob("*.md"))) if path.exists()]
