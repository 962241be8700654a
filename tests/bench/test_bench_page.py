"""The bench of the live page: its report."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.bench import page


def test_it_measures_without_and_with_browsers_that_get_pictures() -> None:
    report = page.run(1, seconds=4)
    without, with_page = report["rows"]
    assert (without["page"], without["viewers"], with_page["page"], with_page["viewers"]) == ("without", 0, "with", 10)
    for row in report["rows"]:
        assert row["pictures"] == 4 * page.PER_SECOND * page.CAMERAS
        assert 0 <= row["in_time"] <= row["pictures"]
        assert 0 < row["median_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["cpu_ms"] > 0
    assert report["viewers"]["messages"] >= 10
    assert report["viewers"]["pictures"] >= 1
