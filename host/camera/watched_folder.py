"""A folder into which another program writes pictures: each one that is new is sent."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import Reason
from ..files import open_to_read
from ..text import printable
from .errors import SourceError
from .pictures import pictures_in
from .source import SourcePicture, picture_file

#: Pause between two looks at the folder, s; in a large folder so many times as long as the look took.
POLL_S, POLL_SHARE = 0.05, 5
#: A file without a known end is complete when it has not changed for this time, s.
SETTLED_S = 0.5
#: The last bytes of a complete file, by its suffix. Programs write them last.
_ENDS = {".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82"}

#: Time of change, size and number of a file: another one if its content was replaced.
_Version = tuple[int, int, int]


class WatchedFolder:
    """Gives each picture that is new in a folder, or that was replaced, as soon as it is complete.

    Of several that are complete the newest is next, and the others are skipped. What is in the folder at the start is
    not sent. A folder that goes away is waited for.

    Args:
        folder: the folder.
        recursive: whether its subfolders are watched, too.
        centre: whether the middle square of each picture is sent, not the whole (``load_picture``).
        on_notice: is called in the event loop with a line when the folder goes away, and when it is back.
    """

    def __init__(
        self,
        folder: Path,
        *,
        recursive: bool = False,
        centre: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._recursive = recursive
        self._centre = centre
        self._on_notice = on_notice
        self._sent: dict[Path, _Version] = {}
        self._growing: dict[Path, tuple[_Version, float]] = {}  # and since when it has been so, s
        self._skipped = 0
        self._away = False
        self._pause_s = POLL_S

    @property
    def total(self) -> None:
        return None

    @property
    def skipped(self) -> int:
        return self._skipped

    async def __aenter__(self) -> Self:
        """Take note of what is there. Raises SourceError if the folder cannot be read."""
        try:
            self._sent = await asyncio.to_thread(self._versions)
        except OSError as error:
            cause = error.strerror or error
            raise SourceError(f"{self._folder}: cannot be watched ({cause})", reason=Reason.BAD_USAGE) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: the folder is not open between two looks."""

    async def next(self) -> SourcePicture:
        while True:
            try:
                found = await asyncio.to_thread(self._look)
            except OSError as error:
                self._notice_away(f"{self._folder}: {error.strerror or error}: waiting for it to come back")
            else:
                if self._away:
                    self._notice(f"{self._folder}: the folder is back")
                self._away = False
                if found is not None:
                    return picture_file(found, centre=self._centre)
            await asyncio.sleep(self._pause_s)

    def _look(self) -> Path | None:
        """Return the newest of the files that have become complete. Raises OSError."""
        start_s = time.monotonic()
        versions = self._versions()
        self._sent = {path: version for path, version in self._sent.items() if path in versions}
        new = {path: version for path, version in versions.items() if self._sent.get(path) != version}
        growing, self._growing = self._growing, {}
        complete: list[Path] = []
        for path, version in new.items():
            before, since_s = growing.get(path, (version, start_s))
            if before != version:
                since_s = start_s
            if start_s - since_s >= SETTLED_S or _has_end(path):
                complete.append(path)
                self._sent[path] = version
            else:
                self._growing[path] = version, since_s
        self._pause_s = max(POLL_S, POLL_SHARE * (time.monotonic() - start_s))
        if not complete:
            return None
        self._skipped += len(complete) - 1
        return max(complete, key=lambda path: (versions[path][0], path))

    def _versions(self) -> dict[Path, _Version]:
        """Return the pictures in the folder. Raises OSError."""
        if not self._folder.is_dir():
            os.listdir(self._folder)  # raises the reason
        versions = {}
        for path in pictures_in(self._folder, self._recursive):
            try:
                status = path.stat()
            except OSError:  # it was removed meanwhile
                continue
            versions[path] = status.st_mtime_ns, status.st_size, status.st_ino
        return versions

    def _notice_away(self, text: str) -> None:
        if not self._away:
            self._notice(text)
        self._away = True

    def _notice(self, text: str) -> None:
        if self._on_notice is not None:
            self._on_notice(printable(text))


def _has_end(path: Path) -> bool:
    """Return whether a file ends as files of its format do."""
    end = _ENDS.get(path.suffix.lower())
    if end is None:
        return False
    try:
        with open_to_read(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(end)))
            return file.read() == end
    except OSError:
        return False
