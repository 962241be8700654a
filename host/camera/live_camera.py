"""A live camera: always its newest picture, also after it was unplugged and plugged in again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from ..codec.picture import OnNotice, to_pixels
from ..errors import Reason
from ..text import printable
from ..transport.driver import now_us
from .capture import RESOLUTION, Capture, EndOfFilm, Frame, open_capture
from .errors import SourceError
from .newest import Newest
from .source import SourcePicture

#: Pause before a camera that is lost or busy is opened again: the first one, and the longest, s.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
#: A camera that gives no picture for this time is reported, s.
STALLED_S = 5.0
#: How long a camera may take to be opened, and to end its last read, s.
OPEN_S, CLOSE_S = 15.0, 1.0


class LiveCamera:
    """Reads a camera all the time, and gives its newest picture to whoever asks.

    A thread reads; so neither the camera's driver nor this class has a queue of old pictures. A camera that is lost, or
    that another program uses, is tried again until it is there. A film is played at its own speed, once.

    Args:
        device: ``0`` or ``/dev/video0``; ``pi`` or ``pi:1``; a film or an address such as ``rtsp://...``. Empty: the
            first camera of this computer.
        resolution: width and height that the camera is asked for.
        centre: whether the middle square of each picture is sent, not the whole picture squashed to a square.
        on_notice: is called in the event loop with a printable line when the camera is lost, busy or back.
        opener: opens a camera by its name and resolution.
    """

    def __init__(
        self,
        device: str = "",
        *,
        resolution: tuple[int, int] = RESOLUTION,
        centre: bool = False,
        on_notice: Callable[[str], None] | None = None,
        opener: Callable[[str, tuple[int, int]], Capture] = open_capture,
    ) -> None:
        self._device = device
        self._resolution = resolution
        self._centre = centre
        self._on_notice = on_notice
        self._opener = opener
        self._newest: Newest[SourcePicture] = Newest()
        self._count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read camera", daemon=True)
        self._opened: asyncio.Future[None]
        self._loop: asyncio.AbstractEventLoop
        self._trouble = ""  # what was reported last, until the camera gives a picture
        self._stalled = False

    @property
    def name(self) -> str:
        """How reports and notices call it."""
        return f"camera {self._device}" if self._device else "camera"

    @property
    def total(self) -> None:
        return None

    @property
    def skipped(self) -> int:
        return 0  # those that come faster than they are sent are no loss

    async def __aenter__(self) -> Self:
        """Open the camera. Raises SourceError, unless another program uses it: that is waited for."""
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._thread.start()
        try:
            async with asyncio.timeout(OPEN_S):
                await self._opened
        except TimeoutError:
            self._stop.set()
            raise SourceError(f"{self.name}: it cannot be opened in {OPEN_S:.0f} s", reason=Reason.NO_CAMERA) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the camera. A thread that hangs in its driver is left alone."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, CLOSE_S)

    async def next(self) -> SourcePicture | None:
        while True:
            try:
                async with asyncio.timeout(STALLED_S):
                    return await self._newest.take()
            except TimeoutError:
                if not self._stalled and not self._trouble:
                    self._notice(f"{self.name}: it has given no picture for {STALLED_S:.0f} s: waiting for one")
                    self._stalled = True

    def _run(self) -> None:
        """Read the camera until it is stopped. Runs in a thread of its own."""
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                capture = self._opener(self._device, self._resolution)
            except SourceError as error:
                self._call(self._not_opened, error)
            except Exception as error:  # of a driver: no bug of its may end the camera
                self._call(self._not_opened, SourceError(f"{self.name}: {error}", reason=Reason.NO_CAMERA))
            else:
                self._call(self._is_open)
                if self._read(capture):
                    pause_s = FIRST_PAUSE_S
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _read(self, capture: Capture) -> bool:
        """Read until the camera is lost, has ended or is stopped. Return whether it gave a picture."""
        gave = False
        try:
            while not self._stop.is_set():
                frame = capture.read()
                self._call(self._put, frame, now_us())
                gave = True
        except EndOfFilm:
            self._stop.set()
            self._call(self._newest.end)
        except SourceError as error:
            self._call(self._lost, error)
        except Exception as error:  # of a driver
            self._call(self._lost, SourceError(f"{self.name}: {error}", reason=Reason.NO_CAMERA))
        finally:
            with contextlib.suppress(Exception):
                capture.close()
        return gave

    def _put(self, frame: Frame, taken_us: int) -> None:
        self._count += 1
        if self._trouble or self._stalled:
            self._notice(f"{self.name}: it gives pictures again")
        self._trouble, self._stalled = "", False
        self._newest.put(SourcePicture(f"{self.name}, picture {self._count}", self._loader(frame), taken_us))

    def _loader(self, frame: Frame) -> Callable[[OnNotice], np.ndarray]:
        return lambda _: to_pixels(Image.fromarray(frame()), centre=self._centre)

    def _is_open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _not_opened(self, error: SourceError) -> None:
        if not self._opened.done() and error.reason is not Reason.CAMERA_BUSY:
            self._stop.set()
            self._opened.set_exception(error)
            return
        self._is_open()
        if not self._trouble:  # one notice, however many attempts fail
            self._trouble = str(error)
            self._notice(f"{error}: waiting for it")

    def _lost(self, error: SourceError) -> None:
        self._newest.clear()
        if not self._trouble:
            self._trouble = str(error)
            self._notice(f"{error}: waiting for it to come back")

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function in the event loop, if that still runs."""
        with contextlib.suppress(RuntimeError):  # it was closed
            self._loop.call_soon_threadsafe(function, *arguments)

    def _notice(self, text: str) -> None:
        if self._on_notice is not None and not self._stop.is_set():
            self._on_notice(printable(text))
