"""The modelled radio has BLE's goodput: published limits, losses, rate limits and traces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.sim.air import air_us, cycle_us, goodput_limit_bps
from host.sim.radio import RadioParameters
from host.sim.trace import ChannelState, Trace
from host.sim.world import WorldSettings
from host.wire import MAX_PACKET, Phy
from tests.sim.scene import NO_LINE, SECOND_US, Bulk, air, numbers

# kbit/s of 244-byte notifications: payload limits by PHY and connection interval in us.
PUBLISHED = {
    (Phy.LE_2M, 7_500): 1301,
    (Phy.LE_2M, 15_000): 1301,
    (Phy.LE_2M, 50_000): 1366,
    (Phy.LE_1M, 7_500): 521,
    (Phy.LE_1M, 15_000): 651,
    (Phy.LE_1M, 50_000): 781,
}


@pytest.mark.parametrize(("phy", "interval_us"), PUBLISHED)
def test_goodput_without_loss_is_the_published_limit(phy: Phy, interval_us: int) -> None:
    bulk = Bulk(air(phy, interval_us, bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(200_000)
    assert bulk.goodput_bps(6 * SECOND_US) / 1000 == pytest.approx(PUBLISHED[phy, interval_us], rel=0.03)


@pytest.mark.parametrize(("phy", "interval_us"), PUBLISHED)
def test_the_limit_by_formula_is_the_published_one(phy: Phy, interval_us: int) -> None:
    assert goodput_limit_bps(phy, interval_us, MAX_PACKET) / 1000 == pytest.approx(
        PUBLISHED[phy, interval_us], rel=1e-3
    )


@pytest.mark.parametrize(("phy", "limit_bps"), [(Phy.CODED_S2, 380_000), (Phy.CODED_S8, 110_000)])
def test_the_coded_phys_reach_the_published_limits(phy: Phy, limit_bps: float) -> None:
    bulk = Bulk(air(phy, 400_000, bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(SECOND_US)
    assert bulk.goodput_bps(20 * SECOND_US) == pytest.approx(limit_bps, rel=0.03)


def test_a_tenth_of_the_packets_lost_costs_nearly_half_of_the_goodput() -> None:
    # Zephyr's controller on a simulated radio: 714 of 1301 kbit/s at 2M, 7.5 ms; a loss ends the connection event.
    clean, lossy = (Bulk(air(loss=loss, bytes_per_s=NO_LINE)) for loss in (0.0, 0.1))
    assert clean.connected()
    assert lossy.connected()
    ratio = lossy.goodput_bps(20 * SECOND_US) / clean.goodput_bps(20 * SECOND_US)
    assert ratio == pytest.approx(0.55, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(
    phy=st.sampled_from([Phy.LE_1M, Phy.LE_2M, Phy.CODED_S2, Phy.CODED_S8]),
    interval_us=st.sampled_from([30_000, 50_000]),
    loss=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_packets_are_late_but_never_lost_reordered_or_repeated(
    phy: Phy, interval_us: int, loss: float, seed: int
) -> None:
    bulk = Bulk(air(phy, interval_us, loss=loss, seed=seed, bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(2 * SECOND_US)
    bulk.refilling = False
    bulk.run(60 * SECOND_US)
    assert bulk.numbers[0] > 30
    assert numbers(bulk.tap.on_air) == list(range(bulk.numbers[0]))
    assert sorted(numbers(bulk.edge.arrived)) == list(range(bulk.numbers[0]))


@pytest.mark.parametrize("rate_bps", [20_000, 100_000, 500_000])
@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_a_cap_on_the_rate_caps_the_goodput(rate_bps: float, loss: float) -> None:
    bulk = Bulk(air(rate_bps=rate_bps, loss=loss, bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(SECOND_US)
    goodput_bps = bulk.goodput_bps(20 * SECOND_US)
    assert goodput_bps <= 1.05 * rate_bps
    assert goodput_bps >= 0.95 * rate_bps * (1 - 2 * loss)


def test_a_trace_shapes_the_goodput_and_repeats() -> None:
    trace = Trace([0, SECOND_US], [ChannelState(200_000), ChannelState(50_000)])
    bulk = Bulk(WorldSettings(trace=trace, bytes_per_s=NO_LINE))
    bulk.world.schedule.run_until(4 * SECOND_US)
    seconds = [bulk.goodput_bps(SECOND_US) for _ in range(6)]
    assert seconds[0::2] == pytest.approx([200_000] * 3, rel=0.07)
    assert seconds[1::2] == pytest.approx([50_000] * 3, rel=0.12)  # a packet is 4 % of it


def test_four_cameras_share_the_air_fairly() -> None:
    bulk = Bulk(air(interval_us=30_000, cameras=4, bytes_per_s=NO_LINE))
    assert bulk.connected()
    bulk.run(SECOND_US)
    before = len(bulk.edge.arrived)
    total_bps = bulk.goodput_bps(10 * SECOND_US)
    shares = [sum(h.packet.source == source for h in bulk.edge.arrived[before:]) for source in range(4)]
    assert sum(shares) ** 2 / (4 * sum(share**2 for share in shares)) >= 0.95  # Jain's index
    assert total_bps >= 0.8 * goodput_limit_bps(Phy.LE_2M, 30_000, MAX_PACKET)


def test_air_times_are_those_of_the_specification() -> None:
    # Core Specification 5.4, Vol 6, Part B, 4.5.10: the longest packets, with 255 bytes of payload, in us.
    assert [air_us(phy, 255) for phy in (Phy.LE_1M, Phy.LE_2M, Phy.CODED_S2, Phy.CODED_S8)] == [2120, 1064, 4542, 17040]
    # and the empty ones: 80 bits on 1M, 88 on 2M; coded: preamble 80 us, FEC block 1 at S=8, FEC block 2 at its own.
    assert [air_us(phy, 0) for phy in (Phy.LE_1M, Phy.LE_2M)] == [80, 44]
    for phy, us_per_bit in ((Phy.CODED_S2, 2), (Phy.CODED_S8, 8)):
        for length in (0, 27, 251):
            block_1 = (32 + 2 + 3) * 8
            block_2 = ((2 + length + 3) * 8 + 3) * us_per_bit
            assert air_us(phy, length) == 80 + block_1 + block_2
    assert cycle_us(Phy.LE_2M, 0, 251) == 1392
    assert cycle_us(Phy.LE_1M, 0, 251) == 2468


@pytest.mark.parametrize("phy", [Phy.LE_1M, Phy.LE_2M, Phy.CODED_S2, Phy.CODED_S8])
def test_an_interval_is_possible_if_a_full_exchange_fits_it(phy: Phy) -> None:
    least_us = max(7_500, cycle_us(phy, 0, 251) + 300)
    assert RadioParameters(phy, least_us).possible
    assert not RadioParameters(phy, least_us - 1).possible
    assert not RadioParameters(phy, 4_000_001).possible
