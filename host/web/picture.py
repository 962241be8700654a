"""One picture as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..log.entry import Entry
from ..ranked import RankedPacket

#: Packets of a picture that the page keeps.
MOST_PACKETS = 256
#: Answers of a picture that the page keeps.
_MOST_ANSWERS = 40


@dataclass(slots=True)
class ShownPicture:
    """A picture whose packets arrive. Times in us, on the clock of the log.

    ``number`` is unique as long as the page runs, other than ``image``, the number on the wire, which comes round.
    A *revision* is the number of packets that have arrived: revision 5 is the picture decoded from the first five.
    """

    number: int
    source: int
    image: int
    program: int
    first_us: int
    deadline_us: int
    packets: list[tuple[RankedPacket, int]] = field(default_factory=list)  # in the order of arrival, and when
    last_rank: int | None = None
    decided_us: int | None = None
    whole: bool = False
    enough: bool = False
    answers: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = ""  # ok, nothing, failed; empty while it is open

    @property
    def key(self) -> tuple[int, int, int]:
        """What identifies it in the log."""
        return self.source, self.image, self.program

    @property
    def revision(self) -> int:
        """The number of packets that have arrived."""
        return len(self.packets)

    def add_packet(self, entry: Entry) -> bool:
        """Take a packet; return False if it was there, or is one too many."""
        rank = int(entry.get("rank", 0))
        if len(self.packets) >= MOST_PACKETS or any(each.rank == rank for each, _ in self.packets):
            return False
        packet = RankedPacket(rank, int(entry.get("position", 0)), entry.payload)
        self.packets.append((packet, entry.time_us))
        if entry.get("last"):
            self.last_rank = rank
        return True

    def add_answer(self, entry: Entry) -> None:
        """Take an answer that left for the camera."""
        answer = {
            "ms": self._ms(entry.time_us),
            "final": bool(entry.get("final")),
            "status": str(entry.get("status", "")),
            "packets": int(entry.get("packets", 0)),
            "top": [[str(label), float(probability)] for _, label, probability in entry.get("top", [])],
        }
        if len(self.answers) < _MOST_ANSWERS or answer["final"]:
            self.answers.append(answer)
        if answer["final"]:
            self.outcome = str(answer["status"])

    def summary(self) -> dict[str, Any]:
        """Return what a list of pictures shows of it."""
        best = next((answer["top"][0] for answer in reversed(self.answers) if answer["top"]), None)
        return {
            "id": self.number,
            "image": self.image,
            "best": best,
            "outcome": self.outcome,
            "enough": self.enough,
            "bytes": sum(len(packet.data) for packet, _ in self.packets),
            "revision": self.revision,
        }

    def as_json(self) -> dict[str, Any]:
        """Return everything that the page shows of it; times in ms from its first packet."""
        highest = max((packet.rank for packet, _ in self.packets), default=-1)
        return self.summary() | {
            "camera": self.source,
            "deadline_ms": self._ms(self.deadline_us),
            "packets": [[packet.rank, len(packet.data), self._ms(at_us)] for packet, at_us in self.packets],
            "ranks": highest + 1 if self.last_rank is None else self.last_rank + 1,
            "all_known": self.last_rank is not None,
            "whole": self.whole,
            "decided_ms": None if self.decided_us is None else self._ms(self.decided_us),
            "answers": self.answers,
        }

    def _ms(self, time_us: int) -> float:
        return round((time_us - self.first_us) / 1000, 1)
