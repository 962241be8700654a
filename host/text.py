"""Text from elsewhere, made fit for a terminal and for a log: the one place that decides what may be shown.

A leaf: every room may import it. Standard library alone.
"""

from __future__ import annotations

import json
from typing import Any


def printable(text: str) -> str:
    r"""Return a text as one line that a terminal shows as it is.

    What a terminal would obey, or not show, is escaped as in Python: control characters (``\x1b``, ``\n``), what hides
    or turns text (``\u202e``), and bytes of a file name that are not UTF-8 (``\xff``).

    Labels, issues, messages of boards and file names are given to programs as they came: print them through this.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def json_line(value: Any) -> str:
    """Return a value as one line of JSON that contains printable ASCII only."""
    return json.dumps(value).replace("\x7f", "\\u007f")  # the only control character that json leaves as it is


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # how Python represents such a byte (PEP 383)
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
