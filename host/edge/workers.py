"""Worker threads that the program can do without: one that hangs is replaced, and none keeps the program from ending.

``concurrent.futures`` waits for its threads when the interpreter ends, so that a classifier that hangs would keep
Ctrl-C from ending the program. These threads are daemons. Processes could even be killed, but each would hold its own
networks, take a second to start, and copy every picture. Threads suffice, since onnxruntime computes without Python's
lock. A classifier in C that hangs *with* the lock stops the whole program, as any such code would.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: After this share of its limit, a job's worker gets a substitute.
SLOW_SHARE = 0.25
#: How long ``close`` waits for the jobs in progress. A thread that comes back from C++ while the interpreter ends
#: aborts the program ("terminate called without an active exception").
_CLOSE_S = 2.0
_CLOSE_POLL_S = 0.005
#: A clock that jumps by this much shows that the process itself was stopped.
_STOPPED_S = 0.25


class HangingError(Exception):
    """A job took longer than its limit. Its thread is abandoned, since a thread cannot be killed."""


@dataclass(eq=False)
class Job(Generic[T]):
    """A function that a worker calls. ``duration_s`` is the time that the call took."""

    work: Callable[[], T]
    on_done: Callable[[Job[T], T | None, BaseException | None], None]
    limit_s: float | None
    begun_s: float = field(default_factory=time.monotonic)
    duration_s: float = 0.0
    is_slow: bool = False  # its worker has a substitute
    is_alone: bool = False  # no substitute could be started
    is_abandoned: bool = False
    has_ended: bool = False  # set by the worker


class WorkerPool:
    """Threads that run jobs, in order. ``on_done`` of a job is called in the event loop, once.

    RuntimeError if the system gives no threads. A slow job for which it gives no substitute stays alone.

    Its methods are called in the event loop, ``tick`` whenever ``wake_at_s`` is reached.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._pending: list[Job[Any]] = []  # not finished, without those that are abandoned
        self._hanging: list[Job[Any]] = []  # abandoned, and their threads still run
        self._threads: list[threading.Thread] = []
        try:
            for _ in range(size):
                self._start_thread()
        except RuntimeError:  # the system gives no more
            self.close()
            raise

    @property
    def idle(self) -> int:
        """Number of workers without a job; a slow one does not count, because it has a substitute."""
        return self.size - sum(not job.is_slow for job in self._pending)

    @property
    def busy_since_us(self) -> list[int]:
        """When the workers that are not idle began, us of ``time.monotonic``."""
        return [int(job.begun_s * 1e6) for job in self._pending if not job.is_slow]

    @property
    def hanging(self) -> int:
        """Number of abandoned threads that still run."""
        return len(self._hanging)

    @property
    def pending(self) -> int:
        """Number of jobs that are not finished. Slow ones do not count."""
        return sum(not job.is_slow for job in self._pending)

    def submit(
        self,
        work: Callable[[], T],
        on_done: Callable[[Job[T], T | None, BaseException | None], None],
        limit_s: float | None = None,
    ) -> None:
        """Run a function in a worker. ``on_done`` gets its result, or what it raised: HangingError after the limit."""
        job = Job(work, on_done, limit_s)
        self._pending.append(job)
        self._jobs.put(job)

    def wake_at_s(self) -> float | None:
        """Return when ``tick`` is due, by ``time.monotonic``; None: never."""
        times = [
            job.begun_s + job.limit_s * (1 if job.is_slow or job.is_alone else SLOW_SHARE)
            for job in self._pending
            if job.limit_s is not None
        ]
        return min(times, default=None)

    def tick(self) -> None:
        """Give slow jobs a substitute, and abandon those beyond their limit."""
        now_s, due_s = time.monotonic(), self.wake_at_s()
        if due_s is not None and now_s - due_s > _STOPPED_S:  # the process was stopped, and its threads with it
            for job in self._pending:
                job.begun_s += now_s - max(due_s, job.begun_s)
            return
        for job in list(self._pending):
            if job.limit_s is None:
                continue
            if not (job.is_slow or job.is_alone) and now_s >= job.begun_s + job.limit_s * SLOW_SHARE:
                job.is_slow = self._can_start_thread()
                job.is_alone = not job.is_slow
            if now_s >= job.begun_s + job.limit_s:
                self._pending.remove(job)
                self._hanging.append(job)
                job.is_abandoned = True
                job.is_slow = job.is_slow or self._can_start_thread()
                job.on_done(job, None, HangingError(f"no result within {job.limit_s:.1f} s"))

    def close(self, within_s: float = _CLOSE_S) -> None:
        """End the threads; wait a moment for those within their limit. Jobs without a result get none."""
        end_s = time.monotonic() + within_s
        while self._may_end() and time.monotonic() < end_s:
            time.sleep(_CLOSE_POLL_S)
        self._end()

    async def end(self, within_s: float = _CLOSE_S) -> None:
        """Do as ``close``, and let others run meanwhile. No job gets a result from now on."""
        for job in self._pending:
            job.is_abandoned = True
        end_s = time.monotonic() + within_s
        while self._may_end() and time.monotonic() < end_s:
            await asyncio.sleep(_CLOSE_POLL_S)
        self._end()

    def _may_end(self) -> bool:
        return any(_may_end(job) for job in self._pending)

    def _end(self) -> None:
        for job in self._pending:
            job.is_abandoned = True
        for _ in self._threads:
            self._jobs.put(None)

    def _can_start_thread(self) -> bool:
        """Start a thread; return False if the system gives none."""
        try:
            self._start_thread()
        except RuntimeError:
            return False
        return True

    def _start_thread(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            result, error = None, None
            begun_s = time.perf_counter()
            try:
                result = job.work()
            except BaseException as raised:  # even SystemExit of a classifier costs only its pictures
                error = raised
            job.duration_s = time.perf_counter() - begun_s
            job.has_ended = True
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._finished, job, result, error)

    def _finished(self, job: Job[Any], result: Any, error: BaseException | None) -> None:
        if job.is_slow:
            self._jobs.put(None)  # there is one thread too many: its substitute
        if job.is_abandoned:
            if job in self._hanging:
                self._hanging.remove(job)
            return
        self._pending.remove(job)
        job.on_done(job, result, error)


def _may_end(job: Job[Any]) -> bool:
    """Return whether a job runs and is not known to hang."""
    limit_s = _CLOSE_S if job.limit_s is None else min(job.limit_s, _CLOSE_S)
    return not job.has_ended and time.monotonic() < job.begun_s + limit_s
