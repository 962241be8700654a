"""Texts that a thread writes, so that a reader who does not read keeps nobody waiting.

A leaf for ``printing``. Standard library alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

#: Most characters that wait to be written. What comes meanwhile is left out.
MOST_WAITING = 1 << 22
#: How long ``put`` waits for its text, s: usually it is written by then, so two streams keep their common order.
PATIENCE_S = 0.02
#: After a text that took longer, ``put`` does not wait at all for so long, s.
HURRY_S = 1.0


class PrintQueue:
    """The texts of one stream. Its thread starts with the first one and ends with the program.

    Args:
        name: that of the stream, for the thread.
        on_left_out: is called, in any thread, with a number of lines that were left out, after those before them were
            written, or at the end.
    """

    def __init__(self, name: str, on_left_out: Callable[[int], None]) -> None:
        self._name = name
        self._on_left_out = on_left_out
        self._waiting: deque[tuple[str, Callable[[str], None]]] = deque()
        self._size = 0  # characters that wait or are being written
        self._left_out = 0  # lines
        self._hurries_until_s = 0.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, text: str, write: Callable[[str], None]) -> None:
        """Let the thread call ``write`` with a text, after those before it. ``write`` must not raise."""
        with self._changed:
            if self._size and self._size + len(text) > MOST_WAITING:
                self._left_out += max(1, text.count("\n"))
                return
            self._waiting.append((text, write))
            self._size += len(text)
            self._changed.notify_all()
            if self._thread is None:
                self._start()
            if time.monotonic() >= self._hurries_until_s and not self._is_written_within(PATIENCE_S):
                self._hurries_until_s = time.monotonic() + HURRY_S

    def drain(self, within_s: float | None) -> None:
        """Wait until all is written, at most so long; None: until a signal raises something.

        What is not written by then is left out, but for the text that is being written.
        """
        with self._changed:
            if not self._is_written_within(within_s):
                while len(self._waiting) > 1:
                    text, _ = self._waiting.pop()
                    self._size -= len(text)
                    self._left_out += text.count("\n")
            self._say_left_out()

    def _is_written_within(self, within_s: float | None) -> bool:
        return self._changed.wait_for(lambda: not self._size, within_s)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"write {self._name}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no more threads
            self._thread = None
            while self._waiting:
                self._write_next()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            self._write_next()

    def _write_next(self) -> None:
        text, write = self._waiting[0]
        write(text)
        with self._changed:
            self._waiting.popleft()
            self._size -= len(text)
            if not self._waiting:
                self._say_left_out()
            self._changed.notify_all()

    def _say_left_out(self) -> None:
        count, self._left_out = self._left_out, 0
        if count:
            self._hurries_until_s = time.monotonic() + HURRY_S  # the line about it may be for this very queue
            self._on_left_out(count)
