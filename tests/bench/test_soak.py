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
    ("last", "passed"),
    [({}, True), ({"memory_blocks": 82_001}, False), ({"p50_ms": 126.0}, False), ({"p99_ms": 351.0}, False)],
)
def test_a_virtual_soak_that_grows_fails(last: dict[str, float], passed: bool) -> None:
    rows = [soak.Row(60 * part, 60, 1.0, 0.0, 100.0, 280.0, 5, 80_000) for part in range(1, soak.PARTS + 1)]
    rows[-1] = replace(rows[-1], **last)  # type: ignore[arg-type]
    notes, is_passed = soak._verdict(rows)
    assert is_passed is passed
    assert ("NOT FLAT" in notes[-1]) is not passed


@pytest.mark.parametrize(
    ("later", "flat"),
    [
        ({}, True),
        ({"memory_mb": 270.0}, False),
        ({"descriptors": 13}, False),
        ({"p50_ms": 130.0}, False),
        ({"p99_ms": 310.0}, False),
    ],
)
def test_a_soak_in_real_time_that_grows_is_not_flat(later: dict[str, float], flat: bool) -> None:
    rows = [replace(ROW, **later) if part > PARTS // 2 else ROW for part in range(PARTS)]  # type: ignore[arg-type]
    assert live_soak.is_flat(rows) is flat


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
