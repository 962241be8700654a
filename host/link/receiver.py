"""The receiver: collects the packets of images and reports when an answer is due, for several cameras at once.

A protocol machine without I/O, as the sender. A picture's number says when its answer must leave the server, on this
clock. So the receiver knows the true deadline, however long the packets waited inside the radio. It reports an image,
as ``ImageCollected``, once for the final answer: when it is whole, or when the server has to begin. Before that it
reports it for provisional answers. The later an answer begins, the more it rests on, and the less likely it comes home
in time; the camera takes the best that does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..ranked import RankedPacket
from ..wire import MAX_PACKET, Configure, Control, Credit, Flush, Hop, Picture, Ping, Pong, Result, ResultStatus, Role
from .answer_times import ProvisionalTimes, latest_starts
from .answers import Class, cut_text, pack_classes, pack_ranks, sound_class
from .border import LONGEST_US, Flaw
from .channel import Sent
from .events import Event, ImageCollected, KeyFault, LinkChanged, Opened
from .image_number import CLOCK_MODULO_US, LEAST_SHARE, moment_us
from .sealing import FAULTS, KeyReports, ServerSeal
from .session import Session, State

#: Most images of one camera collected at a time; another one closes its image closest to its deadline.
MAX_OPEN = 64
#: Packets of an image closed within this time count as late, us; the number may be used again after 65.5 s.
REMEMBER_US = 10_000_000
#: Closed images of one camera that are remembered: more than it can send in that time, unless it is hostile.
MOST_REMEMBERED = 1024
#: Time between answers of a server that serves any number at a time, until the connection interval is known, us.
UNKNOWN_INTERVAL_US = 7_500

#: Packets of which there is an answer as soon as they are there, if the server serves any number at a time: the link
#: may fail before any later one.
EARLY = (1,)
#: Otherwise there is an early answer when there are so many times the packets of the one before, and so many service
#: times have passed: a picture with a long deadline may be recognised long before.
MORE, APART = 1.6, 2

_Key = tuple[int, int, int]  # source, image, program


@dataclass(slots=True)
class _Collection:
    deadline_us: int
    final_us: int  # when the server has to begin with the final answer
    early_us: list[int]  # when it should begin with provisional ones, the last one first
    reported_us: int  # when the last provisional answer was asked for; at first when the image was opened
    least_us: int  # no sooner, however slow the server seems to be
    last_rank: int | None = None
    packets: dict[int, RankedPacket] = field(default_factory=dict)
    arrived_us: dict[int, int] = field(default_factory=dict)
    reported: int = 0  # packets that the last provisional answer rests on

    @property
    def next_us(self) -> int:
        return min(self.final_us, self.early_us[-1]) if self.early_us else self.final_us

    @property
    def whole(self) -> bool:
        return self.last_rank is not None and all(rank in self.packets for rank in range(self.last_rank + 1))

    def agrees(self, rank: int, *, is_last: bool) -> bool:
        """Return whether a rank agrees with those before it about which one is the last."""
        if self.last_rank is not None:
            return rank < self.last_rank and not is_last
        return not is_last or all(other < rank for other in self.packets)


class Receiver:
    """The edge server's end of the link. Times are microseconds of the caller's clock.

    ``service_us`` is the time that the server needs for one picture, ``workers`` the number of pictures that it serves
    at a time (None: any number). ``late`` counts packets that arrived after their image was closed, ``repeated`` counts
    duplicates. ``seal`` opens the pictures with the cameras' keys; then no others are taken.
    """

    def __init__(
        self,
        *,
        nonce: int,
        configure: Configure | None = None,
        service_us: int = 0,
        workers: int | None = None,
        seal: ServerSeal | None = None,
    ) -> None:
        self.session = Session(configure or Configure(role=Role.EDGE, tx_power_dbm=127), nonce=nonce, name="recv")
        self.service_us = service_us
        self.workers = workers
        self.late = 0
        self.repeated = 0
        self._open: dict[_Key, _Collection] = {}
        self._closed_us: dict[int, dict[_Key, int]] = {}  # by source, in the order of closing
        self._provisional = ProvisionalTimes()
        self._serving: dict[_Key, int] = {}  # reported and not answered: how often, by image
        self._intervals_us: dict[int, int] = {}  # connection interval of each camera, by source
        self._seal = seal
        self._keys = KeyReports()
        self._strangers: set[int] = set()  # cameras that have a key while this server has none

    def start(self, now_us: int) -> None:
        """Send hello to the board, on a newly opened transport."""
        self.session.start(now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        """Take bytes from the transport; return the events."""
        events, packets = self.session.receive(now_us, data)
        for event in events:
            match event:
                case Opened():
                    self._send_again(now_us, self.session.take_abandoned())
                case LinkChanged():
                    self._intervals_us[event.source] = event.interval_us or UNKNOWN_INTERVAL_US
        for packet in packets:
            events += self._on_packet(now_us, packet)
        self._expect()
        return events

    def tick(self, now_us: int) -> list[Event]:
        """Advance the time; return events, among them the images for which an answer is due."""
        events = self.session.tick(now_us)
        due = [key for key, image in self._open.items() if now_us >= image.next_us]
        for key in sorted(due, key=lambda key: self._open[key].deadline_us):
            events += self._on_moment(now_us, key)
        self._forget(now_us)
        self._expect()
        return events

    def _forget(self, now_us: int) -> None:
        """Forget the images that were closed long ago, and the oldest of too many."""
        for closed in self._closed_us.values():
            while closed:
                key, closed_us = next(iter(closed.items()))
                if now_us - closed_us < REMEMBER_US and len(closed) <= MOST_REMEMBERED:
                    break
                del closed[key]
                self._serving.pop(key, None)

    def output(self) -> bytes:
        """Return the bytes for the transport; each is returned once."""
        return self.session.channel.output()

    def wake_at(self) -> int | None:
        """Return when ``tick`` is due if no bytes arrive before; None: never."""
        times = [self.session.wake_at(), *(image.next_us for image in self._open.values())]
        return min((time for time in times if time is not None), default=None)

    def answer(
        self,
        now_us: int,
        collected: ImageCollected,
        classes: Iterable[Class],
        *,
        service_us: int,
        used: Iterable[int],
    ) -> None:
        """Answer an image with its classes, most probable first, and the ranks that were used.

        Classes that no result can carry are left out and counted; with none left the image is refused.
        """
        given = list(classes)
        sound = [each for each in map(sound_class, given) if each is not None]
        if len(sound) < len(given):
            self.session.channel.border.count(Flaw.CLASSES)
        if given and not sound:
            self.refuse(now_us, collected, ResultStatus.FAILED, f"the server found {Flaw.CLASSES.value}")
            return
        text = pack_classes(sound, self._text_room)
        self._result(now_us, collected, ResultStatus.OK, text, service_us, tuple(used))

    @property
    def _text_room(self) -> int:
        return MAX_PACKET - Result.LAYOUT.size if self._seal is None else self._seal.text_room

    def refuse(self, now_us: int, collected: ImageCollected, status: ResultStatus, text: str = "") -> None:
        """Answer an image without classes; ``text`` is the cause."""
        self._result(now_us, collected, status, cut_text(text, self._text_room), 0, tuple(collected.arrived_us))

    def skip(self, collected: ImageCollected) -> None:
        """Take note that the server does not answer what was reported: a provisional answer that it has no time for."""
        self._on_served(collected)

    def finish(self, now_us: int, collected: ImageCollected) -> ImageCollected:
        """Collect no more of an image: return what is to be answered finally, so that its camera stops sending it."""
        key = (collected.source, collected.image, collected.program)
        if key in self._open:
            self._flush(now_us, key)
            self._end(now_us, key)
        return replace(collected, final=True)

    def _result(
        self,
        now_us: int,
        collected: ImageCollected,
        status: ResultStatus,
        text: bytes,
        service_us: int,
        used: tuple[int, ...],
    ) -> None:
        self._on_served(collected)
        if self.session.state is not State.OPEN:
            return
        last_us = max((collected.arrived_us[rank] for rank in used), default=collected.deadline_us)
        margin_ms = min(max((collected.deadline_us - last_us) // 1000, -0x8000), 0x7FFF)
        result = Result(
            image=collected.image,
            program=collected.program,
            status=status,
            more=int(not collected.final),
            margin_ms=margin_ms,
            service_us=min(max(0, service_us), LONGEST_US),
            clock_us=now_us % CLOCK_MODULO_US,
            ranks=pack_ranks(used),
            text=text,
            peer=collected.source,
        )
        sealed = result if self._seal is None else self._seal.result(result)
        if sealed is not None:
            self.session.channel.write(now_us, sealed)

    def _on_packet(self, now_us: int, packet: Picture | Control) -> list[Event]:
        match packet:
            case Picture():
                events: list[Event] = []
                for picture in self._opened_pictures(now_us, packet):
                    events += self._on_picture(now_us, picture)
                return events
            case Ping(hop=Hop.PEER_HOST):
                return self._on_ping(now_us, packet)
            case Credit():
                self._send_again(now_us, self.session.confirm(now_us, packet))
        return []

    def _on_ping(self, now_us: int, ping: Ping) -> list[Event]:
        """Answer a camera, and report a key that is not the same here."""
        pong = Pong(
            hop=ping.hop,
            token=ping.token,
            origin_us=ping.origin_us,
            service_us=min(max(0, self.service_us), LONGEST_US),
            clock_us=now_us % CLOCK_MODULO_US,
            peer=ping.peer,
        )
        fault = KeyFault.NONE_HERE if ping.seal else None
        if self._seal is not None:
            proof, pong = self._seal.pong(ping, pong)
            fault = FAULTS[proof]
        self.session.channel.write(now_us, pong)
        self._strangers.discard(ping.peer)
        if fault is None:
            self._keys.fine(ping.peer)
            return []
        if fault is KeyFault.NONE_HERE:
            self._strangers.add(ping.peer)
        return [*self._keys.fault(now_us, ping.peer, fault, at_camera=False)]

    def _opened_pictures(self, now_us: int, packet: Picture) -> list[Picture]:
        """Return the packets that can be used now that this one is there."""
        if self._seal is not None:
            return self._seal.open(now_us, packet, self.session.channel.border.count)
        return [] if packet.source in self._strangers else [packet]

    def _send_again(self, now_us: int, lost: Iterable[Sent]) -> None:
        for sent in lost:
            if isinstance(sent.packet, Result | Pong | Flush):
                self.session.channel.write(now_us, sent.packet)

    def _expect(self) -> None:
        """Let the session watch for lost packets of the images that are open."""
        self.session.expect_until(max((image.final_us for image in self._open.values()), default=None))

    def _on_picture(self, now_us: int, packet: Picture) -> list[Event]:
        key = (packet.source, packet.image, packet.program)
        if key in self._closed_us.get(packet.source, ()):
            self.late += 1
            return []
        events: list[Event] = []
        image = self._open.get(key)
        if image is None:
            others = [other for other in self._open if other[0] == packet.source]
            if len(others) >= MAX_OPEN:
                events.append(self._close(now_us, min(others, key=lambda k: self._open[k].deadline_us)))
            deadline_us = moment_us(packet.image, now_us + packet.remaining_ms * 1000)
            image = self._open[key] = self._opened(now_us, packet.source, deadline_us)
            self._plan()
        if packet.rank in image.packets:
            self.repeated += 1
            return events
        if not image.agrees(packet.rank, is_last=packet.last):
            self.session.channel.border.count(Flaw.LAST)
        image.packets[packet.rank] = RankedPacket(packet.rank, packet.position, packet.data)
        image.arrived_us[packet.rank] = now_us
        if packet.last:
            image.last_rank = packet.rank
        if image.whole:
            events.append(self._close(now_us, key))
        elif image.next_us > now_us and self._is_early_due(now_us, image):
            events += self._early(now_us, key)
        return events

    def _opened(self, now_us: int, source: int, deadline_us: int) -> _Collection:
        """Return a new collection with the moments at which it should be answered."""
        final_us = deadline_us - self.service_us
        interval_us = self._intervals_us.get(source, UNKNOWN_INTERVAL_US)
        early_us = self._provisional.before(final_us, interval_us, self.service_us, self.workers)
        least_us = now_us + round((deadline_us - now_us) * LEAST_SHARE)
        # Few workers wait: on a good link the image is whole before they have made half of a provisional answer.
        first_us = now_us if self.workers is None else now_us + self.service_us // 2
        return _Collection(
            deadline_us, final_us, [moment for moment in early_us if moment > first_us], now_us, least_us
        )

    def _plan(self) -> None:
        """Let the workers share the time: when more are due than they serve at a time, some have to begin early."""
        images = list(self._open.values())
        starts_us = latest_starts([image.deadline_us for image in images], self.service_us, self.workers)
        for image, start_us in zip(images, starts_us, strict=True):
            image.final_us = max(start_us, image.least_us)

    def _on_moment(self, now_us: int, key: _Key) -> list[Event]:
        image = self._open[key]
        if now_us >= image.final_us:
            return [self._close(now_us, key)]
        while image.early_us and image.early_us[-1] <= now_us:
            image.early_us.pop()
        return self._early(now_us, key)

    def _is_early_due(self, now_us: int, image: _Collection) -> bool:
        """Return whether what has just arrived is reason for an early answer."""
        count = len(image.packets)
        if self.workers is None:
            return count in EARLY
        return count >= MORE * image.reported and now_us - image.reported_us >= APART * self.service_us

    def _early(self, now_us: int, key: _Key) -> list[Event]:
        """Report an image for a provisional answer if it has more packets than before, and a worker to spare."""
        image = self._open[key]
        if len(image.packets) == image.reported or not self._has_worker(now_us):
            return []
        image.reported, image.reported_us = len(image.packets), now_us
        return [self._collected(key, final=False)]

    def _has_worker(self, now_us: int) -> bool:
        """Return whether a worker is idle and needed for no final answer meanwhile."""
        if self.workers is None:
            return True
        due = sum(image.final_us < now_us + self.service_us for image in self._open.values())
        return sum(self._serving.values()) + due < self.workers

    def _on_served(self, collected: ImageCollected) -> None:
        key = (collected.source, collected.image, collected.program)
        left = self._serving.pop(key, 1) - 1
        if left:
            self._serving[key] = left

    def _close(self, now_us: int, key: _Key) -> ImageCollected:
        collected = self._collected(key, final=True)
        if not collected.whole:
            self._flush(now_us, key)
        self._end(now_us, key)
        return collected

    def _end(self, now_us: int, key: _Key) -> None:
        del self._open[key]
        self._closed_us.setdefault(key[0], {})[key] = now_us

    def _flush(self, now_us: int, key: _Key) -> None:
        """Recall what the board still holds of an image: nobody waits for it any more."""
        source, image, _ = key
        self.session.channel.write(now_us, Flush(image=image, peer=source))

    def _collected(self, key: _Key, *, final: bool) -> ImageCollected:
        image = self._open[key]
        self._serving[key] = self._serving.get(key, 0) + 1
        packets = tuple(image.packets[rank] for rank in sorted(image.packets))
        return ImageCollected(*key, packets, image.whole, image.deadline_us, dict(image.arrived_us), final)
