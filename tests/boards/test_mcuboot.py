"""MCUboot's end of an update: a board that answers late, or not at all."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

pytest.importorskip("smpclient")

from smp import packet
from smp.os_management import EchoWriteRequest, EchoWriteResponse
from smpclient.generics import success
from smpclient.requests.os_management import EchoWrite

from host.boards import mcuboot


@contextmanager
def board(late_s: Callable[[int], float | None]) -> Iterator[str]:
    """A serial port that answers its n-th echo after ``late_s(n)``; None: never."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)

    def answer() -> None:
        count, waiting = 0, b""
        with suppress(OSError):
            while True:
                waiting += os.read(ours, 4096)
                while b"\n" in waiting:
                    line, _, waiting = waiting.partition(b"\n")
                    decoder = packet.decode()
                    next(decoder)
                    try:
                        decoder.send(line + b"\n")
                    except StopIteration as whole:
                        request = EchoWriteRequest.loads(whole.value)
                    wait_s = late_s(count)
                    count += 1
                    if wait_s is not None:
                        time.sleep(wait_s)
                        said = EchoWriteResponse(sequence=request.header.sequence, r=request.d)
                        os.write(ours, b"".join(packet.encode(said.BYTES)))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        os.close(theirs)
        thread.join(5)
        os.close(ours)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcuboot, "_ECHO_S", 0.1)


def asked(port: str, times: int) -> list[bool]:
    """Ask so often whether it answers."""

    async def run() -> list[bool]:
        async with mcuboot.connected(port) as client:
            return [await mcuboot.answers(client) for _ in range(times)]

    return asyncio.run(run())


def test_a_late_answer_is_not_taken_for_that_to_the_next_question() -> None:
    async def run(port: str) -> str:
        async with mcuboot.connected(port) as client:
            assert not await mcuboot.answers(client)
            answer = await client.request(EchoWrite(d="next"))
            assert success(answer)
            return answer.r

    with board(lambda count: 0.4 if count == 0 else 0.0) as port:
        assert asyncio.run(run(port)) == "next"


def test_a_board_that_is_always_slow_answers() -> None:
    with board(lambda _count: 0.15) as port:
        assert asked(port, 2) == [False, True]


def test_a_board_that_is_silent_does_not_answer() -> None:
    with board(lambda _count: None) as port:
        assert asked(port, 2) == [False, False]
