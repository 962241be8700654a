"""Losses depend on the air alone: what is sent, and when, changes none of them."""

from __future__ import annotations

import numpy as np
import pytest

from host.sim.losses import draw
from host.sim.radio import Exchange
from host.sim.world import World
from tests.sim.scene import SECOND_US, Bulk, air


def record(world: World) -> list[Exchange]:
    """Return the list of all exchanges of the first connection; it grows as the world runs."""
    exchanges: list[Exchange] = []
    world.connections[0].on_exchange = exchanges.append
    return exchanges


@pytest.mark.parametrize("cameras", [1, 3])
def test_losses_are_the_same_with_no_little_and_much_traffic(cameras: int) -> None:
    seen = []
    for traffic_us in (0, 3 * SECOND_US, 8 * SECOND_US):
        bulk = Bulk(air(interval_us=15_000, loss=0.3, seed=5, cameras=cameras))
        exchanges = record(bulk.world)
        bulk.refilling = traffic_us > 0
        bulk.run(traffic_us)
        bulk.refilling = False
        bulk.run(8 * SECOND_US - traffic_us)
        seen.append({(each.event_us, each.number): (each.forth_lost, each.back_lost) for each in exchanges})
    idle, little, much = seen
    assert len(much) > len(little) > len(idle) > 500
    for other in (little, much):
        common = idle.keys() & other.keys()
        assert len(common) > 500
        assert [idle[key] for key in common] == [other[key] for key in common]


def test_another_seed_is_another_air() -> None:
    losses = []
    for seed in (1, 2):
        bulk = Bulk(air(loss=0.5, seed=seed))
        exchanges = record(bulk.world)
        bulk.run(4 * SECOND_US)
        losses.append([(each.forth_lost, each.back_lost) for each in exchanges if each.number == 0])
    assert losses[0] != losses[1]


def test_draws_are_evenly_spread_and_independent_of_their_neighbours() -> None:
    draws = np.array([[draw(7, 7_500 * event, number) for number in range(8)] for event in range(4_000)])
    counts, _ = np.histogram(draws, bins=20, range=(0, 1))
    expected = draws.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8  # chi-square with 19 degrees of freedom, p = 0.001
    neighbours = [(draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1])]
    neighbours.append((draws[:, 0], np.array([draw(8, 7_500 * event, 0) for event in range(4_000)])))
    for a, b in neighbours:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.05
