"""Worker threads: results, errors, slow jobs, jobs that hang, and the end of the program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from host.edge.workers import SLOW_SHARE, HangingError, WorkerPool
from tests import pace

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


def live(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), pace.seconds(LIMIT_S))

    asyncio.run(limited())


async def result(pool: WorkerPool, work: Callable[[], Any], limit_s: float | None = None) -> Any:
    """Run a job to its end, with the pool's ticks. Raise if it hangs; return the name of what else it raised."""
    done: list[tuple[Any, BaseException | None]] = []
    pool.submit(work, lambda _job, value, error: done.append((value, error)), limit_s)
    while not done:
        await asyncio.sleep(0.01)
        pool.tick()
    value, error = done[0]
    if isinstance(error, HangingError):
        raise error
    return value if error is None else f"raised {type(error).__name__}"


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, KeyboardInterrupt])
def test_whatever_a_job_raises_costs_this_job_only(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error("boom")

    async def test() -> None:
        pool = WorkerPool(1, "test")
        assert await result(pool, lambda: 1) == 1
        assert await result(pool, fail) == f"raised {error.__name__}"
        assert await result(pool, lambda: 2) == 2
        assert pool.idle == 1
        pool.close()

    live(test)


def test_a_slow_job_gets_a_substitute_and_its_result_still_counts() -> None:
    async def test() -> None:
        pool = WorkerPool(1, "slow-job")
        release = threading.Event()
        slow = asyncio.create_task(result(pool, lambda: release.wait(LIMIT_S) and "late", 8))
        await asyncio.sleep(0.1)
        assert pool.idle == 0
        await asyncio.sleep(8 * SLOW_SHARE)
        assert pool.idle == 1
        assert await result(pool, lambda: "other", LIMIT_S) == "other"
        release.set()
        assert await slow == "late"
        assert await result(pool, lambda: "third", LIMIT_S) == "third"
        await asyncio.sleep(0.1)
        assert sum(thread.name == "slow-job" for thread in threading.enumerate()) == 1  # the substitute has gone
        pool.close()

    live(test)


def no_thread() -> None:
    raise RuntimeError("can't start new thread")  # what Python raises at the system's limit


def test_a_slow_job_for_which_no_thread_can_be_started_stays_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        pool = WorkerPool(1, "test")
        monkeypatch.setattr(pool, "_start_thread", no_thread)
        release = threading.Event()
        slow = asyncio.create_task(result(pool, lambda: release.wait(LIMIT_S) and "late", 4))
        await asyncio.sleep(4 * SLOW_SHARE + 0.3)
        assert (pool.idle, pool.pending) == (0, 1)
        assert pool.wake_at_s() is not None
        release.set()
        assert await slow == "late"
        assert await result(pool, lambda: "next", LIMIT_S) == "next"
        pool.close()

    live(test)


def test_a_pool_without_threads_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(threading.Thread, "start", lambda _thread: no_thread())
        with pytest.raises(RuntimeError, match="can't start"):
            WorkerPool(2, "test")

    asyncio.run(test())


def test_a_job_that_hangs_is_abandoned_and_counted_until_it_ends() -> None:
    async def test() -> None:
        pool = WorkerPool(1, "test")
        release = threading.Event()
        with pytest.raises(HangingError, match=r"no result within 0\.2 s"):
            await result(pool, lambda: release.wait(LIMIT_S), limit_s=0.2)
        assert (pool.idle, pool.pending, pool.hanging) == (1, 0, 1)
        assert await result(pool, lambda: "goes on") == "goes on"
        release.set()
        while pool.hanging:
            await asyncio.sleep(0.01)
        pool.close()

    live(test)


def test_a_process_that_was_stopped_for_a_while_abandons_nothing() -> None:
    async def test() -> None:
        pool = WorkerPool(1, "test")
        release = threading.Event()
        job = asyncio.create_task(result(pool, lambda: release.wait(LIMIT_S) and "done", limit_s=0.7))
        await asyncio.sleep(0.05)
        time.sleep(2)  # as SIGSTOP: the event loop gets no time
        await asyncio.sleep(0.1)
        release.set()
        assert await job == "done"
        assert pool.hanging == 0
        pool.close()

    live(test)


def test_a_thread_that_hangs_does_not_keep_the_program_from_ending() -> None:
    program = """
import asyncio, time
from host.edge.workers import WorkerPool

async def main():
    pool = WorkerPool(2, "hang")
    pool.submit(lambda: time.sleep(600), print)
    await asyncio.sleep(0.1)
    pool.close()

asyncio.run(main())
print("over", flush=True)
"""
    start_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, timeout=LIMIT_S, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")
    assert time.monotonic() - start_s < pace.seconds(10)
