"""The reference scene: two boards meet, a picture is sent and answered, and again after a fault.

Camera computer, camera board, edge board and edge server run from their start. The first picture is sent at a fixed
moment. If a fault has happened, another one is sent a second later: it must be answered, whole and in time.
With ``key`` both ends have a key, so the pictures are sealed.
"""

from __future__ import annotations

import functools
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from host.link.events import Answer, Event, Failed, ImageCollected, Implausible, KeyMismatch, Unanswered
from host.link.receiver import Receiver
from host.link.sealing import CameraSeal, ServerSeal
from host.link.sender import DeadlineInfeasibleError, Sender
from host.ranked import RankedPacket
from host.sim.virtual import VirtualHost
from host.sim.world import World, WorldSettings
from host.wire import MAX_CODEC_BYTES
from tests.faults.clocks import SteppedMachine
from tests.faults.fault import STEPS, Fault
from tests.faults.injector import Injector
from tests.sim.scene import adds_up

#: When the first picture is sent, and each picture's deadline, us.
FIRST_US, DEADLINE_US, SERVICE_US = 150_000, 300_000, 20_000
PACKETS = 8
#: After a fault the link has this time to recover, us.
RECOVERY_US = 1_000_000
#: A picture ends at the latest half a second after its deadline.
_GRACE_US = 500_000
#: Half a minute before the boards' clocks overflow, so that they do it in long scenes.
_START_US = (1 << 32) - 30_000_000


@dataclass
class Outcome:
    """What happened in a run. ``wrong`` has a line for each fault of the system; without any, the run is sound."""

    happened_us: dict[Fault, int] = field(default_factory=dict)
    recovered: bool = True
    whole: bool = False  # the first picture was answered whole and in time
    wrong: list[str] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    credits: Mapping[str, Sequence[range]] = field(default_factory=dict)
    ended_us: int = 0

    @property
    def sound(self) -> bool:
        """Whether the link recovered, no picture was taken for another one, and all accounts are exact."""
        return self.recovered and not self.wrong


def picture(number: int, *, key: bool = False) -> list[RankedPacket]:
    """Return a picture's packets, different for each number, in bytes that also have zeros; full ones, also sealed."""
    bits = random.Random(number)

    def content(size: int) -> bytes:
        return bytes(bits.choice((0, bits.randrange(256))) for _ in range(size))

    sizes = sealed_sizes(PACKETS) if key else [MAX_CODEC_BYTES] * PACKETS
    return [RankedPacket(rank, number % 65536, content(size)) for rank, size in enumerate(sizes)]


def sealed_sizes(packets: int) -> list[int]:
    """Return how many codec bytes the packets of a picture can carry with a key."""
    from host.seal.cipher import FIRST_ROOM, ROOM

    return [FIRST_ROOM, *[ROOM] * (packets - 1)]


def seals(seed: int) -> tuple[CameraSeal, ServerSeal]:
    """Return both ends' sides of a key, with the same salts for the same seed."""
    from host.seal.camera_seal import KeyedCamera
    from host.seal.key import Key
    from host.seal.server_seal import KeyedServer

    key, salts = Key(bytes(range(1, 17)), "of the scene"), random.Random(seed).randbytes
    return KeyedCamera(key, salts), KeyedServer([key], salts)


def content(packets: Sequence[RankedPacket]) -> int:
    """Return a number of 16 bits that stands for the content of packets."""
    return zlib.crc32(b"".join(packet.data for packet in packets)) & 0xFFFF


@dataclass
class _Submitted:
    number: int
    packets: list[RankedPacket]
    outcomes: list[Answer | Unanswered] = field(default_factory=list)


