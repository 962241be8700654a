"""Pictures from standard input: one picture file, or MJPEG from a program that never ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from ..codec.picture import read_picture
from ..errors import Reason
from ..transport.driver import now_us
from .errors import SourceError
from .jpeg_stream import MOST_BYTES, JpegStream
from .newest import Newest
from .source import SourcePicture

NAME = "standard input"
_CHUNK_BYTES = 1 << 16
#: How JPEG files, and MJPEG with the headers of HTTP, begin. Everything else is one picture of another format.
_JPEG_STARTS = (b"\xff\xd8", b"--", b"HTTP/")
#: How long after the first picture the end of the input may take, if it is the only one, s.
ONLY_S = 0.5


class StandardInput:
    """Reads pictures from a file descriptor as they come. The newest one is the next.

    Args:
        number: the file descriptor. It is not closed.
        centre: whether the middle square of each picture is sent, not the whole (``load_picture``).
    """

    def __init__(self, number: int = 0, *, centre: bool = False) -> None:
        self._number = number
        self._centre = centre
        self._newest: Newest[SourcePicture] = Newest()
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def total(self) -> None:
        return None

    @property
    def skipped(self) -> int:
        return self._newest.replaced

    async def __aenter__(self) -> Self:
        """Begin to read. Raises SourceError if it is a terminal."""
        try:
            if os.isatty(self._number):
                raise SourceError(f"{NAME} is a terminal: pipe a picture, or MJPEG, into it", reason=Reason.BAD_USAGE)
        except OSError as error:
            raise SourceError(f"{NAME}: cannot be read ({error.strerror})", reason=Reason.BAD_FILE) from error
        self._loop = asyncio.get_running_loop()
        # A daemon: nothing can end a read that waits.
        threading.Thread(target=self._read, name="read standard input", daemon=True).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more pictures."""
        self._loop = None

    async def next(self) -> SourcePicture | None:
        picture = await self._newest.take()
        # After the end it stands for itself: it is no moment of something that goes on.
        return replace(picture, taken_us=None) if picture is not None and self._newest.is_ended else picture

    async def only(self) -> SourcePicture | None:
        """Return the picture of an input that consists of one; None if there are more, or may be.

        Raises SourceError if there is none.
        """
        await self._newest.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ONLY_S):
                while not self._newest.is_ended:
                    await asyncio.sleep(0.01)
        if not self._newest.is_ended or self._count > 1:
            return None
        picture = await self.next()
        if picture is None:
            raise SourceError(f"{NAME}: there is no picture in it", reason=Reason.BAD_FILE)
        return picture

    def _read(self) -> None:
        """Read to the end. Runs in a thread of its own."""
        stream, other, is_jpeg = JpegStream(), bytearray(), None
        while True:
            try:
                data = os.read(self._number, _CHUNK_BYTES)
            except OSError:
                data = b""
            if not data or len(other) > MOST_BYTES:
                break
            if is_jpeg is None:
                is_jpeg = data.startswith(_JPEG_STARTS)
            if not is_jpeg:
                other += data
                continue
            for picture in stream.feed(data)[-1:]:
                self._call(self._put, picture, now_us())
        rest = bytes(other) or stream.rest()
        if rest:
            self._call(self._put, rest, now_us())
        self._call(self._newest.end)

    def _put(self, data: bytes, taken_us: int) -> None:
        self._count += 1
        name = f"{NAME}, picture {self._count}"
        self._newest.put(
            SourcePicture(name, lambda on_notice: read_picture(data, name, on_notice, centre=self._centre), taken_us)
        )

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function in the event loop, if that still runs."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed
                loop.call_soon_threadsafe(function, *arguments)
