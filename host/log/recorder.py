"""Takes entries where they happen, and hands them on later, in a thread: no answer waits for the log."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ..transport.driver import now_us
from ..version import __version__
from .entry import FORMAT, HEADER, Entry

#: What waits to be handed on; of more the newest is dropped and counted.
MOST_WAITING = 50_000
#: How often the thread looks, s. So much of a run is lost when the program is killed.
EVERY_S = 0.1
#: The thread lets others run after so many entries, for so long.
_PORTION, _PAUSE_S = 8, 0.0005
#: How long ``close`` waits for the thread.
_CLOSE_S = 1.0

Make = Callable[[], Iterable[Entry]]


class Sink(Protocol):
    """What takes the entries of a run, in order."""

    def take(self, entries: Sequence[Entry], run: str) -> None:
        """Take some entries. Must not raise."""


class Recorder:
    """Collects the entries of one run for its sinks. Use it as a context manager.

    ``add`` costs the caller next to nothing: what it takes is a function, and a thread calls it. Without a thread
    (``in_thread=False``, for virtual time) ``add`` calls it at once.
    """

    def __init__(self, program: str, sinks: Iterable[Sink], *, in_thread: bool = True, clock: str = "") -> None:
        """Prepare a run of ``program``. ``clock``: programs with the same one share their clock."""
        self.sinks = list(sinks)
        self.run = os.urandom(4).hex()
        self.dropped = 0
        self._waiting: deque[Make] = deque()
        self._in_thread = in_thread
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        header = {
            "format": FORMAT,
            "program": program,
            "version": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "unix_us": time.time_ns() // 1000,
            "clock": clock or _clock_of_system(),
        }
        start_us = now_us() if in_thread else 0
        self.add(lambda: [Entry(start_us, program, HEADER, header)])

    def add(self, make: Make) -> None:
        """Take a function that returns entries. Any thread may call this."""
        if not self._in_thread:
            self._hand_on([make])
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(make)
        else:
            self.dropped += 1

    def add_entry(self, entry: Entry) -> None:
        """Take an entry."""
        self.add(lambda: [entry])

    def __enter__(self) -> Self:
        if self._in_thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hand on what waits."""
        self.close()

    def close(self) -> None:
        """Hand on what waits, and end."""
        if not self._in_thread:
            self._hand_on([])
        elif not self._ended.is_set():
            self._ended.set()
            self._thread.join(_CLOSE_S)

    def _work(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._hand_on_all()
        self._hand_on_all()

    def _hand_on_all(self) -> None:
        dropped, self.dropped = self.dropped, 0
        if dropped:
            self._hand_on([lambda: [Entry(now_us(), "", "dropped", {"entries": dropped})]])
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(_PORTION, len(self._waiting)))]
            self._hand_on(some)
            if not self._ended.is_set():
                time.sleep(_PAUSE_S)
        for sink in self.sinks:
            sink.take((), self.run)

    def _hand_on(self, some: Sequence[Make]) -> None:
        entries = [entry for make in some for entry in make()]
        for sink in self.sinks:
            sink.take(entries, self.run)


def _clock_of_system() -> str:
    """Return what identifies this computer's monotonic clock: it starts with the system."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return platform.node()
