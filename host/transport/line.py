"""The interface of a serial line that ends in this process, behind an in-memory transport or a pseudo-terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Line(Protocol):
    """A line to a board in this process. ``on_bytes`` takes bytes for the host; None while no host is attached."""

    on_bytes: Callable[[bytes], None] | None

    def write(self, now_us: int, data: bytes) -> None:
        """Take bytes from the host, which writes them now."""

    def wake(self) -> None:
        """Deliver the bytes that wait for the host."""

    def stall(self, stalled: bool) -> None:
        """Stop delivering bytes to the host, or resume."""
