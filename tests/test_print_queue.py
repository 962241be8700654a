"""What is printed waits in a queue, and nobody waits for its reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from host import print_queue
from host.print_queue import HURRY_S, PATIENCE_S, PrintQueue
from tests import pace


class Reader:
    """A reader that reads only when it is let, and the queue before it."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.left_out: list[int] = []
        self.reads = threading.Event()
        self.queue = PrintQueue("stdout", self.left_out.append)

    def put(self, text: str) -> None:
        self.queue.put(text, self._write)

    def _write(self, text: str) -> None:
        self.reads.wait()
        self.got.append(text)


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.reads.set()


def test_all_is_written_in_order(reader: Reader) -> None:
    reader.reads.set()
    lines = [f"{number}\n" for number in range(500)]
    for line in lines:
        reader.put(line)
    reader.queue.drain(pace.seconds(20))
    assert (reader.got, reader.left_out) == (lines, [])


def test_lines_that_nobody_reads_keep_nobody_waiting_and_arrive_later(reader: Reader) -> None:
    start_s = time.monotonic()
    for number in range(200):
        reader.put(f"{number}\n")
    assert time.monotonic() - start_s < 10 * PATIENCE_S + HURRY_S * pace.factor() / 2
    reader.reads.set()
    reader.queue.drain(pace.seconds(20))
    assert (len(reader.got), reader.left_out) == (200, [])


def test_of_too_many_the_last_ones_are_counted_and_the_count_comes_after_the_others(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_queue, "MOST_WAITING", 1000)
    for _ in range(1000):
        reader.put("nine more\n")
    assert reader.left_out == []
    reader.reads.set()
    reader.queue.drain(pace.seconds(20))
    assert len(reader.got) == 100
    assert reader.left_out == [900]
    reader.put("it goes on\n")
    reader.queue.drain(pace.seconds(20))
    assert (reader.got[-1], reader.left_out) == ("it goes on\n", [900])


def test_a_text_longer_than_the_queue_is_written_if_it_is_alone(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_queue, "MOST_WAITING", 10)
    reader.reads.set()
    reader.put("longer than the queue\n")
    reader.queue.drain(pace.seconds(20))
    assert reader.got == ["longer than the queue\n"]


def test_at_the_end_what_is_not_read_is_counted(reader: Reader) -> None:
    for _ in range(5):
        reader.put("a line\n")
    start_s = time.monotonic()
    reader.queue.drain(0.05)
    assert time.monotonic() - start_s < pace.seconds(2)
    assert reader.left_out == [4]  # the first one is being written


def test_where_no_thread_can_be_started_the_caller_writes(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    reader.reads.set()
    reader.put("a\n")
    reader.put("b\n")
    assert reader.got == ["a\n", "b\n"]
