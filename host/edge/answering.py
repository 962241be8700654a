"""Answers the pictures that a receiver reports: the queue, the workers and what becomes of their results."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..errors import PncError
from ..link.events import ImageCollected
from ..link.receiver import Receiver
from ..transport.driver import now_us
from ..wire import ResultStatus
from .errors import ServerError
from .picture_queue import Key, PictureQueue, key_of
from .recogniser import Recognised, Recogniser
from .service_time import ServiceTime
from .sureness import Sureness
from .workers import HangingError, Job, WorkerPool

BUSY = "the server was busy"
#: Abandoned threads at a time; with so many the server ends with an error.
MOST_HANGING = 3
#: The wait for a worker ends after its usual time times this, but not before ``_LEAST_LIMIT_S``.
_LIMIT_FACTOR = 10
_LEAST_LIMIT_S = 2.0
#: After so long without work the service time is measured again.
MEASURE_AFTER_US = 5_000_000
#: Lines about refused pictures are at least so far apart.
_NOTICE_EVERY_US = 1_000_000
#: Images whose answers are remembered.
_REMEMBERED = 256
#: The longest cause that a result carries.
_TEXT_LENGTH = 120
#: Runs before the server serves, and the pictures in them: the first of each size also prepare the networks.
_WARM_UP_RUNS = (1, 2, 1, 2, 1)


@dataclass(frozen=True, slots=True)
class Answered:
    """A picture with its answer. ``enough``: the server was sure before everything had arrived."""

    collected: ImageCollected
    recognised: Recognised
    service_us: int
    enough: bool = False


class Answering:
    """Decodes, classifies and answers what a receiver reports, in the event loop between ``open`` and ``close``.

    Args:
        recogniser: decodes and classifies. Several threads call it.
        workers: number of threads.
        sure: from how sure on a provisional answer is the final one; None: never.
        sureness: says how sure an answer is; None: as its first class's probability says.
        on_final: is called with every picture that was decoded for its final answer.
        on_notice: is called with lines for a person.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        workers: int,
        *,
        sure: float | None = None,
        sureness: Sureness | None = None,
        on_final: Callable[[Answered], None],
        on_notice: Callable[[str], None],
    ) -> None:
        self.workers = workers
        self.time = ServiceTime()
        self.failure: asyncio.Future[None]  # ends with a ServerError when too many threads hang
        self._recogniser = recogniser
        self._sure = sure
        self._sureness = sureness
        self._on_final = on_final
        self._on_notice = on_notice
        self._queue = PictureQueue(self.time)
        self._pool: WorkerPool
        self._has_pool = False
        self._receiver: Receiver
        self._wake: Callable[[], None]
        self._running: dict[Key, bool] = {}  # images that a worker has, and whether for their final answer
        self._made: OrderedDict[Key, Answered] = OrderedDict()  # what the last provisional answer of an image said
        self._ended: OrderedDict[Key, None] = OrderedDict()  # images with a final answer
        self._worked_us = 0
        self.progress_us = now_us()  # when a run last came to its end, or nothing was there to be done
        self._refused = 0
        self._noticed_us = -_NOTICE_EVERY_US
        self._timer: asyncio.TimerHandle | None = None

    def warm_up(self) -> None:
        """Load the networks and measure one picture alone and two in a batch. Blocks for a second or so."""
        for turn, pictures in enumerate(_WARM_UP_RUNS):
            start_s = time.perf_counter()
            self._recogniser.measure(pictures)
            if turn > 1:
                self.time.add((time.perf_counter() - start_s) * 1e6, pictures)
        self._recogniser.measure(alone=False)

    async def open(self) -> None:
        """Start the workers, and warm up unless that was done. Raises PncError if decoder or classifier fail."""
        loop = asyncio.get_running_loop()
        self.failure = loop.create_future()
        try:
            self._pool = WorkerPool(self.workers, "decode")
        except RuntimeError as error:
            raise ServerError(f"no worker can be started: {error}") from error
        self._has_pool = True
        if self.time.usual_us:
            return
        warm: asyncio.Future[None] = loop.create_future()
        self._pool.submit(self.warm_up, lambda _job, _none, error: _settle(warm, error))
        await warm

    def begin(self, receiver: Receiver, wake: Callable[[], None]) -> None:
        """Answer through this receiver from now on; ``wake`` lets it act. What waits for another one is forgotten."""
        self._receiver, self._wake = receiver, wake
        self._queue.clear()
        self._made.clear()
        self._ended.clear()
        receiver.workers = self.workers
        self._advertise()
        self._worked_us = now_us()
        self._attend()

    def add(self, collected: ImageCollected) -> None:
        """Take a picture that the receiver reported."""
        key = key_of(collected)
        if not collected.final:
            self._ended.pop(key, None)  # the number is used again
        made = self._made.get(key)
        if collected.final and made is not None and len(made.collected.packets) == len(collected.packets):
            self._answer(self._receiver, collected, made.recognised, made.service_us)
        elif (evicted := self._queue.add(collected)) is not None:
            self._refuse_busy(evicted)
        self._attend()

    def fail(self, error: Exception) -> None:
        """End the server with an error."""
        if not self.failure.done():
            self.failure.set_exception(error)

    @property
    def pending(self) -> int:
        """Number of pictures that a worker has or will have; without those of workers that hang."""
        return len(self._queue) + self._pool.pending

    def close(self) -> None:
        """Stop. Pictures without an answer get none."""
        self._stop()
        if self._has_pool:
            self._pool.close()

    async def end(self) -> None:
        """Do as ``close``, and let others run meanwhile."""
        self._stop()
        if self._has_pool:
            await self._pool.end()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.failure.cancel() and not self.failure.cancelled():
            self.failure.exception()  # it was reported, or another failure was

    def _attend(self) -> None:
        """Give the idle workers something to do, refuse what is too late, and set the time of the next call."""
        self._pool.tick()
        pool = self._pool
        while taken := self._queue.take(now_us(), pool.idle, pool.busy_since_us, self._running):
            self._start(taken)
        for picture in self._queue.drop_provisional():
            self._receiver.skip(picture)
        now = now_us()
        for picture in self._queue.expired(now):
            self._refuse_busy(picture)
        if self._refused and now - self._noticed_us >= _NOTICE_EVERY_US:
            self._on_notice(f"{BUSY}: {self._refused} pictures refused undecoded")
            self._refused, self._noticed_us = 0, now
        if not self._pool.pending and not len(self._queue):
            self.progress_us = now
        is_idle = self._pool.idle == self.workers and not self._queue.expects
        if is_idle and now - self._worked_us >= MEASURE_AFTER_US:
            self._worked_us = now
            self._pool.submit(self._recogniser.measure, self._measured, self._limit_s(1))
        self._set_timer(now)

    def _set_timer(self, now: int) -> None:
        hang_s, queue_us = self._pool.wake_at_s(), self._queue.wake_at()
        times_us = [max(self._worked_us + MEASURE_AFTER_US, now + _NOTICE_EVERY_US)]
        times_us += [] if queue_us is None else [queue_us]
        times_us += [] if hang_s is None else [int(hang_s * 1e6)]
        times_us += [self._noticed_us + _NOTICE_EVERY_US] if self._refused else []
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(0.001, (min(times_us) - now) / 1e6)
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._attend)

    def _start(self, pictures: tuple[ImageCollected, ...]) -> None:
        final = pictures[0].final
        alone = final and len(pictures) == 1 and self._pool.idle == self.workers and not len(self._queue)
        self._running.update((key_of(picture), final) for picture in pictures)
        self._pool.submit(
            partial(self._recogniser, [picture.packets for picture in pictures], alone=alone),
            partial(self._done, self._receiver, pictures, now_us()),
            self._limit_s(len(pictures)),
        )

    def _limit_s(self, pictures: int) -> float:
        return max(_LIMIT_FACTOR * self.time.batch_us(pictures) / 1e6, _LEAST_LIMIT_S)

    def _measured(self, job: Job[None], _: None, error: BaseException | None) -> None:
        self._note_progress(error)
        self._learn(job, round(job.duration_s * 1e6), 1, error)
        if error is not None:
            self._on_notice(f"a trial picture failed: {_plain(error)}")
        self._attend()

    def _done(
        self,
        receiver: Receiver,
        pictures: tuple[ImageCollected, ...],
        begun_us: int,
        job: Job[list[Recognised]],
        found: list[Recognised] | None,
        error: BaseException | None,
    ) -> None:
        final = pictures[0].final
        self._note_progress(error)
        for picture in pictures:
            self._running.pop(key_of(picture), None)
        failed = error or next((each.failure for each in found or () if each.failure is not None), None)
        if final or self.workers == 1 or failed is not None:
            self._learn(job, now_us() - begun_us, len(pictures), failed)
        if found is None:
            self._give_up(receiver, pictures, error)
        for picture, recognised in zip(pictures, found or (), strict=found is not None):
            service_us = now_us() - begun_us  # with the way to the worker and back
            try:
                if recognised.failure is not None:
                    raise recognised.failure
                if final:
                    self._answer(receiver, picture, recognised, service_us)
                elif receiver is self._receiver:
                    self._answer_early(receiver, picture, recognised, service_us)
            except Exception as failure:  # of a classifier, or a sureness, of the user's: the other pictures go on
                self._give_up(receiver, (picture,), failure)
        self._wake()
        self._attend()

    def _note_progress(self, error: BaseException | None) -> None:
        if not isinstance(error, HangingError):
            self.progress_us = now_us()

    def _learn(self, job: Job[Any], duration_us: int, pictures: int, error: BaseException | None) -> None:
        """Take the time of a run, and that of one without an end as its limit."""
        self._worked_us = now_us()
        if error is None:
            self.time.add(duration_us, pictures)
        elif isinstance(error, HangingError) and job.limit_s is not None:
            self.time.add(job.limit_s * 1e6 / pictures)
        self._advertise()
        if self._pool.hanging >= MOST_HANGING:
            hanging = f"{self._pool.hanging} runs of decoder and classifier hang"
            self.fail(ServerError(f"{hanging}, the last one for {job.limit_s:.0f} s"))

    def _advertise(self) -> None:
        self._receiver.service_us = round(self.time.expected_us)

    def _give_up(self, receiver: Receiver, pictures: tuple[ImageCollected, ...], error: BaseException | None) -> None:
        """Refuse pictures whose run raised or hangs. A provisional answer is just not given."""
        text = _plain(error)
        names = ", ".join(f"image {picture.image} of camera {picture.source}" for picture in pictures)
        self._on_notice(f"{names}: {text}")
        for picture in pictures:
            if picture.final:
                self._fall_back(receiver, picture, text)
            else:
                receiver.skip(picture)

    def _answer_early(
        self, receiver: Receiver, picture: ImageCollected, recognised: Recognised, service_us: int
    ) -> None:
        """Give a provisional answer; make it the final one if it is sure enough."""
        key = key_of(picture)
        if key in self._ended or not recognised.decoded.used:
            receiver.skip(picture)
            return
        if self._is_sure(picture, recognised) and not self._running.get(key, False):
            final = receiver.finish(now_us(), picture)
            waiting = self._queue.withdraw(key)
            if waiting is not None:
                receiver.skip(waiting)
            self._answer(receiver, final, recognised, service_us, enough=True)
            return
        self._made[key] = Answered(picture, recognised, service_us)
        _trim(self._made)
        used = [packet.rank for packet in picture.packets]
        receiver.answer(now_us(), picture, recognised.top, service_us=service_us, used=used)

    def _is_sure(self, picture: ImageCollected, recognised: Recognised) -> bool:
        if self._sure is None:
            return False
        probability = recognised.top[0][2]
        if self._sureness is not None:
            probability = self._sureness(probability, sum(len(packet.data) for packet in picture.packets))
        return probability >= self._sure

    def _answer(
        self,
        receiver: Receiver,
        picture: ImageCollected,
        recognised: Recognised,
        service_us: int,
        *,
        enough: bool = False,
    ) -> None:
        self._end(picture)
        if recognised.decoded.used:
            used = [packet.rank for packet in picture.packets]
            receiver.answer(now_us(), picture, recognised.top, service_us=service_us, used=used)
        else:
            text = "; ".join(recognised.decoded.issues)[:_TEXT_LENGTH]
            receiver.refuse(now_us(), picture, ResultStatus.NOTHING, text)
        self._wake()
        self._on_final(Answered(picture, recognised, service_us, enough))

    def _refuse_busy(self, picture: ImageCollected) -> None:
        self._refused += 1
        self._fall_back(self._receiver, picture, BUSY)
        self._wake()

    def _fall_back(self, receiver: Receiver, picture: ImageCollected, cause: str) -> None:
        """Give the last provisional answer as the final one; refuse a picture that has none."""
        made = self._made.get(key_of(picture))
        if made is not None:
            self._answer(receiver, replace(made.collected, final=True), made.recognised, made.service_us)
            return
        self._end(picture)
        receiver.refuse(now_us(), picture, ResultStatus.FAILED, cause[:_TEXT_LENGTH])

    def _end(self, picture: ImageCollected) -> None:
        key = key_of(picture)
        self._made.pop(key, None)
        self._ended[key] = None
        _trim(self._ended)


def _plain(error: BaseException | None) -> str:
    """Return an error as one line that a terminal shows as it is."""
    text = str(error) if isinstance(error, PncError | HangingError) else f"{type(error).__name__}: {error}"
    return "".join(each if each.isprintable() else " " for each in text)


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        text = f"decoder and classifier fail with a trial picture: {_plain(error)}"
        future.set_exception(error if isinstance(error, PncError) else ServerError(text))


def _trim(remembered: OrderedDict[Key, Any]) -> None:
    while len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
