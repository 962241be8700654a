"""The interface between a link and the bytes to its board."""

from __future__ import annotations

from typing import Protocol

from ..errors import PncError


class TransportError(PncError):
    """A transport that cannot be opened or that was lost. The text names the transport and the cause."""


class Transport(Protocol):
    """Bytes to and from one board. All methods are called from one asyncio event loop."""

    name: str

    async def open(self) -> None:
        """Open it, also again after it was lost; TransportError gives the cause."""

    def write(self, data: bytes) -> None:
        """Send bytes without blocking. Bytes for a lost transport are dropped."""

    async def read(self) -> bytes:
        """Wait for at least one byte; TransportError when the transport is lost."""

    async def close(self) -> None:
        """Close it; a second call does nothing."""
