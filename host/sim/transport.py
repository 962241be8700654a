"""A virtual board's serial line as a port of this process, where there are no pseudo-terminals (Windows)."""

from __future__ import annotations

import asyncio

from ..transport.transport import TransportError
from .world import Node


class SimTransport:
    """The host's end of a line in a world that runs in real time; ``wake`` tells the world that there are bytes."""

    def __init__(self, node: Node, wake: asyncio.Event) -> None:
        self.name = f"virtual {node.board.name} board"
        self._line = node.line
        self._wake = wake
        self._received: asyncio.Queue[bytes] = asyncio.Queue()

    async def open(self) -> None:
        """Open it; TransportError when another port of this process has the line."""
        if self._line.on_bytes is not None:
            raise TransportError(f"{self.name}: in use")
        self._received = asyncio.Queue()
        self._line.on_bytes = self._received.put_nowait
        self._line.wake()
        self._wake.set()

    def write(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._line.write(data)
        self._wake.set()

    async def read(self) -> bytes:
        """Wait for bytes."""
        return await self._received.get()

    async def close(self) -> None:
        """Let go of the line."""
        if self._line.on_bytes == self._received.put_nowait:
            self._line.on_bytes = None
