"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ..text import printable


def lines(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """Return a head and rows as printable lines. Each column is as wide as its widest cell.

    ``right`` aligns the cells to the right, as tables of numbers are.
    """
    shown = [[printable(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    pad = str.rjust if right else str.ljust
    padded = ([pad(cell, width) for cell, width in zip(row, widths, strict=True)] for row in shown)
    return ["  ".join(row).rstrip() for row in padded]
