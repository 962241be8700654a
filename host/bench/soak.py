"""Sends very many pictures over virtual boards in virtual time: what ends in time, and whether memory stays flat.

The radio is jammed heavily (trace ``heavy``), both serial lines lose frames to bit errors, and the edge server's line
stands still for a second now and then.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..link.events import Answer, Event, ImageCollected, Unanswered
from ..link.receiver import Receiver
from ..link.sender import Sender
from ..ranked import RankedPacket, split
from ..sim.trace import Trace
from ..sim.virtual import VirtualHost
from ..sim.world import World, WorldSettings
from ..wire import MAX_CODEC_BYTES

PICTURES = 100_000
PARTS = 10
#: The last tenth may hold so many more blocks of memory than the second one, and take so many times as long.
MOST_BLOCKS, MOST_TIME = 2_000, 1.25
#: Of all pictures, the least share in time and the largest one without an answer: 0.991 and 0.008 were measured.
LEAST_IN_TIME, MOST_UNANSWERED = 0.95, 0.04
_PACKETS = [RankedPacket(rank, rank, bytes([rank]) * MAX_CODEC_BYTES) for rank in range(6)]
_DEADLINE_US, _SERVICE_US = 300_000, 50_000
_BIT_ERRORS = 1e-5
_STALL_EVERY_US, _STALL_US = 97_000_000, 1_000_000
_WARM_UP_US = 3_000_000
#: A picture that has not ended so long after its deadline never will, us.
_GRACE_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the run.

    ``pictures`` were to be sent up to its end. ``ended`` counts final answers and pictures without one, ``again`` those
    of pictures that had ended before: each picture ends once. ``in_time`` and ``unanswered`` are shares; ``p50_ms`` and
    ``p99_ms`` the times from a picture to the answer that it ends with; ``memory_blocks``: blocks of memory that
    Python's objects hold at the end of the part.
    """

    pictures: int
    ended: int
    again: int
    in_time: float
    unanswered: float
    p50_ms: float
    p99_ms: float
    resent: int
    memory_blocks: int


class _Soak:
    def __init__(self, pictures: int) -> None:
        settings = WorldSettings(trace=Trace.read("heavy"), noise=_BIT_ERRORS)
        self._world = World(settings)
        self._schedule = self._world.schedule
        self._left = pictures
        self.ended: Counter[str] = Counter()
        self.times_ms: list[float] = []
        self._submitted_us: dict[int, int] = {}
        self._sender = Sender(nonce=1)
        self._receiver = Receiver(nonce=2, service_us=_SERVICE_US)
        self._camera = VirtualHost(self._schedule, self._world.cameras[0].line, self._sender, self._on_camera)
        self._server = VirtualHost(self._schedule, self._world.edge.line, self._receiver, self._on_edge)
        self._schedule.at(_WARM_UP_US, self._next)
        self._schedule.every(_STALL_EVERY_US, self._stall)

    @property
    def count(self) -> int:
        """Pictures that have ended."""
        return self.ended["in time"] + self.ended["late"] + self.ended["unanswered"]

    def run(self, pictures: int) -> None:
        """Run until so many pictures have ended, or must have."""
        limit_us = _WARM_UP_US + pictures * _DEADLINE_US + _GRACE_US
        while self.count < pictures and self._schedule.now_us < limit_us:
            self._schedule.run_until(self._schedule.now_us + _DEADLINE_US)

    def _next(self) -> None:
        now_us = self._schedule.now_us
        number = self._sender.submit(now_us, split(_PACKETS, *self._sender.part_bytes()), now_us + _DEADLINE_US)
        self._submitted_us[number] = now_us
        self._camera.wake()
        self._left -= 1
        if self._left:
            self._schedule.at(now_us + _DEADLINE_US, self._next)

    def _stall(self) -> None:
        line = self._world.edge.line
        line.stall(True)
        self._schedule.at(self._schedule.now_us + _STALL_US, partial(line.stall, False))

    def _on_camera(self, event: Event) -> None:
        match event:
            case Answer(final=True):
                sent_us = self._on_end(event, "late" if event.late else "in time")
                if sent_us is not None:
                    self.times_ms.append((event.answered_us - sent_us) / 1000)
            case Unanswered():
                self._on_end(event, "unanswered")

    def _on_end(self, event: Answer | Unanswered, how: str) -> int | None:
        """Count an end; return when the picture was sent, None if it had ended before."""
        sent_us = self._submitted_us.pop(event.image, None)
        self.ended["again" if sent_us is None else how] += 1
        self.ended["resent"] += event.resent
        return sent_us

    def _on_edge(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            self._schedule.at(self._schedule.now_us + _SERVICE_US, partial(self._answer, event))

    def _answer(self, collected: ImageCollected) -> None:
        used = [packet.rank for packet in collected.packets]
        self._receiver.answer(self._schedule.now_us, collected, [], service_us=_SERVICE_US, used=used)
        self._server.wake()


def run(pictures: int = PICTURES) -> dict[str, Any]:
    """Return a row for each tenth of the pictures, and whether memory and times stayed as they were."""
    soak, rows, before = _Soak(pictures), list[Row](), Counter[str]()
    for part in range(1, PARTS + 1):
        soak.run(pictures * part // PARTS)
        new = soak.ended - before
        before = soak.ended.copy()
        ended = new["in time"] + new["late"] + new["unanswered"]
        in_time, unanswered = (round(new[how] / max(ended, 1), 4) for how in ("in time", "unanswered"))
        times, soak.times_ms = sorted(soak.times_ms), []
        p50_ms, p99_ms = (round(times[int(len(times) * share)], 1) if times else 0.0 for share in (0.5, 0.99))
        gc.collect()
        blocks = sys.getallocatedblocks()
        sent = pictures * part // PARTS
        rows.append(Row(sent, ended, new["again"], in_time, unanswered, p50_ms, p99_ms, new["resent"], blocks))
    notes, passed = _verdict(rows)
    return {"rows": [asdict(row) for row in rows], "notes": notes, "passed": passed}


def _verdict(rows: Sequence[Row]) -> tuple[list[str], bool]:
    """Return the last lines, and whether the run is within the bar. The first tenth is warm-up."""
    first, last = rows[1], rows[-1]
    grown = {name: getattr(last, name) / max(getattr(first, name), 1e-9) for name in ("p50_ms", "p99_ms")}
    more_blocks = last.memory_blocks - first.memory_blocks
    ended = sum(row.ended for row in rows)
    in_time, unanswered = (
        sum(getattr(row, name) * row.ended for row in rows) / max(ended, 1) for name in ("in_time", "unanswered")
    )
    bars = {
        "NOT FLAT": more_blocks <= MOST_BLOCKS and max(grown.values()) <= MOST_TIME,
        "NOT EACH ENDED ONCE": ended == last.pictures and not any(row.again for row in rows),
        "TOO FEW IN TIME": in_time >= LEAST_IN_TIME,
        "TOO MANY UNANSWERED": unanswered <= MOST_UNANSWERED,
    }
    missed = [bar for bar, kept in bars.items() if not kept]
    notes = [f"last tenth / second tenth, {name}: {value:.3f}" for name, value in grown.items()]
    notes.append(f"{in_time:.1%} in time, {unanswered:.1%} unanswered")
    notes.append(
        f"{ended} of {last.pictures} pictures ended, {more_blocks:+} blocks of memory: {', '.join(missed) or 'flat'}"
    )
    return notes, not missed
