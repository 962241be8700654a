"""Losses on the air: a number for every packet that does not depend on what was sent before."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def draw(seed: int, event_us: int, number: int) -> float:
    """Return the number, evenly spread over [0, 1), that decides whether a packet is lost.

    A packet is lost if the number is below the probability of loss. The bits are mixed by the finalizer of SplitMix64
    (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014).

    Args:
        seed: of the connection.
        event_us: the time at which the connection event began.
        number: of the packet in the event, from 0; packets towards the camera are even, those from it odd.
    """
    bits = (seed * 0x9E3779B97F4A7C15 + event_us * 0xBF58476D1CE4E5B9 + number * 0x94D049BB133111EB + 0x1234567) & _MASK
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _MASK
    return ((bits ^ bits >> 31) >> 11) / (1 << 53)
