"""The PHY follows the settings, or the conditions: a camera that is set to these keeps its link where 2M loses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.wire import Configure, Link, LinkState, Phy, Picture, Role
from tests.bsim.bsim_scene import Source, attenuated, pair_all, scene
from tests.bsim.simulation import Simulation
from tests.bsim.stream import Record, Stream

#: Attenuations, dB. At 0 dBm the simulated radio carries full packets at 2M to 91 dB, at 1M to 95, with S8 to 104.
NEAR, FAR, VERY_FAR = 60, 94, 100
S = 1_000_000


def _streamed(folder: Path, program: Path, phy: Phy, far_db: int) -> Record:
    """Pictures for 24 s: near, in 5 s to ``far_db``, there for 6 s, and back."""
    table = f"0 {NEAR}\n{5 * S} {NEAR}\n{10 * S} {far_db}\n{16 * S} {far_db}\n{18 * S} {NEAR}\n{600 * S} {NEAR}\n"
    pair_all(folder, program, interval_us=30_000)
    with Simulation(folder, [program] * 2, phy=attenuated(folder, table)) as simulation:
        stream = Stream(simulation, deadline_ms=500, period_ms=500, phy=phy, interval_us=30_000)
        stream.run(3 * S, sending=False)
        assert stream.ready
        stream.run(24 * S)
        stream.run(25 * S, sending=False)
        stream.close()
        return stream.record


def _has_coded(program: Path) -> bool:
    return "BT_CTLR_PHY_CODED=y" in (program.parent / ".config").read_text()


def _phys(record: Record) -> list[Phy | None]:
    """The link's PHYs from when pictures are sent on."""
    return [phy for at_us, phy in record.links if at_us > 3 * S]


def test_a_camera_goes_to_1m_and_back_without_losing_its_link(program: Path, tmp_path: Path) -> None:
    record = _streamed(tmp_path, program, Phy.AUTO, FAR)
    phys = _phys(record)
    print(f"{record.in_time} of {len(record.pictures)} in time, {[p and p.name for p in phys]}", end=" ")
    assert Phy.LE_1M in phys
    assert None not in phys
    assert phys[-1] == Phy.LE_2M
    assert record.in_time >= 0.9 * len(record.pictures)


def test_the_settings_change_the_phy_of_a_full_link_that_stays(program: Path, tmp_path: Path) -> None:
    coded = [Phy.CODED_S8, Phy.LE_2M, Phy.CODED_S2, Phy.LE_1M] if _has_coded(program) else []
    with scene(tmp_path, program, interval_us=15_000) as boards:
        source, camera = Source(boards.camera), boards.camera
        now = Phy.LE_2M
        for wanted in [Phy.LE_2M, Phy.LE_1M, *coded, Phy.LE_2M]:
            camera.say(Configure(role=Role.CAMERA, tx_power_dbm=127, phy=wanted))
            carried, end_s = 0, camera.clock.now_s + 2.0
            while camera.clock.now_s < end_s:
                source.fill()
                boards.pump()
                links = [packet for packet in camera.heard if isinstance(packet, Link)]
                assert all(link.state == LinkState.UP for link in links), f"lost from {now.name} to {wanted.name}"
                now = Phy(links[-1].phy) if links else now
                carried += sum(isinstance(packet, Picture) for packet in boards.edge.heard)
                camera.heard.clear()
                boards.edge.heard.clear()
            print(f"{now.name}: {carried} packets in 2 s", end=" ")
            assert now == wanted
            assert carried > 20


def test_a_camera_keeps_its_link_on_the_coded_phy_where_1m_would_lose_it(program: Path, tmp_path: Path) -> None:
    if not _has_coded(program):
        pytest.skip("the simulated radio of this release has no coded PHY")
    record = _streamed(tmp_path, program, Phy.AUTO, VERY_FAR)
    phys = _phys(record)
    print(f"{record.in_time} of {len(record.pictures)} in time, {[p and p.name for p in phys]}", end=" ")
    assert Phy.CODED_S8 in phys
    assert None not in phys
    assert phys[-1] == Phy.LE_2M
    assert record.in_time >= 0.7 * len(record.pictures)
