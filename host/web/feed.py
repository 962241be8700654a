"""What the page's process is told: entries of the event log, a line each, on its standard input."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Sequence

from ..log.entry import EDGE, Entry, parse_line

#: Entries of the edge server that the page shows.
SHOWN = frozenset(
    {"arrived", "collected", "result", "picture", "link", "statistics", "opened", "failed", "port opened", "port lost"}
)
#: What may wait for the page; of more, entries are left out.
MOST_WAITING = 4 << 20
_PAYLOAD = "payload"


class FeedSink:
    """A sink of the log that writes to a pipe and never waits: a page that is slow misses something."""

    def __init__(self) -> None:
        self._pipe: int | None = None
        self._waiting = bytearray()
        self.left_out = 0

    def connect(self, pipe: int) -> None:
        """Write to this file descriptor from now on. It is made non-blocking."""
        os.set_blocking(pipe, False)
        self._pipe = pipe

    def disconnect(self) -> None:
        """Write no more."""
        self._pipe = None
        self._waiting.clear()

    def take(self, entries: Sequence[Entry], run: str) -> None:
        """Write entries, or what still waits."""
        if self._pipe is None:
            return
        for entry in entries:
            if entry.vantage == EDGE and entry.event in SHOWN:
                self._add(to_line(entry, run))
        self._flush()

    def _add(self, line: bytes) -> None:
        if len(self._waiting) + len(line) > MOST_WAITING:
            self.left_out += 1
        else:
            self._waiting += line

    def _flush(self) -> None:
        pipe = self._pipe
        with contextlib.suppress(BlockingIOError, OSError):  # it is full, or the page has ended
            while self._waiting and pipe is not None:
                del self._waiting[: os.write(pipe, self._waiting[:65_536])]


def to_line(entry: Entry, run: str) -> bytes:
    """Return an entry as a line, with its payload."""
    if not entry.payload:
        return f"{entry.line(run)}\n".encode()
    fields = dict(entry.fields) | {_PAYLOAD: base64.b64encode(entry.payload).decode()}
    return f"{Entry(entry.time_us, entry.vantage, entry.event, fields).line(run)}\n".encode()


def from_line(line: bytes) -> Entry:
    """Return the entry of a line. Raises ValueError."""
    entry = parse_line(line)
    if _PAYLOAD not in entry.fields:
        return entry
    fields = dict(entry.fields)
    payload = base64.b64decode(str(fields.pop(_PAYLOAD)), validate=True)
    return Entry(entry.time_us, entry.vantage, entry.event, fields, entry.run, payload)


def settings_line(settings: dict[str, object]) -> bytes:
    """Return the first line of the feed."""
    return f"{json.dumps(settings)}\n".encode()
