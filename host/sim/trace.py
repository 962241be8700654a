"""Rate traces: the state of the radio channel over time."""

from __future__ import annotations

import csv
import io
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import PncError, Reason
from ..files import open_to_read

TRACES = Path(__file__).parent / "traces"
_MOST_ROWS = 1_000_000


class TraceError(PncError, ValueError):
    """An invalid trace. The text names the file and the line."""

    reason = Reason.BAD_FILE


@dataclass(frozen=True, slots=True)
class ChannelState:
    """State of the channel: a limit of the goodput in bit/s (None: no limit) and the probability of packet loss."""

    rate_bps: float | None = None
    loss: float = 0.0


CLEAR = ChannelState()


class Trace:
    """A step function of time that repeats. A single step is constant."""

    def __init__(
        self, times_us: Sequence[int], states: Sequence[ChannelState], *, period_us: int | None = None
    ) -> None:
        """Take the steps. Without ``period_us`` the last step is as long as the one before it."""
        self._times_us = list(times_us)
        self._states = list(states)
        last = self._times_us[-1] - self._times_us[-2] if len(self._times_us) > 1 else 1
        self._period_us = period_us or self._times_us[-1] + last

    def at(self, now_us: int) -> ChannelState:
        """Return the state at a time."""
        return self._states[bisect_right(self._times_us, now_us % self._period_us) - 1]

    @classmethod
    def constant(cls, state: ChannelState) -> Trace:
        """Return a trace with one state."""
        return cls([0], [state])

    @classmethod
    def read(cls, name: str) -> Trace:
        """Read a shipped trace by name, or a CSV file with the columns ``time_s``, and ``rate_kbps`` or ``loss``.

        Times start at 0 and rise. An empty rate means no limit; loss is a probability, 0 to 1. TraceError names the
        line of an error.
        """
        shipped = TRACES / f"{name}.csv"
        path = shipped if shipped.is_file() else Path(name)
        try:
            with io.TextIOWrapper(open_to_read(path, streams=True), newline="", encoding="utf-8") as file:
                return cls._from_rows(path, csv.DictReader(file))
        except OSError as error:
            shipped_names = ", ".join(sorted(trace.stem for trace in TRACES.glob("*.csv")))
            raise TraceError(f"trace {name}: {error.strerror or error} (shipped traces: {shipped_names})") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise TraceError(f"trace {name}: not a CSV text file ({error})") from error

    @classmethod
    def _from_rows(cls, path: Path, rows: csv.DictReader[str]) -> Trace:
        columns = set(rows.fieldnames or ())
        if "time_s" not in columns or not columns & {"rate_kbps", "loss"}:
            raise TraceError(f"trace {path}: its first line must name the columns time_s and rate_kbps (or loss)")
        times_us: list[int] = []
        states: list[ChannelState] = []
        for row in rows:
            where = f"trace {path}, line {rows.line_num}"
            time_s = _number(where, "time_s", row.get("time_s"), 0, 1e6)
            rate_kbps = _number(where, "rate_kbps", row.get("rate_kbps"), 0, 1e6)
            loss = _number(where, "loss", row.get("loss"), 0, 1)
            time_us = None if time_s is None else round(time_s * 1e6)
            if time_us is None or (time_us <= times_us[-1] if times_us else time_us != 0):
                raise TraceError(f"{where}: times must start at 0 and rise")
            times_us.append(time_us)
            states.append(ChannelState(None if rate_kbps is None else rate_kbps * 1000, loss or 0.0))
            if len(times_us) > _MOST_ROWS:
                raise TraceError(f"trace {path}: more than {_MOST_ROWS} lines")
        if not times_us:
            raise TraceError(f"trace {path}: no lines below the column names")
        return cls(times_us, states)


def _number(where: str, column: str, text: str | None, least: float, most: float) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise TraceError(f"{where}: {column} is {text.strip()!r}, a number from {least:g} to {most:g} is needed")
    return value
