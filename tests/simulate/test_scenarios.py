"""Scenario files: the shipped ones are there, wrong ones are refused with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.sim.trace import ChannelState
from host.simulate.scenario import ScenarioError, firmware_interval_us
from host.simulate.scenario_file import read_scenario, read_scenarios, shipped
from host.wire import Phy

NAMES = {
    *("none", "light", "heavy", "bursts", "50kbps", "2m-clear", "2m-per10", "2m-per30", "coded-s8", "fast-slow"),
    *("slow-fast", "overlap-none", "overlap-heavy", "2-cameras-heavy", "8-cameras", "8-cameras-fast"),
    *("out-of-range", "board-reset", "microwave", "2m-per40", "2m-per50"),
}


def read(folder: Path, text: str) -> None:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    read_scenario(str(path))


def test_every_shipped_scenario_can_be_read_and_says_what_it_is() -> None:
    assert sorted(NAMES) == shipped()
    scenarios = read_scenarios("all,heavy")
    assert [scenario.name for scenario in scenarios] == shipped()
    for scenario in scenarios:
        assert scenario.about
        assert scenario.settings.parameters.possible


def test_the_interval_is_the_one_that_the_firmware_chooses() -> None:
    firmware = Path(__file__).parents[2] / "firmware"
    kconfig = "".join((firmware / name).read_text(encoding="utf-8") for name in ("Kconfig", "Kconfig.controller"))
    for symbol, value in (("PNC_DEFAULT_INTERVAL_US", 7500), ("PNC_CONN_SPACING_US", 5000)):
        assert f"default {value}\n" in kconfig.partition(f"config {symbol}\n")[2].partition("\nconfig ")[0]
    assert firmware_interval_us(Phy.LE_2M, 1) == 7_500
    assert firmware_interval_us(Phy.LE_2M, 8) == 40_000
    assert firmware_interval_us(Phy.CODED_S8, 2) == 70_000


def test_steps_repeat_after_their_cycle() -> None:
    trace = read_scenario("fast-slow").settings.trace
    rates_bps = [trace.at(at_ms * 1000).rate_bps for at_ms in (0, 119, 120, 299, 300, 3_000_119, 3_000_120)]
    assert rates_bps == [200_000, 200_000, 20_000, 20_000, 200_000, 200_000, 20_000]


def test_bursts_alternate_with_the_given_means() -> None:
    trace = read_scenario("bursts").settings.trace
    states = [trace.at(at_us) for at_us in range(0, 60_000_000, 5_000)]
    assert set(states) == {ChannelState(300_000), ChannelState(300_000, 1.0)}
    assert sum(state.loss for state in states) / len(states) == pytest.approx(100 / 220, abs=0.06)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "scenario mine: deadlines_ms must be a list of times in ms"),
        ("deadlines_ms = [0]", "scenario mine: deadlines_ms is 0, a number from 1 to 65535 is needed"),
        ("deadlines_ms = [300]\ncamera = 2", "scenario mine: camera is unknown"),
        ("deadlines_ms = [300]\ncameras = 9", "scenario mine: cameras is 9, a number from 1 to 8 is needed"),
        ('deadlines_ms = [300]\nphy = "3M"', "scenario mine: phy is '3M', one of 2M, 1M, coded-S2, coded-S8"),
        ('deadlines_ms = [300]\nphy = "coded-S8"', "scenario mine: interval_ms must be given"),
        ('deadlines_ms = [300]\ntrace = "nowhere"', "trace nowhere: No such file"),
        (
            'deadlines_ms = [300]\ntrace = "none"\nrate_kbps = 5',
            "scenario mine: trace cannot be combined with rate_kbps",
        ),
        ("deadlines_ms = [300]\nsteps = [[5, 1]]", "scenario mine: steps is not usable: the steps must start at 0"),
        ("deadlines_ms = [300]\nsteps = [1]", "scenario mine: steps must be a list of"),
        ("deadlines_ms = [300]\nbursts = {clear_ms = 5}", "scenario mine: bursts.jammed_ms is missing"),
        (
            'deadlines_ms = [300]\ndisconnects = [{by = "dog", at_s = 1, every_s = 1}]',
            "scenario mine: disconnects.by is 'dog'",
        ),
        ("deadlines_ms", "not a TOML file"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_key(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        read(tmp_path, text)
    assert reason in str(raised.value)
    assert isinstance(raised.value, ScenarioError) or "trace" in reason
