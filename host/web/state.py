"""All that the page knows, from the entries of the log. Time comes with the entries; no I/O."""

from __future__ import annotations

import itertools
from typing import Protocol

from ..log.entry import Entry
from .camera import KEPT, ShownCamera
from .picture import ShownPicture

#: The wire has room for so many cameras.
MOST_CAMERAS = 16
#: An image number that is used again after so long is another picture's, us.
_AGAIN_US = 20_000_000
#: Shown per camera at once are the newest picture and so many before it; packets of older ones are looked for there.
_OPEN = 8


class Watcher(Protocol):
    """Counts what happens (``metrics.Metrics``)."""

    def packet(self, source: int, size: int) -> None:
        """A packet arrived that the server can use."""

    def dropped(self, source: int, reason: str, count: int) -> None:
        """Packets were dropped."""

    def answered(self, source: int, outcome: str, seconds: float) -> None:
        """A picture got its final answer, so long after its first packet."""


class State:
    """The cameras, and whether the server has its board. ``version`` grows with every change."""

    def __init__(self, watcher: Watcher) -> None:
        self.version = 0
        self.cameras: dict[int, ShownCamera] = {}
        self.port = ""
        self.trouble = "the server starts"  # empty: it serves
        self._watcher = watcher
        self._numbers = itertools.count(1)
        self._by_number: dict[int, ShownPicture] = {}

    def take(self, entry: Entry) -> None:
        """Take an entry. Raises TypeError or ValueError for one that no program of this release writes."""
        match entry.event:
            case "port opened":
                self.port = str(entry.get("port", ""))
            case "opened":
                self.trouble = ""
            case "port lost" | "failed":
                self.trouble = str(entry.get("text", "")) or "the board is away"
                for camera in self.cameras.values():
                    camera.on_link(Entry(entry.time_us, entry.vantage, "link"))
                    self._changed(camera)
            case "arrived" | "collected" | "result" | "picture" | "link" | "statistics":
                self._of_camera(entry)
            case _:
                return
        self.version += 1

    def picture(self, number: int) -> ShownPicture | None:
        """Return a picture that is still kept."""
        return self._by_number.get(number)

    def second(self) -> None:
        """Begin the next second of the figures."""
        for camera in self.cameras.values():
            camera.second()
            self._changed(camera)
        self.version += 1

    def _of_camera(self, entry: Entry) -> None:
        source = int(entry.get("source", 0))
        camera = self.cameras.get(source)
        if camera is None:
            if not 0 <= source < MOST_CAMERAS:
                raise ValueError(f"camera {source}")
            camera = self.cameras[source] = ShownCamera(source)
        match entry.event:
            case "arrived":
                self._on_arrived(camera, entry)
            case "link":
                camera.on_link(entry)
            case "statistics":
                for reason, count in camera.on_statistics(entry).items():
                    self._watcher.dropped(source, reason, count)
            case _:
                self._on_answering(camera, entry)
        self._changed(camera)

    def _on_arrived(self, camera: ShownCamera, entry: Entry) -> None:
        picture = self._find(camera, entry)
        if picture is None:
            picture = self._begin(camera, entry)
        size = int(entry.get("bytes", 0))
        reason = "late" if picture.decided_us is not None else "repeated"
        if picture.decided_us is None and picture.add_packet(entry):
            camera.bytes_now += size
            self._watcher.packet(camera.source, size)
        else:
            camera.drops[reason] += 1
            self._watcher.dropped(camera.source, reason, 1)

    def _on_answering(self, camera: ShownCamera, entry: Entry) -> None:
        picture = self._find(camera, entry)
        if picture is None:
            return
        match entry.event:
            case "collected":
                picture.deadline_us = entry.time_us + int(entry.get("left_us", 0))
                if entry.get("final"):
                    picture.decided_us, picture.whole = entry.time_us, bool(entry.get("whole"))
            case "result" if not picture.outcome:
                picture.add_answer(entry)
                if picture.outcome:
                    picture.decided_us = picture.decided_us or entry.time_us
                    camera.outcomes[picture.outcome] = camera.outcomes.get(picture.outcome, 0) + 1
                    seconds = (entry.time_us - picture.first_us) / 1e6
                    self._watcher.answered(camera.source, picture.outcome, seconds)
            case "picture":
                picture.enough = bool(entry.get("enough"))

    def _begin(self, camera: ShownCamera, entry: Entry) -> ShownPicture:
        picture = ShownPicture(
            next(self._numbers),
            camera.source,
            int(entry.get("image", 0)),
            int(entry.get("program", 0)),
            entry.time_us,
            entry.time_us + int(entry.get("remaining_ms", 0)) * 1000,
        )
        camera.pictures.append(picture)
        self._by_number[picture.number] = picture
        if len(camera.pictures) > KEPT:
            del self._by_number[camera.pictures.popleft().number]
        return picture

    def _find(self, camera: ShownCamera, entry: Entry) -> ShownPicture | None:
        image, program = entry.get("image"), entry.get("program")
        for picture in itertools.islice(reversed(camera.pictures), _OPEN):
            if picture.image == image and program in (picture.program, None):
                return picture if entry.time_us - picture.first_us < _AGAIN_US else None
        return None

    def _changed(self, camera: ShownCamera) -> None:
        self.version += 1
        camera.version = self.version
