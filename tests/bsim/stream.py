"""A stream of pictures between two simulated boards in simulated time.

The sender and the receiver of ``host.link``, unchanged, at the boards' serial ports. Only the codec and the classifier
are left out: pictures are made of numbers, and the edge server takes a given time for each.
"""

from __future__ import annotations

import contextlib
import os
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from host.link.events import Answer, Event, ImageCollected, LinkChanged
from host.link.receiver import Receiver
from host.link.sender import DeadlineInfeasibleError, Sender
from host.ranked import RankedPacket, split
from host.transport.driver import ProtocolMachine
from host.wire import MAX_CODEC_BYTES, Configure, LinkState, Phy, ResultStatus, Role
from tests.bsim.sim_clock import STEP_US, SimClock
from tests.bsim.simulation import Simulation

#: Codec bytes of a picture: the mean of docs/link.md.
PICTURE_BYTES = 4945
SERVICE_US = 20_000
_READ = 65536


@dataclass
class Outcome:
    """One picture: when it was to be sent, and the codec bytes that its answer rests on; 0: no answer in time."""

    begin_us: int
    useful: int = 0


@dataclass
class Record:
    """What became of a stream. ``links`` are the changes of the camera's link: time, PHY or None while it is down."""

    pictures: list[Outcome] = field(default_factory=list)
    links: list[tuple[int, Phy | None]] = field(default_factory=list)

    @property
    def in_time(self) -> int:
        """Pictures that were answered in time."""
        return sum(picture.useful > 0 for picture in self.pictures)

    def without_link_s(self, begin_us: int, end_us: int) -> float:
        """For how long there was no link between two times, s."""
        total = 0
        changes = [*self.links, (end_us, None)]
        for (since_us, phy), (until_us, _) in pairwise(changes):
            if phy is None:
                total += max(0, min(until_us, end_us) - max(since_us, begin_us))
        return total / 1e6


class _Host:
    """Runs a protocol machine at a port."""

    def __init__(self, port: str, machine: ProtocolMachine, on_event: Callable[[Event], None]) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self._machine = machine
        self._on_event = on_event
        self._unwritten = b""

    def turn(self, now_us: int) -> None:
        """Let the machine take what came and do what is due."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._fd, _READ)
        events = self._machine.receive(now_us, data) if data else []
        for event in [*events, *self._machine.tick(now_us)]:
            self._on_event(event)
        self._unwritten += self._machine.output()
        with contextlib.suppress(BlockingIOError):
            if self._unwritten:
                self._unwritten = self._unwritten[os.write(self._fd, self._unwritten) :]

    def close(self) -> None:
        """Close the port."""
        os.close(self._fd)


class Stream:
    """A camera and an edge server at the first and the last port of a simulation."""

    def __init__(self, simulation: Simulation, *, deadline_ms: int, period_ms: int, phy: Phy, interval_us: int) -> None:
        assert isinstance(simulation.clock, SimClock)
        self._clock = simulation.clock
        self._deadline_us, self._period_us = deadline_ms * 1000, period_ms * 1000
        fields = {"tx_power_dbm": 127, "phy": phy, "interval_us": interval_us}
        self._sender = Sender(nonce=11, configure=Configure(role=Role.CAMERA, **fields))  # type: ignore[arg-type]
        self._receiver = Receiver(
            nonce=2,
            configure=Configure(role=Role.EDGE, **fields),  # type: ignore[arg-type]
            service_us=SERVICE_US,
        )
        self.record = Record()
        self._pending: dict[int, tuple[Outcome, int, list[RankedPacket]]] = {}
        self._answers: list[tuple[int, ImageCollected]] = []
        self._hosts = [
            _Host(str(simulation.ports[0]), self._sender, self._on_camera),
            _Host(str(simulation.ports[-1]), self._receiver, self._on_edge),
        ]
        for machine in (self._sender, self._receiver):
            machine.start(self._clock.now_us)

    def run(self, end_us: int, *, sending: bool = True) -> None:
        """Send pictures until then, one in each period."""
        next_us = self._clock.now_us
        while self._clock.now_us < end_us:
            self._clock.advance(STEP_US)
            now_us = self._clock.now_us
            if sending and now_us >= next_us:
                self._submit(now_us)
                next_us += self._period_us
            while self._answers and self._answers[0][0] <= now_us:
                _, collected = self._answers.pop(0)
                used = [packet.rank for packet in collected.packets]
                self._receiver.answer(now_us, collected, [], service_us=SERVICE_US, used=used)
            for host in self._hosts:
                host.turn(now_us)

    @property
    def ready(self) -> bool:
        """The camera may send."""
        return self._sender.ready

    def close(self) -> None:
        """Close the ports."""
        for host in self._hosts:
            host.close()

    def _submit(self, now_us: int) -> None:
        outcome = Outcome(now_us)
        self.record.pictures.append(outcome)
        if not self._sender.ready:
            return
        sizes = [*[MAX_CODEC_BYTES] * (PICTURE_BYTES // MAX_CODEC_BYTES), PICTURE_BYTES % MAX_CODEC_BYTES]
        whole = [RankedPacket(rank, rank, bytes([rank]) * size) for rank, size in enumerate(sizes)]
        packets = split(whole, *self._sender.part_bytes())
        with contextlib.suppress(DeadlineInfeasibleError, ValueError):
            number = self._sender.submit(now_us, packets, now_us + self._deadline_us)
            self._pending[number] = (outcome, now_us + self._deadline_us, packets)

    def _on_camera(self, event: Event) -> None:
        match event:
            case LinkChanged():
                phy = event.phy if event.state == LinkState.UP else None
                self.record.links.append((self._clock.now_us, phy))
            case Answer(status=ResultStatus.OK) if event.image in self._pending:
                outcome, due_us, packets = self._pending[event.image]
                if event.answered_us <= due_us:
                    outcome.useful = sum(len(packet.data) for packet in packets if packet.rank in event.ranks)
            case _:
                pass

    def _on_edge(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            self._answers.append((self._clock.now_us + SERVICE_US, event))
