"""The event log: what is written is read again, whatever else is in the file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.errors import Reason
from host.link.events import ImageCollected, Notice
from host.link.frames import write_frame
from host.log import recorder as recorder_module
from host.log.bug_report import LEFT_OUT, public, write_bug_report
from host.log.entry import FORMAT, Entry, parse_line
from host.log.lines import picture_lines
from host.log.of_events import of_event
from host.log.of_packets import PacketLog
from host.log.plot import check_plot, draw, write_plot
from host.log.reader import LogError, on_one_clock, read_log
from host.log.recorder import Recorder
from host.log.sinks import FileSink, MemorySink
from host.log.tap import Tap, TappedTransport
from host.log.timeline import time_lines
from host.transport.transport import TransportError
from host.wire import Credit, Picture, Result, ResultStatus


def write(path: Path, *entries: Entry, run: str = "aa") -> None:
    with path.open("a") as file:
        file.writelines(f"{entry.line(run)}\n" for entry in entries)


def header(run: str, time_us: int = 0, **fields: object) -> Entry:
    return Entry(time_us, "send", "log", {"format": FORMAT, "clock": run, "unix_us": 0, **fields}, run)


def test_an_entry_is_the_same_after_its_line() -> None:
    entry = Entry(12, "edge", "arrived", {"image": 3, "text": "\x1b[2J\u202eespresso"}, "ab")
    assert parse_line(entry.line()) == entry
    assert entry.line().isprintable()


@given(st.binary(max_size=200))
def test_any_line_is_an_entry_or_refused(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_line(line).time_us, int)


@pytest.mark.parametrize(
    "line", ["", "[]", "1", '{"time_us": true, "run": "", "vantage": "", "event": ""}', '{"time_us": 1}', "[" * 60_000]
)
def test_what_is_no_entry_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_line(line)


HUGE = [
    "Infinity",
    "-Infinity",
    "NaN",
    "1e999",
    "-1e999",
    "1e300",
    "9" * 400,
    f"{1 << 64}",
    '"1e999"',
    f'"{"9" * 400}"',
]
TIMED = {
    "encoded": ("left_us", "since_taken_us", "bytes"),
    "sent": ("rank", "bytes"),
    "collected": ("left_us",),
    "result": ("packets",),
    "answer": ("packets",),
}


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize(("event", "field"), [(event, field) for event in TIMED for field in TIMED[event]])
def test_a_number_that_is_none_costs_its_line(event: str, field: str, number: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, header("aa"), Entry(5, "camera", "encoded", {"image": 3, "bytes": 9}))
    entry = Entry(7, "camera", event, {"image": 3, field: "NUMBER", "final": True}).line("aa")
    with path.open("a") as file:
        file.write(entry.replace('"NUMBER"', number) + "\n")
    log = read_log([path])
    assert log.skipped == (not number.startswith('"'))
    [picture] = time_lines(log.entries)
    assert all(line.isprintable() for line in picture_lines(picture, packets=True))
    json.dumps(picture.as_json(), allow_nan=False)


@pytest.mark.parametrize("number", ["Infinity", "1e999", "9" * 400])
@pytest.mark.parametrize("place", ['"time_us": {}', '"top": [[1, "cat", {}]]', '"unknown": {{"deep": [{}]}}'])
def test_nor_is_it_taken_anywhere_else(place: str, number: str) -> None:
    line = '{"time_us": 1, "run": "a", "vantage": "edge", "event": "result", "image": 3, ' + place.format(number) + "}"
    with pytest.raises(ValueError, match="is no number of a log"):
        parse_line(line)
    parse_line(line.replace(number, "1"))


def test_lines_that_are_cut_off_or_strange_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, header("aa"), Entry(5, "edge", "something new", {"depth": [1]}))
    with path.open("ab") as file:
        file.write(b'{"time_us": 7, "ev\n\xff\xfe\n' + b"x" * 200_000 + b"\n")
    write(path, Entry(6, "edge", "arrived", {"image": 1}))
    log = read_log([path])
    assert [entry.event for entry in log.entries] == ["log", "something new", "arrived"]
    assert log.skipped >= 3


def test_a_file_that_is_no_log_or_too_new_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with pytest.raises(LogError, match="cannot be read"):
        read_log([path])
    path.write_text("hello\n")
    with pytest.raises(LogError, match="no event log"):
        read_log([path])
    write(path, header("aa", format=FORMAT + 1))
    with pytest.raises(LogError, match=f"format {FORMAT + 1}") as raised:
        read_log([path])
    assert raised.value.reason is Reason.BAD_FILE


def test_logs_of_two_computers_are_put_on_one_clock() -> None:
    camera = [header("a", 1_000, unix_us=50_000), Entry(2_000, "camera", "sent", {}, "a")]
    edge = [header("b", 900_000, unix_us=50_500), Entry(901_000, "edge", "arrived", {}, "b")]
    times = {(entry.run, entry.event): entry.time_us for entry in on_one_clock([*edge, *camera])}
    assert times["b", "arrived"] - times["a", "sent"] == 500
    shared = [header("a", 1_000), header("b", 5_000, clock="a", unix_us=99), Entry(5_001, "edge", "arrived", {}, "b")]
    assert [entry.time_us for entry in on_one_clock(shared)] == [1_000, 5_000, 5_001]


def test_packets_of_a_line_become_entries() -> None:
    log = PacketLog("edge")
    picture = Picture(image=7, rank=2, position=9, remaining_ms=80, data=b"codec", last=True, program=1, source=3)
    data = b"".join(
        write_frame(seq, packet.pack())
        for seq, packet in enumerate([picture, Credit(peer=3, waiting=2), Credit(peer=3, waiting=2)])
    )
    found = [*log.read(10, data[:9], to_board=False), *log.read(11, b"\0garbage\0", to_board=True)]
    found += log.read(12, data[9:], to_board=False)
    assert [entry.event for entry in found] == ["arrived", "credit"], "an equal credit is no news"
    arrived = found[0]
    assert arrived.time_us == 12
    assert arrived.payload == b"codec"
    assert "codec" not in arrived.line(), "a log has no pictures"
    assert {name: arrived.get(name) for name in ("source", "image", "rank", "bytes", "last")} == {
        "source": 3, "image": 7, "rank": 2, "bytes": 5, "last": True,
    }  # fmt: skip
    result = Result(image=7, peer=3, status=ResultStatus.OK, text=b"\x01")
    [entry] = log.read(13, write_frame(0, result.pack()), to_board=True)
    assert entry.get("status") == "malformed"


def test_a_camera_with_a_number_and_one_without_are_told_apart() -> None:
    """Two cameras may give one number to two pictures; a program cannot know the number of its camera."""
    entries = [
        Entry(0, "camera", "encoded", {"image": 5, "since_taken_us": 0, "left_us": 100}, "a"),
        Entry(1, "camera", "encoded", {"image": 5, "since_taken_us": 0, "left_us": 200}, "b"),
        Entry(2, "camera", "sent", {"image": 5, "program": 1, "rank": 0, "bytes": 9}, "a"),
        Entry(3, "camera", "sent", {"image": 5, "program": 2, "rank": 0, "bytes": 8}, "b"),
        Entry(4, "edge", "arrived", {"image": 5, "program": 2, "source": 0, "rank": 0, "bytes": 8}, "c"),
        Entry(5, "edge", "arrived", {"image": 5, "program": 1, "source": 1, "rank": 0, "bytes": 9}, "c"),
        Entry(6, "camera", "answer", {"image": 5, "final": True, "status": "ok", "top": [[1, "cup", 0.5]]}, "b"),
        Entry(70_000_000, "camera", "sent", {"image": 5, "program": 1, "rank": 0, "bytes": 7}, "a"),
    ]
    first, second, third = time_lines(entries)
    assert (first.source, first.packets[0].arrived_us, first.due_us, first.status) == (1, 5, 100, "")
    assert (second.source, second.packets[0].arrived_us, second.due_us, second.status) == (0, 4, 201, "ok")
    assert second.best == ("cup", 0.5)
    assert third.packets[0].bytes == 7, "the number came round"


def test_fields_of_another_kind_are_not_used() -> None:
    odd = [Entry(1, "edge", "arrived", {"image": 1, "rank": "x"}), Entry(2, "edge", "answer", {"image": 1, "top": 3})]
    [picture] = time_lines(odd)
    assert picture.best is None
    assert picture_lines(picture, packets=True)


def test_what_events_say() -> None:
    collected = ImageCollected(2, 9, 0, (), False, 1_500, final=False)
    [entry] = of_event(1_000, "edge", collected)
    assert (entry.event, entry.get("left_us"), entry.get("final")) == ("collected", 500, False)
    [notice] = of_event(1, "edge", Notice(1, "low"))
    assert notice.get("text") == "low"


def test_a_recorder_keeps_the_order_and_drops_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_WAITING", 10)
    memory = MemorySink()
    recorder = Recorder("send", [memory])
    for number in range(30):
        recorder.add_entry(Entry(number, "camera", "x"))
    with recorder:
        pass
    events = [entry.event for entry in memory.entries]
    assert events.count("x") == 9, "the header is one of the ten"
    [dropped] = [entry for entry in memory.entries if entry.event == "dropped"]
    assert dropped.get("entries") == 21


def test_a_log_that_cannot_be_written_is_two_lines_and_costs_nothing_else(tmp_path: Path) -> None:
    said: list[str] = []
    sink = FileSink(tmp_path / "gone" / "log.jsonl", said.append)
    for _ in range(3):
        sink.take([Entry(1, "edge", "x")], "aa")
        sink.take((), "aa")
    assert len(said) == 1
    assert "the log is not written (No such file or directory)" in said[0]
    (tmp_path / "gone").mkdir()
    sink.take([Entry(2, "edge", "y")], "aa")
    sink.take((), "aa")
    assert said[1].endswith("the log is written again")
    assert [entry.event for entry in read_log([sink.path]).entries] == ["y"]


def test_a_log_ends_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.log.sinks.LONGEST_FILE", 100)
    said: list[str] = []
    sink = FileSink(tmp_path / "log.jsonl", said.append)
    for _ in range(9):
        sink.take([Entry(1, "edge", "x")], "aa")
        sink.take((), "aa")
    assert len(said) == 1
    assert sink.path.stat().st_size <= 100


class Line:
    """A transport that gives one packet and is lost then."""

    name = "line"

    def __init__(self) -> None:
        self.written = b""
        self._data = [write_frame(0, Picture(image=1, rank=0, position=0, remaining_ms=5, data=b"x").pack())]

    async def open(self) -> None:
        """Nothing to open."""

    def write(self, data: bytes) -> None:
        self.written += data

    async def read(self) -> bytes:
        if not self._data:
            raise TransportError("line: gone")
        return self._data.pop()

    async def close(self) -> None:
        """Nothing to close."""


def test_a_tapped_transport_passes_everything_and_tells_a_loss() -> None:
    memory, line = MemorySink(), Line()

    async def test() -> None:
        with Recorder("recv", [memory]) as recorder:
            tapped = TappedTransport(line, Tap(recorder, "edge"))
            await tapped.open()
            tapped.write(b"abc")
            assert await tapped.read()
            with pytest.raises(TransportError):
                await tapped.read()

    asyncio.run(test())
    assert line.written == b"abc"
    assert [entry.event for entry in memory.entries] == ["log", "port opened", "arrived", "port lost"]


def test_plots_are_drawn_and_refused_before_a_run(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")
    entries = [
        Entry(0, "camera", "encoded", {"image": 5, "since_taken_us": 9, "left_us": 100_000}),
        Entry(1, "camera", "sent", {"image": 5, "rank": 0, "bytes": 9}),
        Entry(9, "camera", "answer", {"image": 5, "final": True, "late": True, "top": [[1, "$a_b$", 0.5]]}),
    ]
    pictures = time_lines(entries)
    assert draw(pictures, "png").startswith(b"\x89PNG")
    assert draw(pictures, "svg") == draw(pictures, "svg")
    with pytest.raises(LogError, match=r"\.svg"):
        check_plot(tmp_path / "x.jpg")
    with pytest.raises(LogError, match="no picture"):
        write_plot([], tmp_path / "x.png")


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("urls", ["http://me:hunter2@host:8123/x?token=hunter2"], [f"http://host:8123/{LEFT_OUT}"]),
        ("urls", ["https://hunter2@host"], [f"https://host/{LEFT_OUT}"]),
        ("urls", ["https://host/api/webhook/hunter2"], [f"https://host/{LEFT_OUT}"]),
        ("urls", ["https://host?hunter2", "https://host#hunter2"], [f"https://host/{LEFT_OUT}"] * 2),
        ("urls", ["https://[::1]:8800/", "HTTPS://host"], ["https://[::1]:8800", "HTTPS://host"]),
        ("urls", ["https://me:hun/ter2@host/", "https://me:hun?ter2@host"], [f"https://{LEFT_OUT}"] * 2),
        ("urls", ["https://me:hun@ter2@host/"], [f"https://host/{LEFT_OUT}"]),
        (
            "commands",
            ["/bin/log --token hunter2", "log", "'my log' -p hunter2"],
            [f"/bin/log {LEFT_OUT}", "log", f"my log {LEFT_OUT}"],
        ),
        ("commands", ["log 'hunter2", ""], [LEFT_OUT] * 2),
        ("camera", "rtsp://me:hunter2@camera/stream", f"rtsp://camera/{LEFT_OUT}"),
        ("files", [Path("a.jpg"), Path("/b/c d.jpg")], ["a.jpg", "/b/c d.jpg"]),
        ("files", (Path("a.jpg"),), ["a.jpg"]),
        ("more", {"token": "hunter2", "rate": 3}, {"token": LEFT_OUT, "rate": 3}),
        ("web", ("127.0.0.1", 8800), ["127.0.0.1", 8800]),
        ("sure", 0.5, 0.5),
        ("json", True, True),
        ("key", None, None),
    ],
)
def test_settings_are_reported_without_what_may_be_secret(name: str, value: object, shown: object) -> None:
    assert public({name: value}) == {name: shown}


def test_texts_of_a_bug_report_have_no_secret_either(tmp_path: Path) -> None:
    entries = [Entry(1, "edge", "port lost", {"text": "http://me:hunter2@host/ is away", "peer": 1})]
    write_bug_report(tmp_path / "b.zip", entries, "aa", {}, "see http://a/?hunter2", "http://hunter2@host/: refused")
    with zipfile.ZipFile(tmp_path / "b.zip") as file:
        content = "".join(file.read(name).decode() for name in file.namelist())
    assert "hunter2" not in content
    assert f"http://host/{LEFT_OUT} refused" in content


def test_a_bug_report_has_no_secret_and_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "bug.zip"
    settings = {"key": "hunter2", "web_token": "hunter2", "port": "sim", "files": [Path("a.jpg")]}
    entries = [Entry(1, "edge", "arrived", {"image": 1}, payload=b"hunter2")]
    write_bug_report(path, entries, "aa", settings, "nothing is wrong\n", "the board stopped answering")
    with zipfile.ZipFile(path) as file:
        content = {name: file.read(name).decode() for name in file.namelist()}
    assert not any("hunter2" in text for text in content.values())
    assert json.loads(content["settings.json"])["key"] == LEFT_OUT
    assert json.loads(content["versions.json"])["python"]
    assert "the board stopped answering" in content["error.txt"]
    assert parse_line(content["log.jsonl"]).event == "arrived"
