"""The soak bench: every picture ends once, over a link that is bad in every way, and memory stays flat."""

from __future__ import annotations

from host.bench import soak


def test_every_picture_ends_once_and_memory_stays_flat() -> None:
    rows = soak.run(600)["rows"]
    assert [row["ended"] for row in rows] == [60] * soak.PARTS
    assert all(row["in_time"] + row["unanswered"] <= 1 for row in rows)
    assert sum(row["in_time"] for row in rows) > 0.9 * soak.PARTS
    assert rows[-1]["memory_blocks"] - rows[-2]["memory_blocks"] < 2_000
