"""Reads the cameras of a Raspberry Pi's own connector by picamera2, which comes from its package manager."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from ..errors import Reason
from .capture import Frame
from .errors import SourceError

#: picamera2's name of the format whose bytes are red, green, blue (its manual, appendix A).
_RGB = "BGR888"
#: How long a picture may take, s.
PICTURE_S = 5.0


class PiCapture:
    """A camera that picamera2 reads.

    Args:
        number: the camera's, from 0.
        resolution: width and height of the pictures.
    """

    def __init__(self, number: int, resolution: tuple[int, int]) -> None:
        """Open it. Raises SourceError."""
        self.name = f"camera pi:{number}"
        library = _library(self.name)
        if number >= len(library.global_camera_info()):
            raise SourceError(f"{self.name}: no such camera is connected", reason=Reason.NO_CAMERA)
        try:
            self._camera = library(number)
        except RuntimeError as error:  # libcamera: "Pipeline handler in use by another process"
            text = f"{self.name}: another program uses the camera ({error})"
            raise SourceError(text, reason=Reason.CAMERA_BUSY) from error
        try:
            self._camera.configure(
                self._camera.create_video_configuration(main={"size": resolution, "format": _RGB}, buffer_count=3)
            )
            self._camera.start()
        except RuntimeError as error:
            self._camera.close()
            raise SourceError(f"{self.name}: it cannot be started ({error})", reason=Reason.NO_CAMERA) from error

    def read(self) -> Frame:
        try:
            picture = self._camera.capture_array("main", wait=False).get_result(timeout=PICTURE_S)
        except (RuntimeError, TimeoutError) as error:
            raise SourceError(f"{self.name}: it gives no more pictures", reason=Reason.NO_CAMERA) from error
        return lambda: picture

    def close(self) -> None:
        self._camera.close()


@cache
def has_pi_camera() -> bool:
    """Return whether picamera2 is installed here and finds a camera."""
    if find_spec("picamera2") is None:
        return False
    try:
        return bool(_library("camera pi").global_camera_info())
    except SourceError:  # ``boards doctor`` says why
        return False


def _library(name: str) -> Any:
    """Import picamera2. Raises SourceError if that is impossible."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        text = f"{name}: picamera2 cannot be imported ({error})"
        raise SourceError(text, reason=Reason.NO_PICAMERA2) from None
    except ValueError as error:  # https://github.com/raspberrypi/picamera2/issues/1211
        text = f"{name}: picamera2 does not fit this environment's numpy ({error})"
        raise SourceError(text, reason=Reason.NO_PICAMERA2) from None
    return Picamera2
