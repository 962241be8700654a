"""Air time of Bluetooth LE packets (Bluetooth Core Specification 5.4, Vol 6, Part B, 2.1, 2.2 and 4.1)."""

from __future__ import annotations

from ..wire import Phy

#: Pause between two packets (T_IFS), us.
INTERFRAME_US = 150
#: Bytes of the L2CAP and ATT headers around a packet in the link layer's payload.
HEADERS = 7
#: Time that a controller needs to close a connection event and prepare the next, us. The published throughput figures
#: (docs/link.md) bound it: their packets per event imply a value between 193 and 539.
EVENT_CLOSE_US = 300


def air_us(phy: Phy, length: int) -> int:
    """Return the air time of a data packet with ``length`` bytes of link-layer payload (0: an empty packet), us."""
    match phy:
        case Phy.LE_2M:
            return (2 + 4 + 2 + length + 3) * 4
        case Phy.CODED_S2:
            return 80 + 256 + 16 + 24 + (2 + length + 3) * 16 + 6
        case Phy.CODED_S8:
            return 80 + 256 + 16 + 24 + (2 + length + 3) * 64 + 24
        case _:
            return (1 + 4 + 2 + length + 3) * 8


def cycle_us(phy: Phy, forth: int, back: int) -> int:
    """Return the time of one exchange in a connection event: a packet forth, one back, and two pauses, us."""
    return air_us(phy, forth) + INTERFRAME_US + air_us(phy, back) + INTERFRAME_US


def packets_per_event(phy: Phy, interval_us: int, packet: int) -> int:
    """Return how many packets of ``packet`` bytes fit a connection event in one direction."""
    return (interval_us - EVENT_CLOSE_US) // cycle_us(phy, 0, packet + HEADERS)


def goodput_limit_bps(phy: Phy, interval_us: int, packet: int, loss: float = 0.0) -> float:
    """Return the highest goodput in one direction, bit/s, counting the bytes of packets of ``packet`` bytes.

    ``loss`` is the probability that a packet is lost. An exchange needs two packets, and the first loss ends the event,
    so q + q^2 + ... + q^n of n exchanges succeed on average, with q = (1 - loss)^2.
    """
    exchanges = packets_per_event(phy, interval_us, packet)
    success = (1 - loss) ** 2
    expected = sum(success**k for k in range(1, exchanges + 1))
    return expected * packet * 8 / interval_us * 1e6
