"""Rate traces from files: valid ones are read, others are refused with file and line."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.sim.trace import TRACES, ChannelState, Trace, TraceError


def read(folder: Path, text: str | bytes) -> Trace:
    path = folder / "my trace.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Trace.read(str(path))


def test_a_trace_is_read_as_steps_that_repeat(tmp_path: Path) -> None:
    trace = read(tmp_path, "time_s,rate_kbps,loss\n0,100,\n0.5,,0.25\n2,12.5,1\n")
    assert trace.at(0) == trace.at(499_999) == ChannelState(100_000, 0.0)
    assert trace.at(500_000) == trace.at(1_999_999) == ChannelState(None, 0.25)
    assert trace.at(2_000_000) == trace.at(3_499_999) == ChannelState(12_500, 1.0)
    assert trace.at(3_500_000) == ChannelState(100_000, 0.0)
    assert trace.at(3_500_000 * 1000 + 700_000) == ChannelState(None, 0.25)


@pytest.mark.parametrize("header", ["time_s,rate_kbps", "time_s,loss", "loss,time_s,rate_kbps", "note,time_s,loss"])
def test_either_column_will_do_in_any_order(tmp_path: Path, header: str) -> None:
    row = ",".join({"time_s": "0", "rate_kbps": "50", "loss": "0.5", "note": "hi"}[name] for name in header.split(","))
    state = read(tmp_path, f"{header}\r\n{row}\r\n").at(12_345)
    assert state == ChannelState(50_000 if "rate" in header else None, 0.5 if "loss" in header else 0.0)


def test_a_trace_of_one_line_is_constant(tmp_path: Path) -> None:
    trace = read(tmp_path, "time_s,rate_kbps\n0,50\n")
    assert {trace.at(10**k) for k in range(12)} == {ChannelState(50_000)}


NONSENSE_ROWS = [
    "x,50,0",
    ",50,0",
    "1,fast,0",
    "1,nan,0",
    "1,inf,0",
    "1,-1,0",
    "1,1e9,0",
    "1,50,1.01",
    "1,50,-0.1",
    "1,50,nan",
    "nan,50,0",
    "-1,50,0",
    "inf,50,0",
    "2e6,50,0",
    "0,50,0",
    "0.5,50,0;",
    "1 000,50,0",
    '"1",50,"0,5"',
]


@pytest.mark.parametrize("row", NONSENSE_ROWS)
def test_a_line_of_nonsense_is_refused_and_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(TraceError, match=r"my trace\.csv, line 3: "):
        read(tmp_path, f"time_s,rate_kbps,loss\n0,100,0\n{row}\n3,50,0\n")


def test_times_that_do_not_start_at_0_or_do_not_rise_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"my trace\.csv, line 2: times must start at 0"):
        read(tmp_path, "time_s,loss\n0.1,0\n")
    with pytest.raises(TraceError, match=r"my trace\.csv, line 4: times must start at 0 and rise"):
        read(tmp_path, "time_s,loss\n0,0\n2,0\n1,0\n")
    with pytest.raises(TraceError, match=r"my trace\.csv, line 3: times must"):
        read(tmp_path, "time_s,loss\n0,0\n0.0000001,0\n")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "0,100\n1,50\n", "time,rate\n0,1\n", "time_s\n0\n", "rate_kbps,loss\n1,0\n"]
)
def test_a_file_without_the_columns_is_refused_with_what_is_needed(tmp_path: Path, text: str) -> None:
    with pytest.raises(TraceError, match=r"my trace\.csv: its first line must name the columns time_s and rate_kbps"):
        read(tmp_path, text)


def test_a_trace_without_a_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"my trace\.csv: no lines"):
        read(tmp_path, "time_s,rate_kbps\n")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x01" * 20, b"time_s,loss\n0,\xff\n", b"time_s,loss\n0,0\x00\n"])
def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(TraceError, match=r"my trace\.csv"):
        read(tmp_path, data)


def test_a_file_that_is_not_there_is_refused_and_the_shipped_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"nowhere: No such file.*heavy, light, none"):
        Trace.read("nowhere")
    with pytest.raises(TraceError, match=r"directory"):
        Trace.read(str(tmp_path))


@pytest.mark.parametrize("name", sorted(path.stem for path in TRACES.glob("*.csv")))
def test_shipped_traces_are_read_by_name(name: str) -> None:
    trace = Trace.read(name)
    states = [trace.at(k * 10_000) for k in range(3000)]
    assert all(0 <= state.loss <= 1 and (state.rate_bps is None or state.rate_bps >= 0) for state in states)


def test_more_jamming_leaves_less_air() -> None:
    def clear(name: str) -> float:
        trace = Trace.read(name)
        return sum((1 - trace.at(k * 10_000).loss) * (trace.at(k * 10_000).rate_bps or 1.3e6) for k in range(6000))

    assert clear("none") > clear("light") > clear("heavy")


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
CELLS = st.sampled_from(["0", "1", "1.5", "-1", "nan", "", "x", "1e400", '"', "\x00"])
ANY_ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS).map(",".join), max_size=6).map("\n".join)


@settings(deadline=None)
@given(st.binary(max_size=300) | (ANY_TEXT | ANY_ROWS).map(lambda text: f"time_s,rate_kbps,loss\n{text}\n".encode()))
def test_any_file_is_a_trace_or_refused_by_name(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        try:
            trace = read(Path(folder), data)
        except TraceError as error:
            assert "my trace.csv" in str(error)  # noqa: PT017
            assert "\n" not in str(error).replace(repr("\n"), "")  # noqa: PT017
        else:
            state = trace.at(123_456_789)
            assert 0 <= state.loss <= 1
