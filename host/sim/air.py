"""Air time of Bluetooth LE packets (Bluetooth Core Specification 5.4, Vol 6, Part B, 2.1, 2.2 and 4.1)."""

from __future__ import annotations

from ..wire import Phy

#: Pause between two packets (T_IFS), us.
INTERFRAME_US = 150
#: L2CAP header and ATT header around a packet of ours in the link layer's payload.
HEADERS = 7
#: What a controller needs at the end of a connection event to close it and prepare the next, us. The published
#: throughput figures (docs/link.md) bound it: with the packets per event they show it lies between 193 and 539.
EVENT_CLOSE_US = 300


def air_us(phy: Phy, length: int) -> int:
    """Time on the air of a data packet with ``length`` bytes of link-layer payload (0: an empty packet), us."""
    match phy:
        case Phy.LE_2M:
            return (2 + 4 + 2 + length + 3) * 4
        case Phy.CODED_S2:
            return 80 + 256 + 16 + 24 + (2 + length + 3) * 16 + 6
        case Phy.CODED_S8:
            return 80 + 256 + 16 + 24 + (2 + length + 3) * 64 + 24
        case _:
            return (1 + 4 + 2 + length + 3) * 8


def cycle_us(phy: Phy, there: int, back: int) -> int:
    """One exchange in a connection event: a packet there, its answer, and the two pauses, us."""
    return air_us(phy, there) + INTERFRAME_US + air_us(phy, back) + INTERFRAME_US


def packets_per_event(phy: Phy, interval_us: int, packet: int) -> int:
    """Full packets of ``packet`` bytes that fit a connection event in one direction."""
    return (interval_us - EVENT_CLOSE_US) // cycle_us(phy, 0, packet + HEADERS)


def goodput_limit_bps(phy: Phy, interval_us: int, packet: int, loss: float = 0.0) -> float:
    """Bytes of our packets that the air can carry at most in one direction, bit/s.

    ``loss`` is the chance that a packet is lost; an exchange needs two, and the first loss ends the event, so of
    n exchanges q + q^2 + ... + q^n succeed on average, q = (1 - loss)^2.
    """
    exchanges = packets_per_event(phy, interval_us, packet)
    success = (1 - loss) ** 2
    expected = sum(success**k for k in range(1, exchanges + 1))
    return expected * packet * 8 / interval_us * 1e6
