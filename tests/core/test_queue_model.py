"""The queue in C does at every step what a naive one does that sorts a list."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.wire import MAX_CODEC_BYTES, MAX_DEADLINE_MS, MAX_PACKET, Picture
from tests.core.core_build import HERE, Workshop, filled

OK, EVICTED, REFUSED, EXPIRED = range(4)
MS = 1000
TOTALS = ("accepted", "sent", "expired", "evicted", "flushed")


@dataclass
class Waiting:
    """A packet in the model; ``deadline_us`` does not wrap."""

    picture: Picture
    deadline_us: int
    arrival: int

    @property
    def place(self) -> tuple[int, int, int]:
        return self.picture.rank, self.deadline_us, self.arrival


@dataclass
class Model:
    """The queue's contract in O(n) per call."""

    slots: int
    waiting: list[Waiting] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def push(self, now_us: int, picture: Picture) -> int:
        self.totals["accepted"] += 1
        if picture.remaining_ms == 0:
            self.totals["expired"] += 1
            return EXPIRED
        if len(self.waiting) == self.slots:
            self.expire(now_us)
        came = Waiting(picture, now_us + picture.remaining_ms * MS, self.totals["accepted"])
        worst = max([*self.waiting, came], key=lambda w: w.place)
        self.waiting.append(came)
        if len(self.waiting) <= self.slots:
            return OK
        self.waiting.remove(worst)
        self.totals["evicted"] += 1
        return REFUSED if worst is came else EVICTED

    def pop(self, now_us: int) -> bytes:
        while self.waiting:
            best = min(self.waiting, key=lambda w: w.place)
            self.waiting.remove(best)
            left_ms = (best.deadline_us - now_us) // MS
            if left_ms >= 1:
                self.totals["sent"] += 1
                p = best.picture
                return replace(p, remaining_ms=left_ms).pack()
            self.totals["expired"] += 1
        return b""

    def expire(self, now_us: int) -> int:
        return self._drop("expired", lambda w: w.deadline_us - now_us < MS)

    def flush(self, source: int | None, image: int | None) -> int:
        def matches(w: Waiting) -> bool:
            return source in (None, w.picture.source) and image in (None, w.picture.image)

        return self._drop("flushed", matches)

    def _drop(self, reason: str, goes: Callable[[Waiting], bool]) -> int:
        dropped = sum(map(goes, self.waiting))
        self.waiting = [w for w in self.waiting if not goes(w)]
        self.totals[reason] += dropped
        return dropped


class CoreQueue:
    """The queue in C."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._c = library
        self._queue = ctypes.create_string_buffer(library.shim_queue_bytes())
        self._c.pnc_queue_init(self._queue)

    def push(self, now_us: int, picture: Picture) -> int:
        packet = picture.pack()
        return int(self._c.pnc_queue_push(self._queue, _clock(now_us), packet, ctypes.c_size_t(len(packet))))

    def pop(self, now_us: int) -> bytes:
        out = ctypes.create_string_buffer(MAX_PACKET)
        return filled(out, self._c.pnc_queue_pop(self._queue, _clock(now_us), out))

    def expire(self, now_us: int) -> int:
        return int(self._c.pnc_queue_expire(self._queue, _clock(now_us)))

    def flush(self, source: int | None, image: int | None) -> int:
        if source is None:
            return int(self._c.pnc_queue_flush_all(self._queue))
        if image is None:
            return int(self._c.pnc_queue_flush_source(self._queue, ctypes.c_uint8(source)))
        return int(self._c.pnc_queue_flush(self._queue, ctypes.c_uint8(source), ctypes.c_uint16(image)))

    @property
    def state(self) -> list[int]:
        out = (ctypes.c_uint32 * 6)()
        self._c.shim_queue_state(self._queue, out)
        return list(out)


def _clock(now_us: int) -> ctypes.c_uint32:
    return ctypes.c_uint32(now_us % 2**32)


IMAGES = (0, 1, 256, 65535)
PICTURES = st.builds(
    Picture,
    image=st.sampled_from(IMAGES),
    rank=st.sampled_from([0, 1, 2, 31, 32, 33, 63, 64, 127, 128, 255]) | st.integers(0, 255),
    position=st.integers(0, 0xFFFF),
    remaining_ms=st.sampled_from([0, 1, 2, 3, 5, 8, 200, MAX_DEADLINE_MS]) | st.integers(0, MAX_DEADLINE_MS),
    data=st.sampled_from([b"a", b"bc", bytes(MAX_CODEC_BYTES)]),
    last=st.booleans(),
    source=st.integers(0, 2),
    program=st.integers(0, 3),
)
SOURCES = st.none() | st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("push"), PICTURES),
    st.tuples(st.just("burst"), st.lists(PICTURES, min_size=3, max_size=12)),
    st.tuples(st.just("pop"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.sampled_from([1, 999, 1000, 1001, 4000]) | st.integers(0, 20_000_000)),
    st.tuples(st.just("expire"), st.none()),
    st.tuples(st.just("flush"), st.tuples(SOURCES, st.none() | st.sampled_from(IMAGES))),
)


@pytest.fixture(scope="module", params=[1, 4, 64])
def library(request: pytest.FixtureRequest, workshop: Workshop) -> tuple[ctypes.CDLL, int]:
    """The core with that many slots."""
    slots: int = request.param
    at = workshop.shared_library(HERE / "shim.c", f"queue{slots}.so", f"-DPNC_QUEUE_SLOTS={slots}u")
    c = ctypes.CDLL(str(at))
    c.shim_queue_bytes.restype = ctypes.c_size_t
    c.pnc_queue_pop.restype = ctypes.c_size_t
    for name in ("expire", "flush", "flush_source", "flush_all"):
        getattr(c, f"pnc_queue_{name}").restype = ctypes.c_uint8
    return c, slots


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(start_us=st.sampled_from([0, 2**31 - 5000, 2**32 - 5000]), steps=st.lists(STEPS, max_size=60))
def test_the_queue_agrees_with_a_naive_one_at_every_step(
    library: tuple[ctypes.CDLL, int], start_us: int, steps: list[tuple[str, Any]]
) -> None:
    c, slots = library
    core, model = CoreQueue(c), Model(slots)
    now_us = start_us
    for name, argument in steps:
        if name == "wait":
            now_us += argument
        elif name in ("push", "burst"):
            for picture in argument if name == "burst" else [argument]:
                assert core.push(now_us, picture) == model.push(now_us, picture)
        elif name == "pop":
            for _ in range(argument):
                assert core.pop(now_us) == model.pop(now_us)
        elif name == "expire":
            assert core.expire(now_us) == model.expire(now_us)
        else:
            source, image = argument
            image = None if source is None else image
            assert core.flush(source, image) == model.flush(source, image)
        *totals, waiting = core.state
        assert totals == [model.totals[reason] for reason in TOTALS]
        assert waiting == len(model.waiting)
        assert totals[0] == sum(totals[1:]) + waiting
    left = len(model.waiting)
    assert [core.pop(now_us) for _ in range(left)] == [model.pop(now_us) for _ in range(left)]
    assert core.pop(now_us) == b""
