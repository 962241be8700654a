"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def lines(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """Return a head and rows as lines. Each column is as wide as its widest cell.

    ``right`` aligns the cells to the right, as tables of numbers are.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    pad = str.rjust if right else str.ljust
    padded = ([pad(cell, width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows))
    return ["  ".join(row).rstrip() for row in padded]
