"""How long a simulated board's radio was on, from BabbleSim's record of the air, and the energy that an nRF52840 takes
for it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Currents of an nRF52840 while its radio sends at 0 dBm or receives, mA: 1 Mbit/s, crystal oscillator and DC/DC
#: converter running, processor asleep, 3 V (Product Specification, current consumption: IRADIO_TX1, IRADIO_RX0).
SUPPLY_V = 3.0
TX_0_DBM_MA = 6.40
RX_MA = 6.26
#: Fast ramp-up of the radio before each packet, us.
RAMP_UP_US = 40
#: Access address of advertising, and the frequency of its first channel as an offset in MHz.
_ADVERTISING = 0x8E89BED6
_CHANNEL_37 = 2.0


@dataclass(frozen=True)
class RadioTime:
    """On-time of a radio, us, ramp-ups included, within ``span_us``."""

    span_us: int
    tx_us: int = 0
    rx_us: int = 0

    @property
    def energy_mj(self) -> float:
        """What the chip takes in this on-time, mJ."""
        return (self.tx_us * TX_0_DBM_MA + self.rx_us * RX_MA) * SUPPLY_V / 1e6

    @property
    def power_mw(self) -> float:
        """The mean over the span, mW."""
        return self.energy_mj / (self.span_us / 1e6)


def radio_time(folder: Path, device: int, begin_us: int, end_us: int) -> RadioTime:
    """Return how long a device's radio was on between two times; ``folder`` has BabbleSim's records."""
    tx_us = rx_us = 0
    for row in _rows(folder / f"d_2G4_{device:02}.Tx.csv", begin_us, end_us):
        tx_us += int(row["end_time"]) - int(row["start_time"]) + RAMP_UP_US
    for row in _rows(folder / f"d_2G4_{device:02}.Rx.csv", begin_us, end_us):
        # Without a packet the time stamp is when the receiver was switched off.
        end = int(row["payload_end"]) or int(row["rx_time_stamp"])
        rx_us += end - int(row["start_time"]) + RAMP_UP_US
    return RadioTime(end_us - begin_us, tx_us, rx_us)


def advertisements_us(folder: Path, device: int) -> list[int]:
    """Return when a device advertised: the packets on the first channel."""
    rows = _rows(folder / f"d_2G4_{device:02}.Tx.csv", 0, 1 << 62)
    return [
        int(row["start_time"])
        for row in rows
        if int(row["phy_address"], 16) == _ADVERTISING and float(row["center_freq"]) == _CHANNEL_37
    ]


def _rows(path: Path, begin_us: int, end_us: int) -> Iterator[dict[str, str]]:
    """Yield the lines of a record that begin in that time, but for a last one that is not complete."""
    with path.open() as lines:
        for row in csv.DictReader(lines):
            if None in row.values() or not row["start_time"].isdecimal():
                continue
            if begin_us <= int(row["start_time"]) < end_us:
                yield row
