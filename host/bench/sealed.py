"""Measures what a key costs: in useful codec bytes on the modelled radio, and in CPU time of both ends.

The goodput is that of ``host.bench link`` in virtual time, with a key and without. The CPU time is that of a camera
that encodes and sends one picture after the other, and of an edge server that receives, decodes and classifies them.
The radio between is modelled and does not count. Rounds with and without a key alternate; the least CPU time of each
picture counts, since other programs on this machine only add to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..camera.lazy_picture import LazyPicture
from ..camera.pictures import SAMPLE
from ..codec import Codec, load
from ..edge.classifier import Classifier
from ..edge.classifier import load as load_classifier
from ..edge.recogniser import Recogniser
from ..link.events import Event, ImageCollected
from ..link.receiver import Receiver
from ..link.sender import Sender
from ..seal.camera_seal import KeyedCamera
from ..seal.cipher import ROOM
from ..seal.key import Key
from ..seal.server_seal import KeyedServer
from ..sim.line import USB_BYTES_PER_S
from ..sim.trace import ChannelState, Trace
from ..sim.virtual import VirtualHost
from ..sim.world import World, WorldSettings
from ..transport.driver import ProtocolMachine
from ..wire import MAX_CODEC_BYTES, MAX_PACKET
from .link import CASES, measure
from .pictures import parts_of

_PERIOD_US = 200_000
_DEADLINE_US = 300_000
SLOW_BPS = (10_000, 20_000, 50_000, 100_000)
_SLOW_PICTURES, _SERVICE_US = 60, 30_000


@dataclass(frozen=True, slots=True)
class GoodputRow:
    """Useful codec bits per second of one case."""

    phy: str
    interval_ms: float
    loss: float
    without_bps: int
    sealed_bps: int
    ratio: float


@dataclass(frozen=True, slots=True)
class CpuRow:
    """CPU time per picture of one end. ``throughput``: pictures in the same CPU time, with a key over without."""

    end: str
    without_ms: float
    sealed_ms: float
    throughput: float


@dataclass(frozen=True, slots=True)
class SlowRow:
    """Mean codec bytes of a picture that arrive by a deadline of 300 ms on a slow link."""

    rate_bps: int
    without_bytes: int
    sealed_bytes: int
    ratio: float


class _Timed:
    """A sender or receiver whose CPU time is measured."""

    def __init__(self, machine: ProtocolMachine) -> None:
        self._machine = machine
        self.cpu_s = 0.0

    def start(self, now_us: int) -> None:
        self._machine.start(now_us)

    def receive(self, now_us: int, data: bytes) -> list[Event]:
        begun_s = time.process_time()
        events = self._machine.receive(now_us, data)
        self.cpu_s += time.process_time() - begun_s
        return events

    def tick(self, now_us: int) -> list[Event]:
        begun_s = time.process_time()
        events = self._machine.tick(now_us)
        self.cpu_s += time.process_time() - begun_s
        return events

    def output(self) -> bytes:
        begun_s = time.process_time()
        data = self._machine.output()
        self.cpu_s += time.process_time() - begun_s
        return data

    def wake_at(self) -> int | None:
        begun_s = time.process_time()
        wake_us = self._machine.wake_at()
        self.cpu_s += time.process_time() - begun_s
        return wake_us


def _seals() -> tuple[KeyedCamera, KeyedServer]:
    key = Key.random()
    return KeyedCamera(key), KeyedServer([key])


def _goodput() -> list[GoodputRow]:
    rows = []
    for phy, interval_us, loss in CASES:
        without, sealed = (
            measure(phy, interval_us, loss, *seals, is_answered=True) for seals in ((None, None), _seals())
        )
        ratio = round(sealed.useful_bps / without.useful_bps, 4)
        rows.append(GoodputRow(phy, interval_us / 1000, loss, without.useful_bps, sealed.useful_bps, ratio))
    return rows


def _cpu_s(
    codec: Codec, recogniser: Callable[[ImageCollected], None], photos: list[np.ndarray], *, is_sealed: bool
) -> list[dict[str, float]]:
    """Return the CPU time of each picture, s, by part of the work, of pictures over a fast radio."""
    camera_seal, server_seal = _seals() if is_sealed else (None, None)
    world = World(WorldSettings(bytes_per_s=USB_BYTES_PER_S))
    schedule = world.schedule
    sender, receiver = Sender(nonce=1, seal=camera_seal), Receiver(nonce=2, seal=server_seal)
    camera, server = _Timed(sender), _Timed(receiver)
    spent = {"encode": 0.0, "recognise": 0.0}

    def on_edge(event: Event) -> None:
        if isinstance(event, ImageCollected) and event.final:
            begun_s = time.process_time()
            recogniser(event)
            spent["recognise"] += time.process_time() - begun_s
            receiver.answer(schedule.now_us, event, [(1, "tench", 0.9)], service_us=0, used=event.arrived_us)

    camera_host = VirtualHost(schedule, world.cameras[0].line, camera, lambda _event: None)
    VirtualHost(schedule, world.edge.line, server, on_edge)
    while not sender.ready:
        schedule.run_until(schedule.now_us + 10_000)
    found = []
    for photo in photos:
        camera.cpu_s = server.cpu_s = spent["encode"] = spent["recognise"] = 0.0
        begun_s = time.process_time()
        picture = LazyPicture(codec, photo, None, None, sender.part_bytes(), sender.key.packet_bytes)
        sender.submit(schedule.now_us, picture.parts, schedule.now_us + _DEADLINE_US, picture.more)
        spent["encode"] += time.process_time() - begun_s
        camera_host.wake()
        schedule.run_until(schedule.now_us + _PERIOD_US)
        camera_s, server_s = camera.cpu_s + spent["encode"], server.cpu_s + spent["recognise"]
        link_s = camera.cpu_s + server.cpu_s
        parts = {"camera": camera_s, "edge server": server_s, "both ends": camera_s + server_s, "link alone": link_s}
        found.append(parts)
    return found


def _cpu(rounds: int) -> list[CpuRow]:
    codec = load()
    classifier: Classifier = load_classifier()
    recogniser = Recogniser(codec, classifier, 1)
    photos = parts_of(SAMPLE)
    rounds_of: dict[bool, list[list[dict[str, float]]]] = {False: [], True: []}
    for _ in range(rounds):
        for is_sealed, times in rounds_of.items():
            times.append(_cpu_s(codec, lambda event: _recognise(recogniser, event), photos, is_sealed=is_sealed))
    rows = []
    for end in rounds_of[False][0][0]:
        without_ms, sealed_ms = (_least_ms(rounds_of[is_sealed], end) for is_sealed in (False, True))
        rows.append(CpuRow(end, round(without_ms, 3), round(sealed_ms, 3), round(without_ms / sealed_ms, 4)))
    return rows


def _least_ms(rounds: list[list[dict[str, float]]], end: str) -> float:
    """Return the mean over the pictures of the least time that one of the rounds took."""
    least_s: list[float] = [min(times[end] for times in of_photo) for of_photo in zip(*rounds, strict=True)]
    return 1e3 * sum(least_s) / len(least_s)


def _bytes_in_time(codec: Codec, photos: list[np.ndarray], rate_bps: float, *, is_sealed: bool) -> float:
    """Return the mean codec bytes that arrive of a picture in time on a slow link, which sends packets in parts."""
    camera_seal, server_seal = _seals() if is_sealed else (None, None)
    world = World(WorldSettings(trace=Trace.constant(ChannelState(rate_bps=rate_bps))))
    schedule = world.schedule
    sender = Sender(nonce=1, seal=camera_seal)
    receiver = Receiver(nonce=2, service_us=_SERVICE_US, seal=server_seal)
    arrived: list[int] = []

    def on_edge(event: Event) -> None:
        if isinstance(event, ImageCollected) and event.final:
            arrived.append(sum(len(packet.data) for packet in event.packets))
            classes = [(1, "tench", 0.9)] * 5
            receiver.answer(schedule.now_us, event, classes, service_us=_SERVICE_US, used=event.arrived_us)

    host = VirtualHost(schedule, world.cameras[0].line, sender, lambda _event: None)
    VirtualHost(schedule, world.edge.line, receiver, on_edge)
    while not sender.ready:
        schedule.run_until(schedule.now_us + 10_000)
    for number in range(_SLOW_PICTURES):
        now_us, due_us = schedule.now_us, schedule.now_us + _DEADLINE_US
        sizes = sender.part_bytes(), sender.key.packet_bytes
        likely = sender.likely_bytes(now_us, due_us)
        picture = LazyPicture(codec, photos[number % len(photos)], likely, None, *sizes)
        sender.submit(now_us, picture.parts, due_us, picture.more)
        host.wake()
        schedule.run_until(due_us + 100_000)
    usual = arrived[_SLOW_PICTURES // 6 :]  # once the rate is known
    return sum(usual) / len(usual)


def _slow() -> list[SlowRow]:
    codec, photos = load(), parts_of(SAMPLE)
    rows = []
    for rate_bps in SLOW_BPS:
        without, sealed = (_bytes_in_time(codec, photos, rate_bps, is_sealed=is_sealed) for is_sealed in (False, True))
        rows.append(SlowRow(rate_bps, round(without), round(sealed), round(sealed / without, 4)))
    return rows


def _recognise(recogniser: Recogniser, event: ImageCollected) -> None:
    recogniser([event.packets])


def run(rounds: int) -> dict[str, Any]:
    """Measure goodput and CPU time."""
    full = (
        f"codec bytes of a full packet: {MAX_CODEC_BYTES} of {MAX_PACKET} ({MAX_CODEC_BYTES / MAX_PACKET:.1%}), "
        f"sealed {ROOM} ({ROOM / MAX_PACKET:.1%})"
    )
    return {
        "rows": [asdict(row) for row in _goodput()],
        "slow": [asdict(row) for row in _slow()],
        "cpu": [asdict(row) for row in _cpu(rounds)],
        "notes": [full],
    }
