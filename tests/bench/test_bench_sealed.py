"""The bench of keys: its report, and that a key costs no more than it may."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.bench import __main__ as bench
from host.bench import sealed


def test_a_key_costs_less_than_5_percent_of_the_goodput(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [("2M", 7_500, 0.1), ("1M", 15_000, 0.0), ("coded-S8", 60_000, 0.0)]
    monkeypatch.setattr(sealed, "CASES", cases)
    monkeypatch.setattr(sealed, "SLOW_BPS", (20_000,))
    monkeypatch.setattr("sys.argv", ["bench", "sealed", "--rounds", "1", "--json"])
    assert bench.main() == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["rows"]) == len(cases)
    assert all(0.95 <= row["ratio"] < 0.97 for row in report["rows"])
    [slow] = report["slow"]
    assert 0.9 <= slow["ratio"] < 1
    assert [row["end"] for row in report["cpu"]] == ["camera", "edge server", "both ends", "link alone"]
    assert all(row["without_ms"] > 0 and row["sealed_ms"] > 0 for row in report["cpu"])
    assert "93.4%" in report["notes"][0]
