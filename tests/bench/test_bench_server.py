"""The bench of the edge server: its report."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.bench import __main__ as bench
from host.bench import server


def test_it_prints_times_by_workers_and_threads_and_answers_under_too_much_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "server", "--rounds", "1", "--json"])
    assert bench.main() == 0
    report = json.loads(capsys.readouterr().out)
    assert [(row["workers"], row["threads"], row["batch"]) for row in report["rows"]] == list(server.CASES)
    assert all(min(row["latency_ms"], row["cpu_ms"], row["pictures_per_s"]) > 0 for row in report["rows"])
    assert len(report["overload"]) == 6
    assert all(0.9 < row["share"] < 1.1 for row in report["overload"])


def test_the_tables_have_a_line_for_each_case(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CASES", ((1, 1, 1), (1, 1, 8)))
    monkeypatch.setattr("sys.argv", ["bench", "server", "--rounds", "1"])
    assert bench.main() == 0
    times, overload, *_ = capsys.readouterr().out.split("\n\n")
    assert len(times.splitlines()) == 3
    assert len(overload.splitlines()) == 7
