"""Where the pictures of a stream come from: files, a watched folder, standard input, a live camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from ..codec import load_picture
from ..codec.picture import OnNotice


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """A picture that a source gives: its pixels may still have to be read and decoded."""

    name: str  # of the file, or of the camera with the number of the picture
    load: Callable[[OnNotice], np.ndarray]  # blocks; pixels as uint8 [224, 224, 3] RGB; may raise PictureError
    taken_us: int | None = None  # when it was taken, by ``now_us``; None: its time begins when its pixels are read


class Source(Protocol):
    """Gives pictures, one at a time. Use it as an asynchronous context manager."""

    @property
    def total(self) -> int | None:
        """The number of its pictures; None if that is not known."""

    @property
    def skipped(self) -> int:
        """How many pictures were left out so far, because a newer one was there before they could be sent."""

    async def __aenter__(self) -> Self:
        """Begin. Raises SourceError if that is impossible."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def next(self) -> SourcePicture | None:
        """Wait for the next picture and return it; None if there will be no more."""


class FileSource:
    """Picture files in a given order. None is left out.

    Args:
        files: the files.
        centre: whether the middle square of each is sent, not the whole picture (``load_picture``).
    """

    def __init__(self, files: Sequence[Path], *, centre: bool = False) -> None:
        self._files = files
        self._centre = centre
        self._given = 0

    @property
    def total(self) -> int:
        return len(self._files)

    @property
    def skipped(self) -> int:
        return 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: no file is open between two pictures."""

    async def next(self) -> SourcePicture | None:
        if self._given == len(self._files):
            return None
        file = self._files[self._given]
        self._given += 1
        return picture_file(file, centre=self._centre)


def picture_file(file: Path, *, centre: bool, taken_us: int | None = None) -> SourcePicture:
    """Return the picture in a file."""
    return SourcePicture(str(file), partial(load_picture, file, centre=centre), taken_us)
