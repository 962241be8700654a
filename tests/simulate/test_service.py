"""The server's workers in virtual time, with the product's own queue: too much work, and a line that stands still."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from host.ranked import RankedPacket
from host.simulate.experiment import Experiment
from host.simulate.policies import POLICIES
from host.simulate.scenario_file import read_scenario
from host.simulate.service import expected_us

OVERLOAD = Path(__file__).parent / "scenarios" / "server-overload.toml"
PACKETS = [RankedPacket(rank, rank, bytes(236)) for rank in range(12)]


def test_at_1_2_times_its_capacity_a_server_answers_nearly_what_it_can_and_starves_no_camera() -> None:
    scenario = read_scenario(str(OVERLOAD))
    pictures, cameras = 400, scenario.settings.cameras
    deliveries = Experiment(scenario, POLICIES["ours"]).send([PACKETS] * pictures, 300)
    answered = Counter(each.slot.camera for each in deliveries if each.in_time)
    assert scenario.workers is not None
    seconds = pictures / cameras / 10
    possible = seconds * scenario.workers * 1e6 / scenario.service_us
    assert pictures == pytest.approx(1.2 * possible)
    assert answered.total() >= 0.9 * possible
    assert min(answered[camera] for camera in range(cameras)) >= 0.6 * answered.total() / cameras


@pytest.mark.parametrize("end", ["camera", "edge"])
def test_after_a_line_stood_still_for_two_seconds_the_next_picture_is_in_time(end: str) -> None:
    experiment = Experiment(read_scenario("2m-clear"), POLICIES["ours"])
    world = experiment._world
    line = world.edge.line if end == "edge" else world.cameras[0].line
    begin_us, end_us = 8_000_000, 10_000_000
    world.schedule.at(begin_us, partial(line.stall, True))
    world.schedule.at(end_us, partial(line.stall, False))
    deliveries = experiment.send([PACKETS] * 40, 300)
    lost = [each.slot for each in deliveries if not each.in_time]
    assert lost, "the stall costs pictures"
    assert all(begin_us - 300_000 < slot.begin_us < end_us - 250_000 for slot in lost)
    assert deliveries[-1].in_time


def test_a_server_with_workers_tells_its_receiver_what_a_picture_rarely_exceeds() -> None:
    assert expected_us(40_000, None) == 40_000
    assert expected_us(40_000, 1) == 40_000 + 40_000 // 16 + 1_000
