"""Prints what a camera set to ``auto`` loses and gains against each fixed PHY while the attenuation rises and falls:
``python -m tests.bsim.phy_table [PHY ...]``. Each PHY takes minutes."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from host.wire import Phy
from tests import goal
from tests.bsim.bsim_scene import attenuated, pair_all
from tests.bsim.building import BUILD, build
from tests.bsim.simulation import Simulation, missing
from tests.bsim.stream import Record, Stream

S = 1_000_000
#: The walk, s: near, away, far, back, near.
AWAY_S, FAR_S, BACK_S, NEAR_S, END_S = 5, 17, 25, 37, 40
NEAR_DB, FAR_DB = 60.0, 97.0
SENDING_S = 3
DEADLINE_MS, PERIOD_MS = 300, 250
FIXED = (Phy.LE_2M, Phy.LE_1M, Phy.CODED_S2, Phy.CODED_S8)
#: Connection interval; S8 needs a longer one for a packet.
INTERVAL_US, INTERVAL_S8_US = 7_500, 30_000


def attenuation_db(at_s: float) -> float:
    """Return the attenuation of a walk away and back, with two slow fadings."""
    if at_s < AWAY_S or at_s >= NEAR_S:
        return NEAR_DB
    away = min((at_s - AWAY_S) / (FAR_S - AWAY_S), (NEAR_S - at_s) / (NEAR_S - BACK_S), 1.0)
    fading = 4 * math.sin(2 * math.pi * at_s / 7) + 2 * math.sin(2 * math.pi * at_s / 1.7)
    return NEAR_DB + (FAR_DB - NEAR_DB) * away + fading


def stream(folder: Path, program: Path, phy: Phy) -> Record:
    """Send pictures during the walk."""
    interval_us = INTERVAL_S8_US if phy == Phy.CODED_S8 else INTERVAL_US
    table = "".join(f"{at * S // 10} {attenuation_db(at / 10):.2f}\n" for at in range((END_S + 5) * 10))
    pair_all(folder, program)
    with Simulation(folder, [program] * 2, phy=attenuated(folder, table)) as simulation:
        sent = Stream(simulation, deadline_ms=DEADLINE_MS, period_ms=PERIOD_MS, phy=phy, interval_us=interval_us)
        sent.run(SENDING_S * S, sending=False)
        sent.run(END_S * S)
        sent.run((END_S + 1) * S, sending=False)
        sent.close()
        return sent.record


def oracle(useful: Mapping[Phy, list[int]]) -> list[int]:
    """Return the codec bytes of each picture on the best of the fixed PHYs: a bound that knows the future."""
    return [max(of_one) for of_one in zip(*(useful[phy] for phy in FIXED), strict=True)]


def row(name: str, useful: list[int], without_link_s: float | None) -> str:
    """Return a line of the table."""
    in_time = sum(size > 0 for size in useful)
    link = "" if without_link_s is None else f"{without_link_s:.1f}"
    return f"| {name} | {link} | {100 * in_time / len(useful):.1f} | {sum(useful) / len(useful):,.0f} |"


def main(*names: str) -> int:
    """Measure, keep what was measured, and print the table in Markdown."""
    why = missing()
    if why is not None:
        print(f"simulated boards: {why}; docs/firmware.md says what they need", file=sys.stderr)
        return 2
    kept = BUILD / "phy_table.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    measured = json.loads(kept.read_text()) if kept.exists() else {}
    program = build()
    for phy in [Phy[name] for name in names] or [*FIXED, Phy.AUTO]:
        with tempfile.TemporaryDirectory() as folder:
            record = stream(Path(folder), program, phy)
        without_s = record.without_link_s(SENDING_S * S, END_S * S)
        measured[phy.name] = {"useful": [picture.useful for picture in record.pictures], "without_link_s": without_s}
        kept.write_text(json.dumps(measured))
    print("| PHY | without a link, s | in time, % | codec bytes |\n|---|---|---|---|")
    for name, figures in measured.items():
        print(row(name, figures["useful"], figures["without_link_s"]))
    if all(phy.name in measured for phy in FIXED):
        print(row("oracle", oracle({phy: measured[phy.name]["useful"] for phy in FIXED}), None))
    return 0


if __name__ == "__main__":
    goal.run("phy_table", lambda: main(*sys.argv[1:]))
