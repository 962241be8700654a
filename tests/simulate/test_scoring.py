"""What counts of a delivery, whole packets or parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import cut
from host.evaluate.result_cache import ResultCache
from host.ranked import split
from host.simulate.delivery import Delivery
from host.simulate.experiment import Experiment
from host.simulate.policies import POLICIES
from host.simulate.scenario_file import read_scenario
from host.simulate.scoring import Scorer, _point
from host.simulate.streams import STREAMS
from host.simulate.timetable import Slot
from tests.sim.scene import picture

SLOT = Slot(0, 0, 0, 300_000)


@settings(deadline=None)
@given(st.integers(1, 21), st.integers(4, 200), st.integers(20, 236), st.floats(0, 1))
def test_a_prefix_in_parts_is_decoded_once_for_all_ways_to_send_it(
    count: int, first_bytes: int, most_bytes: int, share: float
) -> None:
    packets = picture(count)
    parts = split(packets, first_bytes, most_bytes)
    prefix = parts[: max(1, round(share * len(parts)))]
    size = sum(len(part.data) for part in prefix)
    assert _point(prefix) == _point(cut(packets, size)) == f"{size} B"
    if len(parts) > 2:
        assert _point([parts[0], parts[2]]) != _point(parts[:2])


def test_useful_bytes_are_those_of_the_parts_that_an_answer_rests_on(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
    scorer = Scorer(STREAMS["pnc-v2"](), None, ResultCache(tmp_path, {}))
    packets = picture(3)
    parts = split(packets, 40, 200)
    ours = Delivery(SLOT, parts, sent=9, ranks=frozenset({0, 1, 4}), collected=frozenset(range(6)))
    none = replace(ours, ranks=frozenset(), sent=0)
    whole = Delivery(SLOT, packets, ranks=frozenset({0, 1}))
    row = scorer.row("heavy", 300, "ours", [ours, none], [whole, whole])
    expected = sum(len(parts[rank].data) for rank in (0, 1, 4))
    assert row.useful_bytes == expected / 2
    assert row.oracle_ratio == pytest.approx(expected / (4 * 236))
    assert (row.in_time, row.unsent, row.top5) == (0.5, 0.5, None)


def test_a_slow_link_gets_parts_and_answers_rest_on_a_beginning_of_them(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text("deadlines_ms = [500]\nrate_kbps = 20\n", encoding="utf-8")
    pictures = [picture(20, seed) for seed in range(20)]
    deliveries = Experiment(read_scenario(str(path)), POLICIES["ours"]).send(pictures, 500)
    assert all(delivery.in_time for delivery in deliveries[1:])
    later = deliveries[10:]
    assert all(len(delivery.packets) > 20 for delivery in later)
    for delivery in deliveries:
        assert delivery.ranks == frozenset(range(len(delivery.ranks)))
        assert not delivery.unsent


def test_on_a_link_that_loses_packets_most_of_a_picture_arrives_in_whole_packets(tmp_path: Path) -> None:
    """Lost packets make a link slow that gains nothing from short ones. Short ones once made it slower still."""
    path = tmp_path / "lossy.toml"
    path.write_text("deadlines_ms = [300]\npacket_errors = 0.4\n", encoding="utf-8")
    scenario, pictures = read_scenario(str(path)), [picture(21, seed) for seed in range(60)]
    deliveries = Experiment(scenario, POLICIES["ours"]).send(pictures, 300)
    sizes = [sum(len(each.packets[rank].data) for rank in each.ranks) for each in deliveries if each.in_time]
    # Of 230 ms, 0.36 / 0.64 packets in each interval of 7.5 ms: an exchange succeeds if both of its packets do.
    bound = 236 * 230 / 7.5 * 0.36 / 0.64
    assert sum(sizes) / len(pictures) >= 0.6 * bound
