"""What the link carries, in simulated time: whole packets of 244 bytes, encrypted, through the board's queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.wire import Credit, Phy
from tests.bsim.bsim_scene import Source, goodput_kbps, lossy, measure_goodput_kbps, scene

#: A serial port that is faster than the radio.
FAST = ["-baud=3000000"]


@pytest.mark.parametrize(
    ("interval_us", "phy", "air", "least_kbps"),
    [
        pytest.param(7_500, Phy.LE_2M, [], 1250, id="2M-7.5ms"),
        pytest.param(15_000, Phy.LE_2M, [], 1250, id="2M-15ms"),
        pytest.param(15_000, Phy.LE_1M, [], 545, id="1M-15ms"),
        pytest.param(7_500, Phy.LE_2M, lossy(0.1), 640, id="2M-7.5ms-10%-lost"),
    ],
)
def test_goodput(program: Path, tmp_path: Path, interval_us: int, phy: Phy, air: list[str], least_kbps: int) -> None:
    with scene(tmp_path, program, interval_us=interval_us, phy=phy, board=FAST, air=air) as boards:
        measured_kbps = measure_goodput_kbps(boards, air_s=4)
        print(f"{measured_kbps:.0f} kbit/s", end=" ")
        assert measured_kbps >= least_kbps


@pytest.mark.parametrize(("cameras", "interval_us"), [(4, 7_500), (4, 30_000), (8, 7_500)])
def test_cameras_share_the_air_fairly(program: Path, tmp_path: Path, cameras: int, interval_us: int) -> None:
    with scene(tmp_path, program, cameras=cameras, interval_us=interval_us, board=FAST) as boards:
        sources = [Source(camera) for camera in boards.cameras]
        begin_ms = 0
        before: list[int] = []
        while True:
            for source in sources:
                source.fill()
            boards.pump(0.001)
            for console in (*boards.cameras, boards.edge):
                console.heard.clear()
            if not begin_ms and all(c.credit and c.credit.acked_packets > 50 for c in boards.cameras):
                statistics = [camera.statistics() for camera in boards.cameras]
                begin_ms, before = statistics[0].uptime_ms, [s.acked for s in statistics]
            if begin_ms:
                statistics = [camera.statistics() for camera in boards.cameras]
                if statistics[0].uptime_ms - begin_ms > 5000:
                    break
    shares = [s.acked - b for s, b in zip(statistics, before, strict=True)]
    jain = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
    rate_kbps = sum(shares) * 244 * 8 / (statistics[0].uptime_ms - begin_ms)
    print(f"{shares} packets, Jain's index {jain:.3f}, together {rate_kbps:.0f} kbit/s", end=" ")
    assert jain >= 0.95


def test_goodput_counts_whole_packets() -> None:
    assert goodput_kbps(Credit(), Credit(acked_packets=1000, busy_us=1_952_000)) == pytest.approx(1000)
