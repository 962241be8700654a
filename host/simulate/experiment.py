"""Sends pictures over virtual boards in virtual time and reports what was delivered by each deadline.

The experiment of the reference's testbed (RTSS 2023, section 5): picture after picture, each with a deadline, over a
link with no, light or heavy jamming, and more of the kind (``scenario``). The ends are those of a policy; the C core is
the same as in real time. Only the server's time for a picture is a parameter instead of being measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ..link.events import Answer, Event, Failed, ImageCollected, Unanswered
from ..link.sender import DeadlineInfeasibleError
from ..log.boards import tap_connection
from ..log.entry import CAMERA, EDGE
from ..log.recorder import Recorder
from ..log.tap import Tap, TappedMachine, add_submitted
from ..ranked import RankedPacket, split
from ..sim.virtual import VirtualHost
from ..sim.world import World
from ..transport.driver import ProtocolMachine
from ..wire import MAX_RANKS, ResultStatus
from .delivery import Delivery
from .policies import Policy
from .scenario import Scenario
from .service import expected_us, service
from .timetable import AFTERWARDS_US, WARM_UP_US, schedule_range, slots, times_us

_READY_LIMIT_US = 60_000_000
_STEP_US = 1_000_000
#: Which of the collected ranks of a picture can be decoded; the first argument is the number of its packets.
Usable = Callable[[int, Iterable[int]], frozenset[int]]


class Experiment:
    """Cameras, an edge server, and the channel between them, under one policy."""

    def __init__(
        self, scenario: Scenario, policy: Policy, usable: Usable | None = None, recorder: Recorder | None = None
    ) -> None:
        """Set up the boards and both ends. ``usable``: None if all ranks can be decoded. ``recorder``: of the log."""
        self._scenario = scenario
        self._usable: Usable = usable or (lambda _count, ranks: frozenset(ranks))
        self._world = World(scenario.settings)
        self._schedule = self._world.schedule
        self._service = service(self._schedule, scenario, self._answer, self._refuse)
        self._by_number: list[dict[int, Delivery]] = [{} for _ in self._world.cameras]
        self._senders = [policy.camera(11 + index) for index in range(len(self._world.cameras))]
        self._receiver = policy.server(2, expected_us(scenario.service_us, scenario.workers), scenario.workers)
        self._tap: Callable[[int], Tap] | None = None
        ends: list[ProtocolMachine] = [*self._senders]
        server: ProtocolMachine = self._receiver
        if recorder is not None:
            taps = [Tap(recorder, CAMERA, source) for source in range(len(self._senders))]
            self._tap = taps.__getitem__
            ends = [TappedMachine(sender, tap) for sender, tap in zip(self._senders, taps, strict=True)]
            server = TappedMachine(self._receiver, Tap(recorder, EDGE))
            for source, connection in enumerate(self._world.connections):
                tap_connection(recorder, connection, source)
        self._hosts = [
            VirtualHost(self._schedule, node.line, end, partial(self._on_camera, index))
            for index, (node, end) in enumerate(zip(self._world.cameras, ends, strict=True))
        ]
        self._server = VirtualHost(self._schedule, self._world.edge.line, server, self._on_edge)

    def send(self, pictures: Sequence[Sequence[RankedPacket]], deadline_ms: float) -> list[Delivery]:
        """Send every picture once, at its time, and return what became of each."""
        self._schedule.run_until(WARM_UP_US)
        while not all(sender.ready for sender in self._senders) and self._schedule.now_us < _READY_LIMIT_US:
            self._schedule.run_until(self._schedule.now_us + _STEP_US)
        begin_us = self._schedule.now_us
        timetable = slots(self._scenario, deadline_ms, len(pictures), begin_us)
        end_us = timetable[-1].due_us + AFTERWARDS_US
        self._schedule_disconnects(timetable[0].begin_us, end_us)
        deliveries = [Delivery(slot) for slot in timetable]
        for delivery in deliveries:
            delivery.packets = pictures[delivery.slot.index]
            self._schedule.at(delivery.slot.begin_us, partial(self._submit, delivery))
        self._schedule.run_until(end_us)
        return deliveries

    def _submit(self, delivery: Delivery) -> None:
        slot, sender = delivery.slot, self._senders[delivery.slot.camera]
        delivery.packets = split(delivery.packets, *sender.part_bytes())
        try:
            number = sender.submit(slot.begin_us, delivery.packets, slot.due_us)
        except DeadlineInfeasibleError:
            delivery.refused = True
        else:
            self._by_number[slot.camera][number] = delivery
            if self._tap is not None:
                packets, now_us = delivery.packets, slot.begin_us
                size = sum(len(packet.data) for packet in packets)
                times = {"taken_us": now_us, "encoded_us": now_us, "deadline_us": slot.due_us}
                add_submitted(self._tap(slot.camera), number, **times, packets=len(packets), size=size)
        self._hosts[slot.camera].wake()

    def _on_camera(self, camera: int, event: Event) -> None:
        match event:
            case Answer(final=False):
                pass
            case Answer() | Unanswered():
                delivery = self._by_number[camera].pop(event.image, None)
                if delivery is None:
                    return
                delivery.sent = event.sent
                if isinstance(event, Answer):
                    delivery.answered_us = event.answered_us
                    if event.answered_us <= delivery.slot.due_us and event.status is ResultStatus.OK:
                        delivery.ranks = event.ranks
            case Failed():
                self._senders[camera].start(self._schedule.now_us)

    def _on_edge(self, event: Event) -> None:
        match event:
            case ImageCollected():
                delivery = self._by_number[event.source].get(event.image)
                if delivery is not None:
                    delivery.collected_us = self._schedule.now_us
                    delivery.collected = frozenset(packet.rank for packet in event.packets)
                    delivery.arrived_us = dict(event.arrived_us)
                self._service.take(event)
            case Failed():
                self._receiver.start(self._schedule.now_us)

    def _answer(self, collected: ImageCollected) -> None:
        delivery = self._by_number[collected.source].get(collected.image)
        count = MAX_RANKS if delivery is None else len(delivery.packets)
        used = self._usable(count, [packet.rank for packet in collected.packets])
        self._receiver.answer(
            self._schedule.now_us, collected, [], service_us=self._scenario.service_us, used=sorted(used)
        )
        self._server.wake()

    def _refuse(self, collected: ImageCollected) -> None:
        if collected.final:
            self._receiver.refuse(self._schedule.now_us, collected, ResultStatus.FAILED, "busy")
            self._server.wake()
        else:
            self._receiver.skip(collected)

    def _schedule_disconnects(self, begin_us: int, end_us: int) -> None:
        world, disconnects = self._world, self._scenario.disconnects
        schedule_range(self._schedule, disconnects, world.connections, begin_us, end_us)
        for each in disconnects:
            if each.by != "range":
                node = world.edge if each.by == "edge" else world.cameras[0]
                for at_us in times_us(each, begin_us, end_us):
                    self._schedule.at(at_us, partial(world.reset, node))
