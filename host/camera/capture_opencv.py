"""Reads cameras by OpenCV, where PyAV is not installed."""

from __future__ import annotations

import sys

import numpy as np

from ..errors import Reason
from .capture import Frame
from .errors import SourceError


class OpenCvCapture:
    """A camera that OpenCV reads.

    Args:
        device: a device's path, or a camera's number where the system has no paths for them.
        name: how notices and errors call it.
        resolution: width and height of the pictures, as far as the camera can.
    """

    def __init__(self, device: str | int, name: str, resolution: tuple[int, int]) -> None:
        """Open it. Raises SourceError."""
        try:
            import cv2
        except ImportError:
            raise SourceError(
                f"{name}: a camera needs a package", reason=Reason.MISSING_PACKAGE, subject="pnc-link[camera]"
            ) from None
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self.name = name
        backend = cv2.CAP_V4L2 if sys.platform == "linux" and str(device).startswith("/dev/video") else cv2.CAP_ANY
        self._capture = cv2.VideoCapture(device, backend)
        if not self._capture.isOpened():
            self._capture.release()
            text = f"{name}: it cannot be opened; another program may use it, or it is no camera"
            raise SourceError(text, reason=Reason.CAMERA_BUSY)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, resolution[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, resolution[1])
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Frame:
        done, picture = self._capture.read()
        if not done:
            raise SourceError(f"{self.name}: it gives no more pictures", reason=Reason.NO_CAMERA)
        return lambda: np.ascontiguousarray(picture[..., ::-1])  # OpenCV's order is BGR

    def close(self) -> None:
        self._capture.release()
