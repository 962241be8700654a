"""Opens cameras: which device a name means, and through which of the installed packages it is read."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import Reason
from .errors import SourceError

#: Size of the pictures that a camera is asked for, width and height in pixels. The codec's have 224x224.
RESOLUTION = (640, 480)
#: The first part of the names of cameras of a Raspberry Pi's own connector: ``pi`` or ``pi:1``.
PI = "pi"
#: The kernel's list of video devices.
VIDEO_CLASS = Path("/sys/class/video4linux")

#: A picture as the camera gave it. Calling it converts it to uint8 [height, width, 3] RGB.
Frame = Callable[[], np.ndarray]


class EndOfFilm(Exception):  # noqa: N818 (no error)
    """A film has come to its end."""


class Capture(Protocol):
    """A camera that is open. One thread uses it."""

    def read(self) -> Frame:
        """Wait for the next picture. Raises SourceError if the camera is gone, EndOfFilm at the end of a file."""

    def close(self) -> None: ...


def open_capture(device: str, resolution: tuple[int, int]) -> Capture:
    """Open a camera.

    Args:
        device: ``/dev/video0`` or ``0``; ``pi`` or ``pi:1``; a film or an address that FFmpeg reads. Empty: a camera of
            a Raspberry Pi's own connector if there is one, else the first video device.
        resolution: width and height of the pictures. A camera that does not know it may give another.

    Raises:
        SourceError: it is not there, is used by another program, or a package is missing; the reason says which.
    """
    name = device or _first()
    if re.fullmatch(rf"{PI}(:[0-9]+)?", name):
        from .capture_pi import PiCapture

        return PiCapture(int(name.partition(":")[2] or 0), resolution)
    if name.isascii() and name.isdigit() and sys.platform != "linux":
        from .capture_opencv import OpenCvCapture

        return OpenCvCapture(int(name), f"camera {name}", resolution)
    path = f"/dev/video{name}" if name.isascii() and name.isdigit() else name
    if "://" not in path:
        _check(Path(path))
    is_device = "://" not in path and stat.S_ISCHR(os.stat(path).st_mode)
    try:
        from .capture_av import AvCapture
    except ImportError:
        if not is_device:
            raise SourceError(
                f"{path}: a film needs a package", reason=Reason.MISSING_PACKAGE, subject="pnc-link[camera]"
            ) from None
        from .capture_opencv import OpenCvCapture

        return OpenCvCapture(path, path, resolution)
    return AvCapture.device(path, resolution) if is_device else AvCapture.film(path)


def video_devices() -> list[str]:
    """Return the video devices of this computer, in the order of their numbers."""
    numbers = (re.fullmatch(r"video([0-9]+)", each.name) for each in Path("/dev").glob("video*"))
    return [f"/dev/video{number}" for number in sorted(int(match[1]) for match in numbers if match)]


def _first() -> str:
    from .capture_pi import has_pi_camera

    if has_pi_camera():
        return PI
    if sys.platform != "linux":
        return "0"
    for device in video_devices():
        index = VIDEO_CLASS / Path(device).name / "index"  # a webcam has a second device for its metadata
        try:
            is_first = index.read_text().strip() == "0"
        except OSError:
            is_first = True
        if is_first:
            return device
    raise SourceError("no camera is attached", reason=Reason.NO_CAMERA)


def _check(path: Path) -> None:
    """Raise SourceError if there is no such device or film, or if it may not be read."""
    if not os.path.exists(path):
        others = ", ".join(video_devices())
        known = f" (there is {others})" if others and path.is_relative_to("/dev") else ""
        raise SourceError(f"{path}: no such camera{known}", reason=Reason.NO_CAMERA)
    if os.path.isdir(path):
        raise SourceError(f"{path}: a folder, not a camera", reason=Reason.BAD_USAGE)
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: no permission to use it", reason=Reason.CAMERA_DENIED)
