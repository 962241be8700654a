"""What the experiment needs of a policy's two ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..link.answers import Class
from ..link.events import ImageCollected
from ..ranked import RankedPacket
from ..transport.driver import ProtocolMachine
from ..wire import ResultStatus


class CameraEnd(ProtocolMachine, Protocol):
    """A sender of pictures."""

    @property
    def ready(self) -> bool:
        """Whether the edge server has answered across the link."""

    def part_bytes(self) -> tuple[int, int]:
        """Return how many codec bytes the first part of a picture should have, and the longest."""

    def submit(self, now_us: int, packets: Sequence[RankedPacket], deadline_us: int) -> int:
        """Send a picture whose answer is due at ``deadline_us``; return its number.

        Raises DeadlineInfeasibleError when it refuses the deadline.
        """


class ServerEnd(ProtocolMachine, Protocol):
    """A receiver of pictures. It reports each by an ``ImageCollected``."""

    def refuse(self, now_us: int, collected: ImageCollected, status: ResultStatus, text: str = "") -> None:
        """Answer a picture without classes."""

    def skip(self, collected: ImageCollected) -> None:
        """Take note that a provisional answer is not given."""

    def answer(
        self,
        now_us: int,
        collected: ImageCollected,
        classes: Iterable[Class],
        *,
        service_us: int,
        used: Iterable[int],
    ) -> None:
        """Answer a picture; ``used`` are the ranks that its classes rest on."""