class FaultScene:
    """The scene with faults; ``run`` returns what happened."""

    def __init__(
        self, faults: Sequence[Fault], credits: Mapping[str, Sequence[range]] | None, *, key: bool = False
    ) -> None:
        self._world = World(WorldSettings(), now_us=_START_US)
        self._faults = faults
        self._injector = Injector(self._world, faults, credits)
        self._schedule = self._world.schedule
        self._outcome = Outcome()
        self._pictures: list[_Submitted] = []
        self._key = key
        of_camera, of_server = seals(1) if key else (None, None)
        self._sender = Sender(nonce=11, seal=of_camera)
        self._receiver = Receiver(nonce=99, service_us=SERVICE_US, seal=of_server)
        self._senders_clock = SteppedMachine(self._sender, lambda: self._called(self._senders_clock, "sender"))
        self._servers_clock = SteppedMachine(self._receiver, lambda: self._called(self._servers_clock, "server"))
        camera, edge = self._world.nodes
        self._server = VirtualHost(self._schedule, edge.line, self._servers_clock, self._at_server)
        self._injector.tap_to_host(edge, "edge")
        self._camera = VirtualHost(self._schedule, camera.line, self._senders_clock, self._at_sender)
        self._injector.tap_to_host(camera, "camera")

    def run(self) -> Outcome:
        """Run the scene to its end."""
        outcome, injector = self._outcome, self._injector
        self._run(FIRST_US)
        while not self._sender.ready and self._now_us() < self._limit_us():
            self._run(5_000)
        if self._sender.ready:
            self._submit()
        self._run(DEADLINE_US + 50_000)
        outcome.ended_us = self._now_us()
        seen = 0
        while len(injector.happened_us) > seen:  # a second fault may happen while the link recovers from the first
            seen = len(injector.happened_us)
            outcome.recovered = self._recovers()
        self._check_accounts()
        outcome.whole = bool(self._pictures) and self._is_whole(self._pictures[0])
        outcome.happened_us = {fault: at_us - _START_US for fault, at_us in injector.happened_us.items()}
        outcome.counts, outcome.credits = injector.counts, injector.credits
        return outcome

    def _recovers(self) -> bool:
        """Send a picture when the link must have recovered; return whether it was answered, whole and in time."""
        self._run(self._limit_us() - self._now_us())
        before = len(self._pictures)
        if self._sender.ready:
            self._submit()
        self._run(DEADLINE_US + _GRACE_US + 100_000)
        return len(self._pictures) > before and self._is_whole(self._pictures[-1])

    def _run(self, duration_us: int) -> None:
        self._injector.run_until(self._now_us() + duration_us)

    def _now_us(self) -> int:
        return self._schedule.now_us

    def _limit_us(self) -> int:
        """Return by when the link must have recovered.

        Beside another fault, a clock that is set back by half a second lets what is due after that wait so much longer.
        """
        happened_us = self._injector.happened_us
        held_us = -STEPS["back"] * sum(fault.kind == "back" for fault in happened_us) if len(happened_us) > 1 else 0
        return max((*happened_us.values(), _START_US + FIRST_US - RECOVERY_US)) + RECOVERY_US + held_us

    def _called(self, machine: SteppedMachine, name: str) -> None:
        self._injector.on_machine_call(machine, name)

    def _submit(self) -> None:
        now_us = self._now_us() + self._senders_clock.step_us
        packets = picture(len(self._pictures), key=self._key)
        try:
            number = self._sender.submit(now_us, packets, now_us + DEADLINE_US)
        except DeadlineInfeasibleError:
            return  # a stepped clock made the only round trip so far seem too long
        self._pictures.append(_Submitted(number, packets))
        self._camera.wake()

    def _is_whole(self, picture: _Submitted) -> bool:
        final = picture.outcomes[-1] if picture.outcomes else None
        return isinstance(final, Answer) and not final.late and len(final.ranks) == PACKETS

    def _at_sender(self, event: Event) -> None:
        match event:
            case Answer() | Unanswered():
                self._on_outcome(event)
            case Failed():
                self._outcome.wrong.append(f"the sender gave up: {event}")
            case Implausible() if not self._has_stepped():
                self._outcome.wrong.append(f"the sender says of honest ends: {event}")
            case KeyMismatch():
                self._outcome.wrong.append(f"the sender says of the same key: {event}")

    def _on_outcome(self, event: Answer | Unanswered) -> None:
        waiting = [picture for picture in self._pictures if picture.number == event.image]
        if not waiting:
            self._outcome.wrong.append(f"an outcome of image {event.image}, which was never sent")
            return
        picture = waiting[-1]
        if isinstance(event, Answer):
            used = [packet for packet in picture.packets if packet.rank in event.ranks]
            if event.classes[:1] and event.classes[0][0] != content(used):
                self._outcome.wrong.append(f"image {event.image} was answered with what another one shows")
            if not event.final:
                return
        picture.outcomes.append(event)

    def _at_server(self, event: Event) -> None:
        match event:
            case ImageCollected():
                self._schedule.at(self._now_us() + SERVICE_US, lambda: self._answer(event))
            case Failed():
                self._outcome.wrong.append(f"the server gave up: {event}")
            case Implausible() if not self._has_stepped():
                self._outcome.wrong.append(f"the server says of honest ends: {event}")
            case KeyMismatch():
                self._outcome.wrong.append(f"the server says of the same key: {event}")

    def _answer(self, event: ImageCollected) -> None:
        sent = [picture for picture in self._pictures if picture.number == event.image]
        if not any(all(packet in picture.packets for packet in event.packets) for picture in sent):
            self._outcome.wrong.append(f"the server has packets of image {event.image} that were never sent")
        used = [packet.rank for packet in event.packets]
        classes = [(content(event.packets), "content", 1.0)]
        now_us = self._now_us() + self._servers_clock.step_us
        self._receiver.answer(now_us, event, classes, service_us=SERVICE_US, used=used)
        self._server.wake()

    def _has_stepped(self) -> bool:
        return any(fault.kind in ("forth", "back") for fault in self._injector.happened_us)

    def _check_accounts(self) -> None:
        for node in self._world.nodes:
            if not adds_up(node.board.totals):
                self._outcome.wrong.append(f"the {node.board.name} board's queue does not add up: {node.board.totals}")
            if node.board.totals.waiting:
                self._outcome.wrong.append(f"the {node.board.name} board keeps packets that nobody waits for")
        for picture in self._pictures:
            if len(picture.outcomes) != 1:
                self._outcome.wrong.append(f"image {picture.number} ended {len(picture.outcomes)} times")
        if self._sender.pending:
            self._outcome.wrong.append("the sender waits for pictures that have ended")


@functools.cache
def reference(*, key: bool = False) -> Outcome:
    """Return the run without a fault: it says how many places there are."""
    return FaultScene((), None, key=key).run()


def run(faults: Sequence[Fault], *, key: bool = False) -> Outcome:
    """Run the scene with faults."""
    without = reference(key=key)
    return FaultScene(faults, without.credits, key=key).run() if faults else without
