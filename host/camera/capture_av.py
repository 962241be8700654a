"""Reads cameras of Video4Linux, films and network cameras by PyAV (FFmpeg)."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from functools import partial
from typing import Self

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from ..errors import Reason
from .capture import EndOfFilm, Frame
from .errors import SourceError

#: Pictures in a row that may be damaged, as those of a USB camera sometimes are.
MOST_DAMAGED = 30
#: How long an address of the network may take to be opened, and then to give its next packet, s.
NETWORK_S = (10.0, 10.0)


class AvCapture:
    """A camera or film that FFmpeg reads.

    Args:
        name: how notices and errors call it.
        container: what PyAV opened.
        paced: whether it is a film, whose pictures are given at the times at which they were taken.
    """

    def __init__(self, name: str, container: InputContainer, *, paced: bool = False) -> None:
        self.name = name
        self._container = container
        self._paced = paced
        self._start_s = 0.0
        self._frames = self._decoded()

    @classmethod
    def device(cls, path: str, resolution: tuple[int, int]) -> Self:
        """Open a device of Video4Linux. Raises SourceError."""
        size = "x".join(map(str, resolution))
        return cls(path, _opened(path, format="v4l2", options={"video_size": size}))

    @classmethod
    def film(cls, path: str) -> Self:
        """Open a film or an address, such as ``rtsp://...``. Raises SourceError."""
        is_network = "://" in path
        container = _opened(path, timeout=NETWORK_S) if is_network else _opened(path)
        return cls(path, container, paced=not is_network)

    def read(self) -> Frame:
        try:
            frame = next(self._frames, None)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self.name}: {error.strerror or error}", reason=Reason.NO_CAMERA) from error
        if frame is None:
            if self._paced:
                raise EndOfFilm
            raise SourceError(f"{self.name}: it gives no more pictures", reason=Reason.NO_CAMERA)
        if self._paced and frame.time is not None:
            self._start_s = self._start_s or time.monotonic() - frame.time
            time.sleep(max(0.0, self._start_s + frame.time - time.monotonic()))
        return partial(frame.to_ndarray, format="rgb24")

    def close(self) -> None:
        self._container.close()

    def _decoded(self) -> Iterator[VideoFrame]:
        damaged = 0
        for packet in self._container.demux(video=0):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                damaged += 1
                if damaged > MOST_DAMAGED:
                    raise
                continue
            for frame in frames:
                if isinstance(frame, VideoFrame):
                    damaged = 0
                    yield frame


def _opened(path: str, **options: object) -> InputContainer:
    try:
        container = av.open(path, **options)  # type: ignore[call-overload]
    except (av.FFmpegError, OSError) as error:
        if error.errno == errno.EBUSY:
            raise SourceError(f"{path}: another program uses the camera", reason=Reason.CAMERA_BUSY) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise SourceError(f"{path}: no permission to use it", reason=Reason.CAMERA_DENIED) from error
        raise SourceError(f"{path}: no camera ({error.strerror or error})", reason=Reason.NO_CAMERA) from error
    if not isinstance(container, InputContainer) or not container.streams.video:
        container.close()
        raise SourceError(f"{path}: there are no pictures in it", reason=Reason.BAD_FILE)
    return container
