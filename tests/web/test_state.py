"""What the page knows, from the log's entries."""

from __future__ import annotations

from typing import Any

import pytest

from host.log.entry import Entry
from host.web.address import Address, parse_address
from host.web.camera import KEPT
from host.web.feed import MOST_WAITING, FeedSink, from_line, to_line
from host.web.state import State


class Counts:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.packets = 0
        self.drops: dict[str, int] = {}
        self.outcomes: list[tuple[int, str, float]] = []

    def packet(self, _source: int, _size: int) -> None:
        self.packets += 1

    def dropped(self, _source: int, reason: str, count: int) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + count

    def answered(self, source: int, outcome: str, seconds: float) -> None:
        self.outcomes.append((source, outcome, seconds))


def entry(time_us: int, event: str, **fields: Any) -> Entry:
    return Entry(time_us, "edge", event, {"source": 0, "image": 5, "program": 1, **fields})


def arrived(time_us: int, rank: int, **fields: Any) -> Entry:
    more = {"rank": rank, "position": rank, "bytes": 4, "remaining_ms": 100, **fields}
    return Entry(time_us, "edge", "arrived", {"source": 0, "image": 5, "program": 1, **more}, payload=b"data")


def result(time_us: int, *, final: bool, share: float = 0.5, status: str = "ok") -> Entry:
    top = [[7, "cup", share]] if status == "ok" else []
    return entry(time_us, "result", final=final, status=status, packets=1, top=top)


def test_a_picture_gets_packets_answers_and_its_outcome() -> None:
    counts = Counts()
    state = State(counts)
    state.take(Entry(0, "edge", "port opened", {"port": "/dev/x"}))
    assert state.trouble
    state.take(Entry(0, "edge", "opened", {}))
    assert not state.trouble
    for each in (arrived(1_000, 0), arrived(3_000, 2, last=True), result(4_000, final=False, share=0.2)):
        state.take(each)
    picture = state.cameras[0].pictures[-1]
    assert (picture.revision, picture.outcome, picture.as_json()["ranks"]) == (2, "", 3)
    state.take(arrived(3_500, 2))
    state.take(entry(5_000, "collected", final=True, whole=False, left_us=90_000))
    state.take(arrived(6_000, 1))
    state.take(result(51_000, final=True, share=0.8))
    shown = picture.as_json()
    assert shown["best"] == ["cup", 0.8]
    assert [answer["top"][0][1] for answer in shown["answers"]] == [0.2, 0.8]
    assert shown["deadline_ms"] == 94.0
    assert shown["packets"] == [[0, 4, 0.0], [2, 4, 2.0]]
    assert counts.drops == {"repeated": 1, "late": 1}
    assert counts.outcomes == [(0, "ok", 0.05)]
    assert counts.packets == 2


def test_a_number_that_comes_round_is_another_picture() -> None:
    state = State(Counts())
    for time_us in (0, 65_536_000):
        state.take(arrived(time_us, 0))
    assert [picture.revision for picture in state.cameras[0].pictures] == [1, 1]


def test_old_pictures_go() -> None:
    state = State(Counts())
    for image in range(100):
        state.take(Entry(image, "edge", "arrived", {"source": 3, "image": image}, payload=b"x"))
    assert len(state.cameras[3].pictures) == KEPT
    assert state.picture(1) is None
    assert state.picture(100) is not None


def test_a_lost_board_takes_the_links_along() -> None:
    state = State(Counts())
    state.take(entry(1, "link", state="up", phy="le_2m", interval_us=7_500, mtu=247))
    state.take(entry(2, "statistics", rssi_dbm=-60, waiting=3, expired=2))
    assert state.cameras[0].rssi_dbm == -60
    version = state.cameras[0].version
    state.take(Entry(3, "edge", "port lost", {"text": "/dev/x: gone"}))
    assert state.cameras[0].state == "down"
    assert state.cameras[0].version > version
    assert state.trouble == "/dev/x: gone"


def test_a_board_that_was_reset_counts_from_0() -> None:
    counts = Counts()
    state = State(counts)
    for expired in (5, 8, 2):
        state.take(entry(1, "statistics", expired=expired))
    assert counts.drops["expired"] == 5 + 3


@pytest.mark.parametrize("fields", [{"source": 99}, {"source": -1}, {"source": "x"}, {"rank": []}])
def test_what_no_program_writes_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        State(Counts()).take(entry(1, "arrived", **fields))


def test_the_feed_carries_packets_and_leaves_out_what_is_too_much() -> None:
    one = arrived(1, 0)
    assert from_line(to_line(one, "aa")).payload == b"data"
    sink = FeedSink()
    sink.take([one], "aa")  # not connected: nothing is kept
    sink._pipe = -1  # a pipe that takes nothing
    sink.take([one] * (MOST_WAITING // len(to_line(one, "aa")) + 10), "aa")
    assert sink.left_out >= 10


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80, True),
        ("localhost", "localhost", 8800, True),
        (":9", "127.0.0.1", 9, True),
        ("[::1]:9", "::1", 9, True),
        ("0.0.0.0:9", "0.0.0.0", 9, False),
        ("pi.local:9", "pi.local", 9, False),
    ],
)
def test_addresses(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = parse_address(text)
    assert address == Address(host, port)
    assert address.is_loopback is is_loopback


@pytest.mark.parametrize("text", ["", "a b", "host:99999", "http://x", "[zz]:1", "[1::2::3]:4", "::1", "x:y"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_address(text)
