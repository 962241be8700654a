"""One camera as the page shows it: its link, its last pictures, and 30 s of figures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ..log.entry import Entry
from .picture import ShownPicture

#: Seconds of figures.
SECONDS = 30
#: Pictures of a camera that can be looked at.
KEPT = 12
#: Why a packet was dropped: by the queue of the edge's board, or since it was of no use to the server.
REASONS = ("expired", "evicted", "flushed", "late", "repeated")


@dataclass(slots=True)
class ShownCamera:
    """A camera. ``version`` grows with every change."""

    source: int
    version: int = 0
    state: str = "down"
    phy: str = ""
    interval_us: int = 0
    mtu: int = 0
    rssi_dbm: int | None = None
    waiting: int = 0
    drops: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    pictures: deque[ShownPicture] = field(default_factory=deque)  # the oldest first
    outcomes: dict[str, int] = field(default_factory=dict)
    goodput_bps: deque[int] = field(default_factory=lambda: deque(maxlen=SECONDS))
    queue: deque[int] = field(default_factory=lambda: deque(maxlen=SECONDS))
    rssi: deque[int | None] = field(default_factory=lambda: deque(maxlen=SECONDS))
    bytes_now: int = 0  # codec bytes that arrived since the last second

    def on_link(self, entry: Entry) -> None:
        """Take a change of the connection."""
        self.state, self.phy = str(entry.get("state", "down")), str(entry.get("phy", ""))
        self.interval_us, self.mtu = int(entry.get("interval_us", 0)), int(entry.get("mtu", 0))
        if self.state != "up":
            self.rssi_dbm, self.waiting = None, 0

    def on_statistics(self, entry: Entry) -> dict[str, int]:
        """Take the board's statistics; return how much more was dropped than before, by reason."""
        more = {}
        for reason in ("expired", "evicted", "flushed"):
            total = int(entry.get(reason, 0))
            more[reason] = max(0, total - self.drops[reason])  # a board that was reset begins at 0 again
            self.drops[reason] = total
        rssi = entry.get("rssi_dbm")
        self.rssi_dbm = rssi if isinstance(rssi, int) else None
        self.waiting = int(entry.get("waiting", 0))
        return more

    def second(self) -> None:
        """Begin the next second of the figures."""
        self.goodput_bps.append(self.bytes_now * 8)
        self.queue.append(self.waiting)
        self.rssi.append(self.rssi_dbm)
        self.bytes_now = 0

    def as_json(self) -> dict[str, Any]:
        """Return everything that the page shows of it."""
        return {
            "camera": self.source,
            "state": self.state,
            "phy": self.phy,
            "interval_ms": self.interval_us / 1000,
            "rssi_dbm": self.rssi_dbm,
            "waiting": self.waiting,
            "drops": self.drops,
            "outcomes": self.outcomes,
            "goodput_bps": list(self.goodput_bps),
            "queue": list(self.queue),
            "rssi": list(self.rssi),
            "picture": self.pictures[-1].as_json() if self.pictures else None,
            "history": [picture.summary() for picture in self.pictures],
        }
