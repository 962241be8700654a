"""The oracle against what can be computed by hand, and against the policies on the same air."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from host.ranked import RankedPacket
from host.simulate.delivery import Delivery
from host.simulate.experiment import Experiment
from host.simulate.oracle import Oracle
from host.simulate.policies import POLICIES
from host.simulate.scenario import Scenario
from host.simulate.scenario_file import read_scenario
from host.simulate.timetable import WARM_UP_US, slots
from tests.sim.scene import picture

Pictures = Sequence[Sequence[RankedPacket]]
PICTURES = [picture(20, seed) for seed in range(40)]


def oracle_of(scenario: Scenario, deadline_ms: float, pictures: Pictures = PICTURES) -> list[Delivery]:
    timetable = slots(scenario, deadline_ms, len(pictures), WARM_UP_US)
    return Oracle(scenario).deliver(timetable, pictures, deadline_ms)


def useful_bytes(deliveries: Sequence[Delivery]) -> int:
    return sum(len(delivery.packets[rank].data) for delivery in deliveries for rank in delivery.ranks)


def test_on_a_clear_link_the_serial_line_limits_the_oracle() -> None:
    # 100 ms less 50 of the server, 10 to 15 until the last connection event, 3 of serial lines and air: 13 to 15
    # packets of 251 bytes on a line of 100 kB/s, one of them on the second line.
    for delivery in oracle_of(read_scenario("2m-clear"), 100):
        assert 11 <= len(delivery.ranks) <= 15


def test_on_a_slow_link_the_oracle_has_what_the_rate_allows(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text("deadlines_ms = [500]\nrate_kbps = 60\n", encoding="utf-8")
    deliveries = oracle_of(read_scenario(str(path)), 500)
    packets_per_s = 60_000 / 8 / 244
    for delivery in deliveries:
        # until about 62 ms before the deadline, and the packet that the idle link admits at once
        assert len(delivery.ranks) == pytest.approx(packets_per_s * 0.438 + 1, abs=1.1)


@pytest.mark.parametrize(
    "name", ["none", "heavy", "bursts", "2m-per30", "50kbps", "2-cameras-heavy", "out-of-range", "board-reset"]
)
def test_no_policy_delivers_more_than_the_oracle_with_the_same_packets(name: str) -> None:
    scenario = read_scenario(name)
    for policy in POLICIES.values():
        deliveries = Experiment(scenario, policy).send(PICTURES, 300)
        assert [delivery.slot for delivery in deliveries] == slots(scenario, 300, len(PICTURES), WARM_UP_US)
        best = oracle_of(scenario, 300, [delivery.packets for delivery in deliveries])
        assert useful_bytes(deliveries) <= useful_bytes(best)
        for delivery, whole in zip(deliveries, PICTURES, strict=True):  # perhaps in parts
            assert b"".join(p.data for p in delivery.packets) == b"".join(p.data for p in whole)


def test_overlapping_pictures_share_the_slots_of_the_air() -> None:
    scenario = read_scenario("overlap-none")
    deliveries = oracle_of(scenario, 300)
    counts = [len(delivery.ranks) for delivery in deliveries]
    # 200 kbit/s carry 10.2 packets in the 100 ms from a picture to the next
    assert sum(counts[5:35]) / 30 == pytest.approx(200_000 / 8 / 244 / 10, rel=0.03)
    assert min(counts) > 0


def test_a_server_with_few_workers_limits_the_oracle(tmp_path: Path) -> None:
    path = tmp_path / "busy.toml"
    path.write_text("deadlines_ms = [300]\nperiod_ms = 100\nservice_ms = 150\nworkers = 1\n", encoding="utf-8")
    answered = sum(delivery.in_time for delivery in oracle_of(read_scenario(str(path)), 300))
    assert answered == pytest.approx(40 * 100 / 150, abs=2)


def test_with_the_reference_policy_what_comes_too_late_counts_at_any_time_only() -> None:
    deliveries = Experiment(read_scenario("heavy"), POLICIES["reference"]).send(PICTURES, 300)
    late = [delivery for delivery in deliveries if delivery.collected and not delivery.in_time]
    assert len(late) > 10
    for delivery in deliveries:
        assert delivery.collected == frozenset(range(len(delivery.collected)))
        assert not delivery.ranks or delivery.ranks == delivery.collected


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_delivers_everything_on_a_clear_link(policy: str) -> None:
    for delivery in Experiment(read_scenario("2m-clear"), POLICIES[policy]).send(PICTURES, 400):
        assert delivery.in_time
        assert delivery.ranks == frozenset(range(20))
