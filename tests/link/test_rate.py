"""The rate of the link, and the times of a packet and of a byte, from credits."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.byte_time import ByteTime
from host.link.rate import RateEstimate
from host.link.sender import Policy
from host.wire import MAX_CODEC_BYTES, Credit
from tests.link.desk import SenderDesk

WRAP = 1 << 32
#: Codec bytes of a packet, and busy time that it took, us.
Part = tuple[int, float]


def credits_of(parts: Sequence[Part], start: tuple[int, int, int] = (0, 0, 0), idle_every: int = 0) -> list[Credit]:
    """Return credits of one packet each; before each ``idle_every`` credits that acknowledge none."""
    (packets, acked, busy), found = start, []

    def credit() -> None:
        found.append(Credit(acked_packets=packets % 65536, acked_bytes=acked % WRAP, busy_us=round(busy) % WRAP))

    credit()
    for size, time_us in parts:
        for _ in range(idle_every):
            busy += time_us / (idle_every + 1)
            credit()
        packets, acked, busy = packets + 1, acked + size, busy + time_us / (idle_every + 1)
        credit()
    return found


def slow_us(*parts: Part, start: tuple[int, int, int] = (0, 0, 0), idle_every: int = 0) -> float:
    """Return how long a byte takes when the link is slow, after these packets."""
    time = ByteTime()
    for credit in credits_of(parts, start, idle_every):
        time.update(credit)
    return time.slow_us()


def mixed(packet_us: float, byte_us: float, count: int = 60) -> list[Part]:
    """Return packets of different lengths on a link with these times."""
    sizes = [40, 52, 67, 87, 113, 147, 191, 236]
    return [(size, packet_us + byte_us * size) for size in (sizes[index % 8] for index in range(count))]


def test_nothing_is_known_without_acknowledgements() -> None:
    assert ByteTime().slow_us() == 0
    assert slow_us() == 0
    assert slow_us((0, 50_000), (0, 50_000)) == 0


@settings(deadline=None)
@given(st.floats(0, 60_000), st.floats(0, 500), st.integers(0, 3))
def test_the_time_of_a_byte_is_told_apart_from_that_of_its_packet(
    packet_us: float, byte_us: float, idle_every: int
) -> None:
    """Half of a packet's own time at most counts as time of its bytes: in doubt, packets are sent in parts."""
    parts = mixed(packet_us, byte_us)
    found = slow_us(*parts, idle_every=idle_every)
    mean_bytes = sum(size for size, _ in parts) / len(parts)
    assert byte_us * 0.99 - 0.1 <= found
    assert found <= 1.01 * (byte_us + 0.5 * packet_us / min(size for size, _ in parts)) + 0.1
    assert found <= 4.04 * (byte_us + 0.5 * packet_us / mean_bytes) + 0.1


@settings(deadline=None)
@given(st.integers(1, 236), st.integers(1, 100_000), st.integers(1, 100))
def test_of_packets_of_one_length_all_time_goes_to_the_bytes(size: int, time_us: int, count: int) -> None:
    assert slow_us(*[(size, time_us)] * count) == pytest.approx(time_us / size)


def test_a_link_that_is_slow_a_quarter_of_the_time_is_slow() -> None:
    fast, slow = (236, 1_400), (236, 50_000)
    assert slow_us(*[fast] * 100, slow) == pytest.approx(50_000 / 236)  # 50 ms of 190
    assert slow_us(*[fast] * 120, slow) == pytest.approx(1_400 / 236)  # 50 ms of 218


def test_a_link_that_changes_is_followed() -> None:
    parts = [(236, 50_000)] * 200 + [(236, 1_400)] * 128
    assert slow_us(*parts) == pytest.approx(1_400 / 236)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 236), st.integers(0, 200_000)), max_size=80))
def test_any_credits_give_a_time_that_is_not_negative(parts: list[Part]) -> None:
    assert 0 <= slow_us(*parts) <= 200_000


def test_totals_may_wrap_and_restart() -> None:
    parts = mixed(3_000, 100)
    expected = slow_us(*parts)
    assert slow_us(*parts, start=(65_530, WRAP - 1_000, WRAP - 5_000)) == pytest.approx(expected, rel=0.01)
    time, rate = ByteTime(), RateEstimate()
    for _ in range(2):
        for credit in credits_of(parts):
            time.update(credit)
            rate.update(credit)
        time.restart()
        rate.restart()
    assert time.slow_us() == pytest.approx(expected, rel=0.01)
    mean_bytes, mean_us = (sum(part[index] for part in parts) / len(parts) for index in (0, 1))
    assert rate.bytes_per_s == pytest.approx(mean_bytes / mean_us * 1e6, rel=0.05)


def part_bytes(parts: Sequence[Part], interval_us: int = 0) -> tuple[int, int]:
    """Return the length of parts that a sender asks for on such a link."""
    desk = SenderDesk()
    for credit in credits_of(parts):
        desk.sender.byte_time.update(credit)
    desk.sender._interval_us = interval_us
    return desk.sender.part_bytes()


def test_only_a_link_on_which_bytes_take_long_gets_parts() -> None:
    policy = Policy()
    whole = (MAX_CODEC_BYTES, MAX_CODEC_BYTES)
    assert part_bytes([]) == whole
    assert part_bytes(mixed(1_000, 5)) == whole
    assert part_bytes(mixed(12_000, 5)) == whole  # packets are lost, whatever their length
    first, most = part_bytes(mixed(1_000, 250))
    assert first == policy.first_bytes
    assert most == pytest.approx(policy.slow_packet_us / 250, rel=0.1)
    assert part_bytes(mixed(1_000, 250), interval_us=62_000) == whole  # a packet takes less than an interval
    assert part_bytes(mixed(1_000, 5_000)) == (policy.first_bytes, policy.first_bytes)


@pytest.mark.parametrize("loss", [0.3, 0.4, 0.5, 0.6])
def test_a_link_that_repeats_its_packets_again_and_again_mostly_gets_whole_packets(loss: float) -> None:
    """A packet of any length takes one event of 7.5 ms, and one more for each loss. The first one may be short."""
    whole = 0
    for seed in range(20):
        random = Random(seed)
        parts = []
        for size, _ in mixed(0, 0, 240):
            events = 1
            while random.random() < 1 - (1 - loss) ** 2:
                events += 1
            parts.append((size, 7_500.0 * events))
        whole += part_bytes(parts, interval_us=7_500)[1] == MAX_CODEC_BYTES
    assert whole >= 16


@pytest.mark.parametrize("loss", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_a_link_of_a_low_rate_gets_parts_although_it_loses_packets(loss: float, seed: int) -> None:
    """At 30 kbit/s."""
    random = Random(seed)
    parts = []
    for size, _ in mixed(0, 0, 240):
        times = 1
        while random.random() < loss:
            times += 1
        parts.append((size, times * (size + 8) * 8 / 0.03))
    first, most = part_bytes(parts, interval_us=7_500)
    assert first == Policy().first_bytes
    assert most <= 100
