"""Gives answered pictures to an application, beside the server: what it does there costs no answer."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import PncError
from ..text import printable
from .answered import AnsweredPicture
from .ending import Ending

#: Pictures that wait for a sink; of more the oldest are left out.
MOST_WAITING = 16
#: How long a server that is stopped waits for the pictures that its sinks still have, s.
FINISH_S = 2.0
_FINISH_POLL_S = 0.01
#: Quality of the WebP files that sinks get, 0 to 100.
_QUALITY = 90


class SinkError(PncError):
    """An application did not take a picture. The text names the sink, and is the same for equal causes."""


class Sink(Protocol):
    """Takes answered pictures. One thread calls it."""

    @property
    def name(self) -> str:
        """How notices call it, such as ``--exec notify.sh``."""
        ...

    def deliver(self, answered: AnsweredPicture) -> None:
        """Give a picture to the application and wait until it has it. Raises SinkError."""
        ...

    def abort(self) -> None:
        """End a ``deliver`` that runs in another thread as soon as possible."""
        ...


class SinkRunner:
    """Runs a sink in a thread of its own. Use it as an asynchronous context manager.

    Pictures are delivered in their order, after they were answered. A sink that fails loses the picture, and one that
    is too slow loses the oldest that wait; a notice says so. Nothing of it reaches the server.

    Args:
        sink: takes the pictures.
        on_notice: is called in the event loop with printable lines.
        ending: the time that the program has for its end; by default it is this sink's alone.
    """

    def __init__(self, sink: Sink, on_notice: Callable[[str], None], ending: Ending | None = None) -> None:
        self._sink = sink
        self._on_notice = on_notice
        self._ending = ending or Ending()
        self._waiting: deque[AnsweredPicture] = deque()
        self._changed = threading.Condition()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait a moment for the pictures that are not delivered yet, then end."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        end_s = time.monotonic() + self._ending.left_s(FINISH_S)
        while self._thread.is_alive() and time.monotonic() < end_s:
            await asyncio.sleep(_FINISH_POLL_S)
        if self._thread.is_alive():
            with self._changed:
                left = len(self._waiting) + 1
                self._waiting.clear()
            self._on_notice(f"{self._sink.name}: stopped before it had taken {left} of the pictures")
            self._sink.abort()

    def put(self, answered: AnsweredPicture) -> None:
        """Take a picture; return at once."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._on_notice(f"{self._sink.name}: too slow for these pictures: some are left out")
            self._waiting.append(answered)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_ending:
                    self._changed.wait()
                if not self._waiting:
                    return
                answered = self._waiting.popleft()
            try:
                self._sink.deliver(answered)
            except SinkError as error:
                self._say(str(error))
            except Exception as error:  # a sink of the user's: no bug of its may end the others
                self._say(f"{self._sink.name}: {type(error).__name__}: {error}")

    def _say(self, text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop was closed
            self._loop.call_soon_threadsafe(self._on_notice, printable(text))


def webp(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 [height, width, 3] RGB, as a WebP file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "WEBP", quality=_QUALITY)
    return content.getvalue()
