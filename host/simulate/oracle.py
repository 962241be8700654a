"""The oracle: how much of each picture could have been answered in time by somebody who knows the air.

The radio is the same, the ends are ideal (``oracle_radio``). The *latest useful moment* of a picture is the last
connection event whose first exchange is not lost and that still brings the result home in time, less the result's time
on the serial lines and the server's time. What counts are the packets that the server's program has by then.

Pictures of a camera that do not overlap are sent one after another, each alone. Where they overlap, the slots of a
saturated run are given to the picture with the earliest latest moment that can still use them. The edge board's serial
line serves all cameras in the same order and carries nothing that would come too late.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Sequence

from ..ranked import RankedPacket
from ..sim.air import HEADERS, cycle_us
from ..wire import MAX_PACKET, Result, ResultStatus
from .delivery import Delivery
from .experiment import Usable
from .oracle_radio import FRAME_BYTES, Arrival, IdealAir, packet_bytes, ready_us
from .scenario import Scenario
from .timetable import AFTERWARDS_US, Slot

_RESULT = Result(image=0, status=ResultStatus.OK, margin_ms=0, service_us=1, ranks=bytes(32), text=b"", peer=0).pack()


class Oracle:
    """Computes what an oracle delivers of given pictures at given times."""

    def __init__(self, scenario: Scenario, usable: Usable | None = None) -> None:
        """Take the scenario. ``usable``: None if all ranks can be decoded."""
        self._scenario = scenario
        self._usable: Usable = usable or (lambda _count, ranks: frozenset(ranks))
        self._us_per_byte = 1e6 / scenario.settings.bytes_per_s

    def deliver(
        self, timetable: Sequence[Slot], pictures: Sequence[Sequence[RankedPacket]], deadline_ms: float
    ) -> list[Delivery]:
        """Return the best delivery of every picture."""
        starts_us = self._starts_us(timetable)
        overlapping = self._scenario.period_us(deadline_ms) < deadline_ms * 1000
        arrivals = (self._shared if overlapping else self._alone)(timetable, pictures, starts_us)
        at_server = self._through_the_edge(arrivals, timetable, pictures, starts_us)
        deliveries = []
        for slot in timetable:
            ranks = range(len(at_server[slot.index]))
            packets = pictures[slot.index]
            used = self._usable(len(packets), ranks)
            delivery = Delivery(slot, packets, sent=len(ranks), collected=frozenset(ranks), ranks=used)
            delivery.arrived_us = dict(enumerate(at_server[slot.index]))
            delivery.collected_us = starts_us[slot.index]
            if used:
                delivery.answered_us = slot.due_us
            deliveries.append(delivery)
        return deliveries

    def _starts_us(self, timetable: Sequence[Slot]) -> list[int]:
        """Return the latest useful moment of each picture, when the server begins to decode it; -1: never."""
        air = self._air(timetable)
        air.run()
        result_us = cycle_us(self._scenario.settings.parameters.phy, len(_RESULT) + HEADERS, 0)
        serial_us = (len(_RESULT) + FRAME_BYTES) * self._us_per_byte
        latest = []
        for slot in timetable:
            events_us = air.open_events_us[slot.camera]
            at = bisect_right(events_us, slot.due_us - result_us - serial_us) - 1
            moment_us = int(events_us[at] - serial_us - self._scenario.service_us) if at >= 0 else -1
            latest.append(moment_us if moment_us > slot.begin_us else -1)
        return self._with_workers(timetable, latest)

    def _with_workers(self, timetable: Sequence[Slot], latest_us: list[int]) -> list[int]:
        """Let the workers serve from the latest picture backwards, each as late as it can.

        A picture that would be served a whole service time too early is left out: too many are asked for.
        """
        if self._scenario.workers is None:
            return latest_us
        begins_us = [float("inf")] * self._scenario.workers  # of what each worker does next
        starts_us = [-1] * len(latest_us)
        for index in sorted(range(len(latest_us)), key=lambda i: -latest_us[i]):
            worker = begins_us.index(max(begins_us))
            start_us = min(latest_us[index], begins_us[worker] - self._scenario.service_us)
            if start_us > max(timetable[index].begin_us, latest_us[index] - self._scenario.service_us):
                begins_us[worker] = start_us
                starts_us[index] = int(start_us)
        return starts_us

    def _alone(
        self, timetable: Sequence[Slot], pictures: Sequence[Sequence[RankedPacket]], starts_us: Sequence[int]
    ) -> list[Arrival]:
        """Return what arrives at the edge board when every picture has its camera to itself."""
        air = self._air(timetable)
        for slot, start_us in zip(timetable, starts_us, strict=True):
            if start_us > slot.begin_us:
                air.offer(slot, pictures[slot.index], self._us_per_byte, start_us)
        air.run()
        return air.arrivals

    def _shared(
        self, timetable: Sequence[Slot], pictures: Sequence[Sequence[RankedPacket]], starts_us: Sequence[int]
    ) -> list[Arrival]:
        """Return what arrives when the slots of a saturated run are shared out among the pictures."""
        air = self._air(timetable)
        air.saturate()
        air.run()
        exchange_us = cycle_us(self._scenario.settings.parameters.phy, 0, MAX_PACKET + HEADERS)
        edge_us = (MAX_PACKET + FRAME_BYTES) * self._us_per_byte
        given: list[Arrival] = []
        for camera in range(self._scenario.settings.cameras):
            coming = deque(slot for slot in timetable if slot.camera == camera)
            current: list[tuple[int, int, deque[int]]] = []  # latest moment, picture, when its packets are in the board
            for arrival in (each for each in air.arrivals if each.camera == camera):
                begun_us = arrival.at_us - exchange_us
                while coming and coming[0].begin_us <= begun_us:
                    slot = coming.popleft()
                    ready = deque(ready_us(slot.begin_us, pictures[slot.index], self._us_per_byte))
                    insort(current, (starts_us[slot.index], slot.index, ready))
                while current and current[0][0] < arrival.at_us + edge_us:
                    current.pop(0)
                for _, index, ready in current:
                    if ready and ready[0] <= begun_us:
                        ready.popleft()
                        rank = len(pictures[index]) - len(ready) - 1
                        given.append(Arrival(arrival.at_us, camera, index, rank))
                        break
        return given

    def _through_the_edge(
        self,
        arrivals: Sequence[Arrival],
        timetable: Sequence[Slot],
        pictures: Sequence[Sequence[RankedPacket]],
        starts_us: Sequence[int],
    ) -> list[list[int]]:
        """Return when the packets of each picture are at the server's program, us; all in time."""
        waiting = sorted(arrivals, key=lambda arrival: arrival.at_us)
        ready: list[tuple[int, int, int]] = []  # latest moment, number of the arrival, picture
        at_server: dict[int, list[int]] = defaultdict(list)
        next_one, now_us = 0, 0.0
        while next_one < len(waiting) or ready:
            if not ready:
                now_us = max(now_us, waiting[next_one].at_us)
            while next_one < len(waiting) and waiting[next_one].at_us <= now_us:
                arrival = waiting[next_one]
                heapq.heappush(ready, (starts_us[arrival.index], next_one, arrival.index))
                next_one += 1
            start_us, number, index = heapq.heappop(ready)
            packet = pictures[index][waiting[number].rank]
            done_us = now_us + (packet_bytes(packet) + FRAME_BYTES) * self._us_per_byte
            if done_us <= start_us:
                now_us = done_us
                at_server[index].append(round(done_us))
        return [at_server[slot.index] for slot in timetable]

    def _air(self, timetable: Sequence[Slot]) -> IdealAir:
        return IdealAir(self._scenario, timetable[0].begin_us, timetable[-1].due_us + AFTERWARDS_US)
