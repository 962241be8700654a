"""A transport in memory, for boards of this process. It needs no pseudo-terminals, which Windows lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import Reason
from .driver import now_us
from .line import Line
from .transport import TransportError


class InMemoryTransport:
    """The host's end of a line in this process; ``on_write`` is called when the line has new bytes for its board."""

    def __init__(self, name: str, line: Line, on_write: Callable[[], None]) -> None:
        self.name = name
        self._line = line
        self._on_write = on_write
        self._received: asyncio.Queue[bytes] = asyncio.Queue()

    async def open(self) -> None:
        """Attach to the line; TransportError if another transport is attached."""
        if self._line.on_bytes is not None:
            raise TransportError(f"{self.name}: in use", reason=Reason.PORT_BUSY)
        self._received = asyncio.Queue()
        self._line.on_bytes = self._received.put_nowait
        self._line.wake()
        self._on_write()

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._line.write(now_us(), data)
        self._on_write()

    async def read(self) -> bytes:
        """Wait for bytes."""
        return await self._received.get()

    async def close(self) -> None:
        """Detach from the line."""
        if self._line.on_bytes == self._received.put_nowait:
            self._line.on_bytes = None
