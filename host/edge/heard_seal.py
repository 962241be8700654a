"""A server's side of its keys, with a listener: an event log and a live page show what the line carries sealed."""

from __future__ import annotations

from collections.abc import Callable

from ..link.border import Flaw
from ..link.sealing import Proof, ServerSeal
from ..wire import Picture, Ping, Pong, Result


class HeardSeal:
    """A ``ServerSeal`` that also gives opened pictures' packets, and answers before they are sealed, to a listener."""

    def __init__(self, seal: ServerSeal, on_opened: Callable[[Picture | Result], None]) -> None:
        self._seal = seal
        self._on_opened = on_opened
        self.text_room = seal.text_room

    def pong(self, ping: Ping, pong: Pong) -> tuple[Proof, Pong]:
        """Return what a ping proves, and the answer."""
        return self._seal.pong(ping, pong)

    def open(self, now_us: int, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        """Return the packets that can be opened now."""
        opened = self._seal.open(now_us, packet, refuse)
        for each in opened:
            self._on_opened(each)
        return opened

    def result(self, result: Result) -> Result | None:
        """Return a sealed answer."""
        sealed = self._seal.result(result)
        if sealed is not None:
            self._on_opened(result)
        return sealed
