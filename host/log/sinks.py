"""Where the entries of a run go: into a file, or into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..files import append_line
from .entry import Entry

#: A file is written when so many characters wait, and whenever the recorder looks.
_BATCH = 65_536
#: No program makes a log longer than this, bytes.
LONGEST_FILE = 1 << 30


class FileSink:
    """Appends to a file: whole lines, and other programs may append to the same one.

    Trouble is reported once, and once more when it ends; the entries of the meantime are lost. ``on_trouble`` is called
    in the recorder's thread.
    """

    def __init__(self, path: Path, on_trouble: Callable[[str], None]) -> None:
        self.path = path
        self._on_trouble = on_trouble
        self._lines: list[str] = []
        self._size = 0
        self._trouble = ""
        self._is_full = False

    def take(self, entries: Sequence[Entry], run: str) -> None:
        """Keep lines; write them when they are many, or when there is nothing to take."""
        for entry in entries:
            self._lines.append(entry.line(run))
            self._size += len(self._lines[-1])
        if self._lines and (not entries or self._size > _BATCH):
            self._write()

    def _write(self) -> None:
        data = "\n".join(self._lines).encode()
        self._lines.clear()
        self._size = 0
        if self._is_full:
            return
        try:
            if self.path.is_file() and self.path.stat().st_size + len(data) > LONGEST_FILE:
                self._is_full = True
                self._on_trouble(f"{self.path}: the log ends here: it has {LONGEST_FILE >> 30} GB")
                return
            append_line(data, self.path)
        except OSError as error:
            if not self._trouble:
                self._on_trouble(f"{self.path}: the log is not written ({error.strerror or error})")
            self._trouble = str(error)
        else:
            if self._trouble:
                self._on_trouble(f"{self.path}: the log is written again")
            self._trouble = ""


class MemorySink:
    """Keeps the entries, at most ``limit``: of more the oldest go."""

    def __init__(self, limit: int = 200_000) -> None:
        self.entries: list[Entry] = []
        self._limit = limit

    def take(self, entries: Sequence[Entry], _run: str) -> None:
        """Keep entries."""
        self.entries += entries
        if len(self.entries) > self._limit:
            del self.entries[: self._limit // 10]
