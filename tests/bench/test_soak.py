"""The soak bench: every picture ends once, over a link that is bad in every way, and nothing grows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from host.bench import live_soak, soak, soak_plot
from host.bench.live_soak import PARTS, LiveRow

ROW = LiveRow(1.0, 100, 1.0, 80.0, 200.0, 250.0, 12)


def test_every_picture_ends_once_and_memory_stays_flat() -> None:
    result = soak.run(600)
    rows = result["rows"]
    assert [row["ended"] for row in rows] == [60] * soak.PARTS
    assert all(row["in_time"] + row["unanswered"] <= 1 for row in rows)
    assert sum(row["in_time"] for row in rows) > 0.9 * soak.PARTS
    assert rows[-1]["memory_blocks"] - rows[-2]["memory_blocks"] < 2_000
    assert all(0 < row["p50_ms"] <= row["p99_ms"] <= 300 for row in rows)


@pytest.mark.parametrize(
    ("last", "missed"),
    [
        ({}, ""),
        ({"memory_blocks": 82_001}, "NOT FLAT"),
        ({"p50_ms": 126.0}, "NOT FLAT"),
        ({"p99_ms": 351.0}, "NOT FLAT"),
        ({"ended": 59}, "NOT EACH ENDED ONCE"),
        ({"again": 1}, "NOT EACH ENDED ONCE"),
        ({"in_time": 0.4, "unanswered": 0.3}, "TOO FEW IN TIME"),
        ({"unanswered": 0.5}, "TOO MANY UNANSWERED"),
    ],
)
def test_a_virtual_soak_that_misses_a_bar_fails(last: dict[str, float], missed: str) -> None:
    rows = [soak.Row(60 * part, 60, 0, 1.0, 0.0, 100.0, 280.0, 5, 80_000) for part in range(1, soak.PARTS + 1)]
    rows[-1] = replace(rows[-1], **last)  # type: ignore[arg-type]
    notes, passed = soak._verdict(rows)
    assert passed is not bool(missed)
    assert notes[-1].endswith(f": {missed or 'flat'}")


def test_a_virtual_soak_in_which_nothing_is_answered_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = [soak.Row(60 * part, 60, 0, 0.0, 1.0, 0.0, 0.0, 0, 80_000) for part in range(1, soak.PARTS + 1)]
    assert soak._verdict(dead)[1] is False
    monkeypatch.setattr(soak._Soak, "_answer", lambda *_: None)
    result = soak.run(20)
    assert result["passed"] is False
    assert "TOO FEW IN TIME, TOO MANY UNANSWERED" in result["notes"][-1]


def test_a_virtual_soak_ends_and_fails_if_pictures_end_never_or_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    on_camera = soak._Soak._on_camera
    for times in (0, 2):
        monkeypatch.setattr(
            soak._Soak, "_on_camera", lambda self, event, times=times: [on_camera(self, event) for _ in range(times)]
        )
        result = soak.run(20)
        assert result["passed"] is False
        assert "NOT EACH ENDED ONCE" in result["notes"][-1]
        assert sum(row["again"] for row in result["rows"]) == (20 if times else 0)


@pytest.mark.parametrize(
    ("later", "missed"),
    [
        ({}, []),
        ({"memory_mb": 270.0}, ["NOT FLAT"]),
        ({"descriptors": 13}, ["NOT FLAT"]),
        ({"p50_ms": 130.0}, ["NOT FLAT"]),
        ({"p99_ms": 310.0}, ["NOT FLAT"]),
        ({"in_time": 0.0, "p50_ms": 0.0, "p99_ms": 0.0}, ["TOO FEW IN TIME"]),
    ],
)
def test_a_soak_in_real_time_that_misses_a_bar_says_which(later: dict[str, float], missed: list[str]) -> None:
    rows = [replace(ROW, **later) if part > PARTS // 2 else ROW for part in range(PARTS)]  # type: ignore[arg-type]
    assert live_soak.missed(rows) == missed


def test_a_soak_in_real_time_in_which_nothing_is_answered_fails() -> None:
    dead = replace(ROW, in_time=0.0, p50_ms=0.0, p99_ms=0.0)
    assert live_soak.missed([dead] * PARTS) == ["TOO FEW IN TIME"]
    assert live_soak.missed([replace(dead, pictures=0)] * PARTS) == ["TOO FEW IN TIME"]


def test_a_soak_in_real_time_answers_pictures_and_draws_its_curves(tmp_path: Path) -> None:
    result = live_soak.run(0.2)
    assert len(result["rows"]) == PARTS
    assert sum(row["pictures"] for row in result["rows"]) > 0
    assert all(row["memory_mb"] > 20 and row["descriptors"] > 3 for row in result["rows"])
    soak_plot.save(result["rows"], tmp_path / "soak.svg")
    assert (tmp_path / "soak.svg").read_text().lstrip().startswith("<?xml")
    with pytest.raises(soak_plot.PlotError, match="cannot be written"):
        soak_plot.save(result["rows"], tmp_path / "none" / "soak.svg")
    with pytest.raises(soak_plot.PlotError, match="svg"):
        soak_plot.check(tmp_path / "soak.jpg")
