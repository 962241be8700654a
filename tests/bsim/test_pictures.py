"""host.send and host.recv, unchanged, on two simulated boards in real time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
from PIL import Image

from tests.bsim.bsim_scene import lossy, scene
from tests.bsim.simulation import ROOT, Simulation, cpus_apart

PICTURES = 100
SERVER_S = 60.0
#: What a server that takes 30 ms for a picture leaves of 100 ms: encoding, both serial lines, and the air both ways.
#: All packets of a picture are 31 ms on the air.
REST_MS = 70


def _pictures(folder: Path) -> Path:
    """Different parts of the sample picture."""
    folder.mkdir()
    with Image.open(ROOT / "host" / "assets" / "sample.jpg") as sample:
        side = min(sample.size) // 2
        for number in range(PICTURES):
            left = (sample.width - side) * number // PICTURES
            upper = (sample.height - side) * (number * 37 % PICTURES) // PICTURES
            sample.crop((left, upper, left + side, upper + side)).save(folder / f"{number:03}.png")
    return folder


@pytest.mark.parametrize("air", [pytest.param([], id="clean"), pytest.param(lossy(0.1), id="10%-lost")])
def test_every_picture_is_answered_in_time(program: Path, tmp_path: Path, air: list[str]) -> None:
    reports = _send_all(program, tmp_path, air)
    assert [report["status"] for report in reports] == ["ok"] * PICTURES
    assert all(report["answer_ms"] <= 300 for report in reports)


def test_a_bad_link_costs_packets_rather_than_answers(program: Path, tmp_path: Path) -> None:
    """At 40 % errors in either direction the air takes a tenth; the answer has to come back on it, too."""
    reports = _send_all(program, tmp_path, lossy(0.4))
    in_time = [report for report in reports if report["status"] == "ok"]
    assert len(in_time) >= 0.9 * PICTURES
    assert all(report["packets_delivered"] > 0 for report in in_time)
    assert sum(report["packets_delivered"] < report["packets_encoded"] for report in in_time) > PICTURES // 4


def test_a_short_deadline_is_mostly_kept_on_a_clean_link(program: Path, tmp_path: Path) -> None:
    """The deadline is the server's time on this computer, and 70 ms: 100 ms where it needs 30."""
    reports = _send_all(program, tmp_path, [], f"{REST_MS + _server_ms():.0f}ms")
    assert sum(report["status"] == "ok" for report in reports) >= 0.9 * PICTURES


def _server_ms() -> float:
    """Return the time of a picture on the CPUs of the edge server, ms."""
    code = "from host.bench.server import services; print(services(1, ((1, 1, 1),))[0].latency_ms)"
    command = [*cpus_apart()[1], sys.executable, "-c", code]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout)


def _send_all(program: Path, tmp_path: Path, air: list[str], deadline: str = "300ms") -> list[dict[str, Any]]:
    """Send the pictures as a stream; return what host.send says of each."""
    pictures = _pictures(tmp_path / "pictures")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with scene(tmp_path, program):
        pass
    boards, computer = cpus_apart()
    with Simulation(tmp_path, [program] * 2, phy=air, length_s=3600, speed=1.0, prefix=boards) as simulation:
        camera, edge = simulation.ports
        log = tmp_path / "recv.txt"
        with log.open("w") as errors:
            server = subprocess.Popen(
                [*computer, sys.executable, "-m", "host.recv", "--port", str(edge)],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            until_s = time.monotonic() + SERVER_S
            while "serving" not in log.read_text():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until_s, log.read_text()
                time.sleep(0.1)
            sent = subprocess.run(
                [
                    *(*computer, sys.executable, "-m", "host.send", str(pictures)),
                    *("--port", str(camera), "--deadline", deadline, "--json"),
                ],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        finally:
            server.terminate()
            server.wait(10)
    reports = [json.loads(line) for line in sent.stdout.splitlines()]
    assert len(reports) == PICTURES, sent.stderr
    answers_ms = sorted(report["answer_ms"] for report in reports if report["status"] == "ok")
    packets = [report["packets_delivered"] for report in reports]
    print(f"{deadline}: {len(answers_ms)} in time, after {median(answers_ms):.0f} ms in the median", end=", ")
    print(f"{answers_ms[-1]:.0f} at most", end="")
    print(f", with {mean(packets):.1f} packets, {min(packets)} at least", end=" ")
    return reports
