"""One line of the event log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..text import json_line

#: Version of the format, in the first entry of every run. A reader accepts older ones and refuses newer ones.
FORMAT = 1
#: The first entry of a run.
HEADER = "log"
#: Who saw it: a program, or a virtual board.
CAMERA, EDGE, CAMERA_BOARD, EDGE_BOARD = "camera", "edge", "camera board", "edge board"
#: Longest line that a reader accepts, characters.
LONGEST_LINE = 65_536
#: No number of a log is as large as this. A reader calculates with those below it.
_TOO_LARGE = 1 << 64
_OWN = ("time_us", "run", "vantage", "event")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. ``time_us`` is the monotonic clock of the computer, or virtual time, in us.

    ``payload`` is never written: the codec bytes of a packet, for a reader in the same program.
    """

    time_us: int
    vantage: str
    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""  # of the program that wrote it
    payload: bytes = b""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default."""
        return self.fields.get(name, default)

    def line(self, run: str = "") -> str:
        """Return the entry as one line of printable JSON."""
        own = {"time_us": self.time_us, "run": run or self.run, "vantage": self.vantage, "event": self.event}
        return json_line(own | dict(self.fields))


def parse_line(line: str | bytes) -> Entry:
    """Return the entry in a line. Raises ValueError if there is none, or if one of its numbers can be none of a log."""
    if len(line) > LONGEST_LINE:
        raise ValueError("the line is too long")
    try:
        values = json.loads(line, parse_int=_int, parse_float=_float, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("no JSON object")
    time_us, run, vantage, event = (values.get(name) for name in _OWN)
    is_time = isinstance(time_us, int) and not isinstance(time_us, bool)
    if not is_time or not isinstance(run, str) or not isinstance(vantage, str) or not isinstance(event, str):
        raise ValueError("time_us, run, vantage or event is missing")
    fields = {name: value for name, value in values.items() if name not in _OWN}
    return Entry(int(time_us or 0), vantage, event, fields, run)


def _int(text: str) -> int:
    value = int(text)
    return value if abs(value) < _TOO_LARGE else _refuse(text)


def _float(text: str) -> float:
    value = float(text)
    return value if abs(value) < _TOO_LARGE else _refuse(text)


def _refuse(text: str) -> NoReturn:
    """Refuse what Python's JSON takes for a number: Infinity, -Infinity and NaN, and numbers that are too large."""
    raise ValueError(f"{text[:20]} is no number of a log")
