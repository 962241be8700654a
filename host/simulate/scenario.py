"""Scenarios: the cameras, their pictures, the radio channel and the server."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import PncError, Reason
from ..sim.world import WorldSettings
from ..wire import Phy

# The firmware's connection interval: its default for one camera, and the share of each of several cameras
# (firmware/Kconfig, CONFIG_PNC_DEFAULT_INTERVAL_US and CONFIG_PNC_CONN_SPACING_US; firmware/src/radio_central.c).
_ALONE_US, _SHARE_US, _SHARE_CODED_US = 7_500, 5_000, 35_000


class ScenarioError(PncError, ValueError):
    """An invalid scenario. The text names the scenario and the key."""

    reason = Reason.BAD_FILE


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Something that ends connections, repeatedly. Times in s from the first picture.

    ``by``: ``range`` (all cameras are out of range for ``for_s``), ``camera`` (the first camera's board is reset) or
    ``edge`` (the edge board is reset).
    """

    by: str
    at_s: float
    every_s: float
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation, ready to run; ``docs/link.md`` describes the keys of its file."""

    name: str
    about: str
    deadlines_ms: tuple[float, ...]
    period_ms: float | None
    aligned_ms: float | None
    settings: WorldSettings
    disconnects: tuple[Disconnect, ...]
    service_us: int
    workers: int | None

    def period_us(self, deadline_ms: float) -> int:
        """Return the time from a camera's picture to its next."""
        return round((self.period_ms or deadline_ms) * 1000)


def firmware_interval_us(phy: Phy, cameras: int) -> int:
    """Return the connection interval that the edge board's firmware chooses."""
    if cameras < 2:
        return _ALONE_US
    return cameras * (_SHARE_CODED_US if phy in (Phy.CODED_S2, Phy.CODED_S8) else _SHARE_US)
