"""Which picture the server decodes next, and which it never will. No I/O, no threads: the time is an argument."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Sequence

from ..link.events import ImageCollected
from .service_time import ServiceTime

#: Most pictures that wait; of more, one of the camera with the most is refused.
MOST_WAITING = 128
#: A picture that waits alone is tried if it would be late by less than this share of the usual time.
_TOLERANCE = 1 / 8
#: By this factor a served picture counts less with each that is served after it.
_FORGET = 0.97
#: A picture with less time left than this share of the usual time is not decoded.
_LEAST = 1 / 2
#: After so long without work, a picture that seems to come too late is tried.
_TRY_AFTER_US = 500_000
#: Open images are forgotten so long after their deadline, if their last report never came.
_FORGET_US = 1_000_000

#: Camera, image number and program.
Key = tuple[int, int, int]


def key_of(collected: ImageCollected) -> Key:
    """Return what identifies an image."""
    return collected.source, collected.image, collected.program


class PictureQueue:
    """The pictures that wait for a worker.

    - If all can be answered in time, the earliest deadline is first.
    - Otherwise as many as possible are. The camera that was served most in the last second or so gives way, so that no
      camera is starved.
    - A picture that cannot be answered in time any more leaves undecoded (``expired``). The estimate of the service
      time may be wrong. So after half a second without work, an idle worker tries a picture that seems to come too
      late, as long as its deadline is ahead.
    - Provisional answers are made while a worker is idle that no final one needs, now or soon.
    """

    def __init__(self, time: ServiceTime) -> None:
        self._time = time
        self._final: dict[Key, ImageCollected] = {}
        self._provisional: dict[Key, ImageCollected] = {}
        self._open_until_us: dict[Key, int] = {}  # the deadlines of images that were reported as provisional only
        self._given: Counter[Key] = Counter()  # provisional runs of an open image
        self._served: dict[int, float] = {}  # by camera: the pictures served, older ones count less
        self._taken_us: int | None = None

    def __len__(self) -> int:
        """Number of pictures that wait for their final answer."""
        return len(self._final)

    @property
    def expects(self) -> bool:
        """Whether an image is open whose final picture will come."""
        return bool(self._open_until_us)

    def add(self, collected: ImageCollected) -> ImageCollected | None:
        """Take a picture; return the one that has to go because too many wait."""
        key = key_of(collected)
        if not collected.final:
            if key not in self._final:
                self._provisional[key] = collected
                self._open_until_us[key] = collected.deadline_us
            return None
        self._close(key)
        self._final[key] = collected
        if len(self._final) <= MOST_WAITING:
            return None
        waiting = Counter(source for source, _, _ in self._final)
        return self._final.pop(max(self._final, key=lambda k: (waiting[k[0]], self._final[k].deadline_us)))

    def drop_provisional(self) -> list[ImageCollected]:
        """Remove and return the pictures for which no worker is idle now. They are reported again when more arrives."""
        dropped = list(self._provisional.values())
        self._provisional.clear()
        return dropped

    def withdraw(self, key: Key) -> ImageCollected | None:
        """Remove an image; return its final picture if that waited."""
        self._close(key)
        return self._final.pop(key, None)

    def clear(self) -> None:
        """Forget all pictures."""
        for each in (self._final, self._provisional, self._open_until_us, self._given):
            each.clear()

    def take(
        self, now_us: int, idle: int, busy_since_us: Sequence[int] = (), running: Iterable[Key] = ()
    ) -> tuple[ImageCollected, ...]:
        """Remove and return what an idle worker does next; () for nothing.

        Args:
            now_us: the time.
            idle: number of idle workers.
            busy_since_us: when each of the other workers began with what it does.
            running: images that those have.
        """
        if idle < 1:
            return ()
        chosen = self._take_final(now_us, idle, busy_since_us)
        if not chosen:
            return self._take_provisional(now_us, idle, set(running))
        self._taken_us = now_us
        for picture in chosen:
            self._served = {source: served * _FORGET for source, served in self._served.items()}
            self._served[picture.source] = self._served.get(picture.source, 0.0) + 1
        return chosen

    def expired(self, now_us: int) -> list[ImageCollected]:
        """Remove and return the pictures that cannot be answered in time any more. Call ``take`` before."""
        gone = [key for key, picture in self._final.items() if now_us >= self._last_moment_us(picture)]
        for key in [key for key, end_us in self._open_until_us.items() if now_us >= end_us + _FORGET_US]:
            self._close(key)
        return [self._final.pop(key) for key in gone]

    def wake_at(self) -> int | None:
        """Return when ``expired`` has something to return; None if nothing waits."""
        return min(map(self._last_moment_us, self._final.values()), default=None)

    def _last_moment_us(self, picture: ImageCollected) -> int:
        return int(picture.deadline_us - self._time.usual_us * _LEAST)

    def _close(self, key: Key) -> None:
        self._provisional.pop(key, None)
        self._open_until_us.pop(key, None)
        self._given.pop(key, None)

    def _take_final(self, now_us: int, idle: int, busy_since_us: Sequence[int]) -> tuple[ImageCollected, ...]:
        planned = self._plan(now_us, idle, busy_since_us)
        if not planned and (self._taken_us is None or now_us - self._taken_us >= _TRY_AFTER_US):
            ahead = [picture for picture in self._final.values() if picture.deadline_us > now_us]
            planned = [max(ahead, key=lambda picture: picture.deadline_us)] if ahead else []
        share = -(-len(planned) // idle)  # what is left for the other idle workers is theirs
        size = min(len(planned), share, self._time.most_in_batch)
        while size > 1 and now_us + self._time.batch_us(size) > planned[0].deadline_us:
            size -= 1
        for picture in planned[:size]:
            del self._final[key_of(picture)]
        return tuple(planned[:size])

    def _plan(self, now_us: int, idle: int, busy_since_us: Sequence[int]) -> list[ImageCollected]:
        """Return as many pictures as can be answered in time, earliest deadline first.

        All take equally long. So whenever the next one would be late, any one of those up to it may go (Moore 1968).
        """
        each_us = self._time.picture_us
        late_us = each_us * _TOLERANCE if len(self._final) == 1 else 0.0
        free_us = [now_us - late_us] * idle
        free_us += sorted(max(since_us + each_us, now_us + each_us / 8) for since_us in busy_since_us)
        planned: list[ImageCollected] = []
        for picture in sorted(self._final.values(), key=lambda p: (p.deadline_us, p.source)):
            planned.append(picture)
            if not self._fits(planned, free_us, each_us):
                waiting = Counter(each.source for each in planned)
                planned.remove(max(planned, key=lambda p: waiting[p.source] + self._served.get(p.source, 0.0)))
        return planned

    def _fits(self, planned: list[ImageCollected], free_us: list[float], each_us: float) -> bool:
        free = list(free_us)
        for picture in planned:
            done_us = free.pop(0) + each_us
            if done_us > picture.deadline_us:
                return False
            insort(free, done_us)
        return True

    def _take_provisional(self, now_us: int, idle: int, running: set[Key]) -> tuple[ImageCollected, ...]:
        run_us = self._time.expected_us
        soon_us = now_us + 2 * run_us  # the last moment to begin with an image's final answer is within this run
        soon = {key for key, end_us in self._open_until_us.items() if now_us <= end_us <= soon_us}
        ready = [key for key in self._provisional if key not in soon and key not in running]
        if self._final or idle <= len(soon) or not ready:
            return ()
        key = min(ready, key=lambda k: (self._given[k], self._served.get(k[0], 0.0), self._open_until_us[k]))
        self._given[key] += 1
        return (self._provisional.pop(key),)
