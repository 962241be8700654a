"""What a live source has for the next who asks: the newest picture, and no queue of older ones."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Keeps the newest of the items that are put, until it is taken. It belongs to one event loop."""

    def __init__(self) -> None:
        #: How many items a newer one replaced before they were taken.
        self.replaced = 0
        self.is_ended = False
        self._items: list[T] = []  # at most one
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Replace what is there."""
        self.replaced += len(self._items)
        self._items = [item]
        self._changed.set()

    def clear(self) -> None:
        """Forget what is there: it is too old by the time that somebody asks."""
        self._items = []

    def end(self) -> None:
        """Take note that nothing will be put any more."""
        self.is_ended = True
        self._changed.set()

    async def wait(self) -> None:
        """Wait until something is there, or nothing will be."""
        while not self._items and not self.is_ended:
            self._changed.clear()
            await self._changed.wait()

    async def take(self) -> T | None:
        """Wait for an item and take it; None if there will be no more."""
        await self.wait()
        return self._items.pop() if self._items else None
