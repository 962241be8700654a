"""What a port is to the link: a way for bytes to and from one board."""

from __future__ import annotations

from typing import Protocol

from ..errors import PncError


class TransportError(PncError):
    """A port that cannot be opened, or that went away; the text is one line for a person."""


class Transport(Protocol):
    """Bytes to and from one board. All methods are called from one asyncio event loop."""

    name: str

    async def open(self) -> None:
        """Open it, also again after it was lost; TransportError says what is wrong."""

    def write(self, data: bytes) -> None:
        """Put bytes on their way; never blocks. Bytes for a port that is lost are dropped."""

    async def read(self) -> bytes:
        """Wait for bytes, at least one; TransportError when the port is lost."""

    async def close(self) -> None:
        """Close it; a second time does nothing."""
