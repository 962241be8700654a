"""Sends pictures over virtual boards in virtual time and reports what was delivered by each deadline.

The experiment of the reference's testbed (RTSS 2023, section 5): one picture after another, each with a deadline, over
a link with no, light or heavy jamming. Sender, receiver and C core are the same as in real time; only the time that the
server needs for a picture is a parameter instead of being measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..link.events import Answer, Event, ImageCollected
from ..link.receiver import Receiver
from ..link.sender import DeadlineInfeasibleError, Sender
from ..ranked import RankedPacket
from ..sim.virtual import VirtualHost
from ..sim.world import World, WorldSettings

_CONNECT_LIMIT_US = 60_000_000
_STEP_US = 5_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """The ranks of one picture that the edge server used, and whether its answer was back by the deadline."""

    ranks: frozenset[int]
    in_time: bool


class Experiment:
    """One camera, one edge server, and the channel between them."""

    def __init__(self, settings: WorldSettings, service_us: int) -> None:
        """Set up the boards. ``service_us``: the time that the server needs to decode and classify a picture."""
        self._world = World(settings)
        self._schedule = self._world.schedule
        self._service_us = service_us
        self._sender = Sender(nonce=1)
        self._receiver = Receiver(nonce=2, service_us=service_us)
        self._answers: dict[int, Answer] = {}
        self._camera = VirtualHost(self._schedule, self._world.cameras[0].line, self._sender, self._on_camera)
        self._server = VirtualHost(self._schedule, self._world.edge.line, self._receiver, self._on_edge)

    def send(self, pictures: Sequence[Sequence[RankedPacket]], deadline_us: int) -> list[Delivery]:
        """Send the pictures, one in each period of ``deadline_us``.

        A picture whose deadline is infeasible, or whose answer is late, has no ranks.
        """
        while not self._sender.ready and self._schedule.now_us < _CONNECT_LIMIT_US:
            self._schedule.run_until(self._schedule.now_us + _STEP_US)
        deliveries: list[Delivery] = []
        for packets in pictures:
            due_us = self._schedule.now_us + deadline_us
            try:
                number: int | None = self._sender.submit(self._schedule.now_us, packets, due_us)
            except DeadlineInfeasibleError:
                number = None
            self._camera.wake()
            self._schedule.run_until(due_us)
            answer = self._answers.pop(number, None) if number is not None else None
            deliveries.append(Delivery(answer.ranks, True) if answer else Delivery(frozenset(), False))
        return deliveries

    def _on_camera(self, event: Event) -> None:
        if isinstance(event, Answer) and not event.late:
            self._answers[event.image] = event

    def _on_edge(self, event: Event) -> None:
        if isinstance(event, ImageCollected):
            self._schedule.at(self._schedule.now_us + self._service_us, lambda: self._answer(event))

    def _answer(self, collected: ImageCollected) -> None:
        ranks = [packet.rank for packet in collected.packets]
        self._receiver.answer(self._schedule.now_us, collected, [], service_us=self._service_us, used=ranks)
        self._server.wake()
