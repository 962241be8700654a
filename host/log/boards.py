"""Entries of virtual boards: what is handed to their radio, and each transmission."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from ..wire import MalformedError, Picture, parse
from .entry import CAMERA_BOARD, Entry
from .of_packets import of_picture
from .recorder import Recorder


class RadioEnd(Protocol):
    """A board's end of a modelled connection (``sim.radio.Endpoint``)."""

    on_handed: Callable[[int, bytes], None] | None
    on_air: Callable[[int, bytes], None] | None


class HasCamera(Protocol):
    """A modelled connection (``sim.radio.Connection``)."""

    @property
    def camera(self) -> RadioEnd:
        """The end at the camera's board."""


def tap_connection(recorder: Recorder, connection: HasCamera, source: int) -> None:
    """Record the picture packets of a camera's board: "in radio" when it gets one, "on air" for each transmission."""

    def record(event: str, time_us: int, packet: bytes) -> None:
        recorder.add(partial(_entries, event, time_us, packet, source))

    connection.camera.on_handed = partial(record, "in radio")
    connection.camera.on_air = partial(record, "on air")


def _entries(event: str, time_us: int, packet: bytes, source: int) -> list[Entry]:
    try:
        picture = parse(packet)
    except MalformedError:
        return []
    if not isinstance(picture, Picture):
        return []
    return [Entry(time_us, CAMERA_BOARD, event, {"source": source} | of_picture(picture))]
