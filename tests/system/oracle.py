"""What can be true: every picture that was sent, every packet that can have arrived, every answer that was given."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from host.link.events import Answer, ImageCollected, Unanswered
from host.link.receiver import REMEMBER_US
from host.ranked import RankedPacket
from host.wire import Picture

#: The latest end of a picture after its deadline, us: its grace, and the time until the program acts.
_GRACE_US = 501_000


def content(packets: Iterable[RankedPacket]) -> int:
    """Return a number of 16 bits that stands for the content of packets."""
    return zlib.crc32(b"".join(packet.data for packet in packets)) & 0xFFFF


@dataclass
class Sent:
    """A picture as a program sent it. Times on the model's clock."""

    packets: Sequence[RankedPacket]
    submitted_us: int
    deadline_us: int
    handed: dict[int, int] = field(default_factory=dict)  # by rank: when the edge board had it first
    outcome: Answer | Unanswered | None = None


@dataclass(frozen=True)
class Given:
    """An answer that the server gave."""

    ranks: frozenset[int]
    content: int | None


class DeviationError(AssertionError):
    """Something happened that cannot."""


class Oracle:
    """Knows what could have happened, and raises ``DeviationError`` for anything else."""

    def __init__(self, cameras: int) -> None:
        self.pictures: list[dict[int, list[Sent]]] = [{} for _ in range(cameras)]
        self._pending: list[dict[int, Sent]] = [{} for _ in range(cameras)]
        self._given: dict[tuple[int, int], list[Given]] = {}
        self._finished_us: dict[tuple[int, int, int], int] = {}
        self.answered = self.unanswered = 0

    def submitted(self, camera: int, number: int, sent: Sent) -> None:
        """Take note of a picture that a program sends."""
        if number in self._pending[camera]:
            raise DeviationError(f"number {number} was given twice")
        self.pictures[camera].setdefault(number, []).append(sent)
        self._pending[camera][number] = sent

    def killed(self, camera: int) -> None:
        """A camera's program was killed: its pictures end without an outcome."""
        self._pending[camera].clear()

    def server_killed(self) -> None:
        """The server's program was killed: the next one may finish an image again."""
        self._finished_us.clear()

    def on_air(self, now_us: int, camera: int, packet: Picture) -> None:
        """A packet reached the edge board: somebody must have sent it, and no earlier."""
        found = [sent for sent in self.pictures[camera].get(packet.image, ()) if self.is_of(sent, packet)]
        if not found:
            raise DeviationError(f"rank {packet.rank} of image {packet.image} is on the air and was never sent")
        for sent in found:
            sent.handed.setdefault(packet.rank, now_us)

    def is_of(self, sent: Sent, packet: Picture) -> bool:
        """Return whether a packet on the air is one of a picture."""
        return _has(sent, _ranked(packet))

    def on_collected(self, now_us: int, event: ImageCollected) -> None:
        """The server has packets: all must be of one picture, and must have come over the air."""
        fits = [
            sent
            for sent in self.pictures[event.source].get(event.image, ())
            if all(_has(sent, packet) and packet.rank in sent.handed for packet in event.packets)
        ]
        if not fits:
            raise DeviationError(f"the server has an image {event.image} that nobody sent, or mixes two")
        if event.whole and not any(len(event.packets) == len(sent.packets) for sent in fits):
            raise DeviationError(f"image {event.image} is not whole")
        if event.final:
            self.finished(now_us, event)

    def finished(self, now_us: int, event: ImageCollected) -> None:
        """The server collects no more of an image."""
        key = (event.source, event.image, event.program)
        if now_us - self._finished_us.get(key, -REMEMBER_US) < REMEMBER_US:
            raise DeviationError(f"image {event.image} was finished twice")
        self._finished_us[key] = now_us

    def on_given(self, event: ImageCollected, packets: Sequence[RankedPacket]) -> int:
        """The server answers; return what its answer says."""
        ranks = frozenset(packet.rank for packet in packets)
        said = content(packets)
        self._given.setdefault((event.source, event.image), []).append(Given(ranks, said))
        return said

    def on_refused(self, event: ImageCollected) -> None:
        """The server answers without a class."""
        ranks = frozenset(packet.rank for packet in event.packets)
        self._given.setdefault((event.source, event.image), []).append(Given(ranks, None))

    def clock_stepped(self, camera: int, step_us: int) -> None:
        """The clock of a camera computer jumped ahead: its deadlines came nearer."""
        for sent in self._pending[camera].values():
            sent.deadline_us -= step_us

    def on_outcome(self, now_us: int, camera: int, event: Answer | Unanswered) -> None:
        """A camera's program reports: it must be about a picture that waits, and be what the server said."""
        sent = self._pending[camera].get(event.image)
        if sent is None:
            raise DeviationError(f"an outcome of image {event.image}, which waits for none")
        if isinstance(event, Answer):
            self._check_answer(now_us, camera, sent, event)
            if not event.final:
                return
            self.answered += 1
        else:
            if now_us < sent.deadline_us:
                raise DeviationError(f"image {event.image} is given up before its deadline")
            self.unanswered += 1
        del self._pending[camera][event.image]
        sent.outcome = event

    def _check_answer(self, now_us: int, camera: int, sent: Sent, event: Answer) -> None:
        said = event.classes[0][0] if event.classes else None
        given = self._given.get((camera, event.image), ())
        if not any(one.content == said and event.ranks <= one.ranks for one in given):
            raise DeviationError(f"image {event.image} has an answer that the server never gave")
        if said is not None and said != content(packet for packet in sent.packets if packet.rank in event.ranks):
            raise DeviationError(f"image {event.image} has the answer of another picture")
        if any(rank not in sent.handed for rank in event.ranks):
            raise DeviationError(f"the answer to image {event.image} rests on what never arrived")
        if not event.final and (now_us > sent.deadline_us) != event.late:
            raise DeviationError(f"image {event.image}: late is {event.late}")

    def check_times(self, now_us: int) -> None:
        """No picture may wait for longer than its grace."""
        for pending in self._pending:
            for number, sent in pending.items():
                if now_us > sent.deadline_us + _GRACE_US:
                    raise DeviationError(
                        f"image {number} has no outcome {now_us - sent.deadline_us} us after its deadline"
                    )

    def outcome_of(self, camera: int, number: int) -> Answer | Unanswered | None:
        """Return how the last picture of a number ended."""
        return self.pictures[camera][number][-1].outcome


def _ranked(packet: Picture) -> RankedPacket:
    return RankedPacket(packet.rank, packet.position, packet.data)


def _has(sent: Sent, packet: RankedPacket) -> bool:
    return packet.rank < len(sent.packets) and sent.packets[packet.rank] == packet
