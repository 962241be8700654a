"""Reads event logs: of one program or of several, on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import PncError, Reason
from ..files import open_to_read
from .entry import FORMAT, HEADER, LONGEST_LINE, Entry, parse_line


class LogError(PncError):
    """A log that cannot be read."""

    reason = Reason.BAD_FILE


@dataclass(frozen=True, slots=True)
class Log:
    """The entries of one or more runs, in the order of their time, on the clock of the first run."""

    entries: tuple[Entry, ...]
    skipped: int  # lines that are no entries, such as one that a power failure cut off

    @property
    def headers(self) -> tuple[Entry, ...]:
        """The first entry of each run."""
        return tuple(entry for entry in self.entries if entry.event == HEADER)


def read_log(paths: Sequence[Path]) -> Log:
    """Read logs of programs that worked together.

    Programs on one computer share its clock. The clocks of several computers are aligned by the time of day at which
    each run began, so that they differ by as much as those do.

    Raises:
        LogError: a file cannot be read, holds no entry, or is of a newer format.
    """
    entries: list[Entry] = []
    skipped = 0
    for path in paths:
        found = 0
        try:
            with open_to_read(path, streams=True) as file:
                while line := file.readline(LONGEST_LINE + 2):
                    try:
                        entry = parse_line(line)
                    except ValueError:
                        skipped += bool(line.strip())
                        continue
                    _check(entry, path)
                    entries.append(entry)
                    found += 1
        except OSError as error:
            raise LogError(f"{path}: cannot be read ({error.strerror or error})") from error
        if not found:
            raise LogError(f"{path}: no event log: no line of it is an entry")
    return Log(tuple(on_one_clock(entries)), skipped)


def on_one_clock(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order of their time, on the clock of the first run that has a header."""
    taken = list(entries)
    headers = [entry for entry in taken if entry.event == HEADER]
    if headers:
        first = headers[0]
        shifts = {header.run: _shift_us(header, first) for header in headers}
        taken = [
            replace(entry, time_us=entry.time_us + shifts[entry.run]) if shifts.get(entry.run) else entry
            for entry in taken
        ]
    return sorted(taken, key=lambda entry: entry.time_us)


def _shift_us(header: Entry, first: Entry) -> int:
    if header.get("clock") == first.get("clock"):
        return 0
    times = [each.get("unix_us") for each in (header, first)]
    if not all(isinstance(each, int) for each in times):
        return 0
    return int((times[0] - header.time_us) - (times[1] - first.time_us))


def _check(entry: Entry, path: Path) -> None:
    if entry.event != HEADER:
        return
    version = entry.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise LogError(f"{path}: an event log of format {version}, and this program reads up to {FORMAT}")
