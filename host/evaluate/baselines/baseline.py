"""What a rival codec is."""

from __future__ import annotations

from typing import Protocol

from ..subject import Picture


class Rival(Protocol):
    """A picture format with a quality that is set while encoding."""

    @property
    def name(self) -> str: ...

    @property
    def progressive(self) -> bool:
        """Whether one stream may be cut at any byte. If so the last quality of ``ladder`` is that stream's."""
        ...

    @property
    def ladder(self) -> tuple[int, ...]:
        """The qualities that are tried to fill a budget, rising."""
        ...

    @property
    def curve(self) -> tuple[int, ...]:
        """Those of them at which all pictures are measured."""
        ...

    def encode(self, picture: Picture, quality: int) -> bytes:
        """uint8 [224, 224, 3] RGB to a whole file."""
        ...

    def decode(self, data: bytes) -> Picture:
        """A file, or of a progressive rival the beginning of one, to uint8 [224, 224, 3]; never raises. What cannot
        be decoded is grey."""
        ...

    def overhead_bytes(self, data: bytes) -> int:
        """How many bytes of a file are a container around the coded picture."""
        ...

    def settings(self) -> dict[str, object]:
        """Options and versions of libraries, ready for JSON."""
        ...
