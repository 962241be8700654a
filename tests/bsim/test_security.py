"""Who gets no data: a central that never paired, one with a wrong key, one that does not encrypt."""

from __future__ import annotations

import os
import re
from pathlib import Path

from host.wire import LinkState, Picture, Role
from tests.bsim.bsim_console import Console
from tests.bsim.bsim_scene import picture, scene
from tests.bsim.simulation import NEEDS_CIPHER, REAL, Simulation, build

#: Zephyr's samples connect only to what is near: -50 dBm in later releases.
NEAR = ["-channel=NtNcable", "-argschannel", "-at=40"]


def test_a_central_that_never_paired_gets_no_data_while_the_known_one_does(program: Path, tmp_path: Path) -> None:
    with scene(tmp_path, program):
        pass
    with Simulation(tmp_path, [program] * 3) as simulation:
        camera, edge, unknown = (Console(port) for port in simulation.ports)
        unknown.greet()
        unknown.configure(Role.EDGE)
        camera.greet()
        edge.greet()
        camera.link_up()
        camera.say(*(picture(1, rank) for rank in range(20)))
        edge.until(Picture, lambda p: p.rank == 19)
        for _ in range(100):
            unknown.pump(0.02)
        assert unknown.statistics().link == LinkState.DOWN
        assert not any(isinstance(packet, Picture) for packet in unknown.heard)


def test_an_unknown_board_alone_never_gets_a_link(program: Path, tmp_path: Path) -> None:
    with scene(tmp_path, program):
        pass
    (tmp_path / "flash1.bin").unlink()  # another edge board
    with Simulation(tmp_path, [program] * 2) as simulation:
        camera, unknown = (Console(port) for port in simulation.ports)
        unknown.greet()
        unknown.configure(Role.EDGE)
        camera.greet()
        while camera.statistics().uptime_ms < 8_000:
            unknown.pump(0.02)
            unknown.heard.clear()
        assert camera.statistics().links == 0
        assert unknown.statistics().links == 0


def _key_at(flash: bytes) -> int:
    """Where the bond's long-term key lies, as Zephyr keeps it: key size 16, flags, kinds of keys, ten zeros (which LE
    Secure Connections do not use), the key."""
    found = re.search(rb"\x10..\x00\x00{10}(?=.{16})", flash, re.DOTALL)
    assert found is not None
    return found.end()


@NEEDS_CIPHER
def test_a_central_with_a_wrong_key_gets_no_data_and_the_right_one_still_does(program: Path, tmp_path: Path) -> None:
    with scene(tmp_path, program, board=REAL) as boards:
        boards.camera.say(picture(1, 0))
        assert boards.edge.until(Picture).image == 1
    right = (tmp_path / "flash1.bin").read_bytes()
    at = _key_at(right)
    assert right[at : at + 16] in (tmp_path / "flash0.bin").read_bytes()
    (tmp_path / "flash1.bin").write_bytes(right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :])
    with Simulation(tmp_path, [program] * 2, board=REAL) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        assert camera.greet().role == Role.CAMERA
        assert edge.greet().role == Role.EDGE
        while camera.statistics().uptime_ms < 6_000:
            edge.pump(0.02)
        assert camera.statistics().links == 0
        assert edge.statistics().links == 0
    (tmp_path / "flash1.bin").write_bytes(right)
    with Simulation(tmp_path, [program] * 2, board=REAL) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        camera.greet()
        edge.greet()
        camera.link_up()
        camera.say(picture(2, 0))
        assert edge.until(Picture).image == 2


def test_a_central_that_does_not_subscribe_is_dropped_after_5_s(program: Path, tmp_path: Path) -> None:
    """Zephyr's own sample central_gatt_write: connects to whoever advertises, pairs, and writes to it without end."""
    sample = Path(os.environ["ZEPHYR_BASE"]) / "samples" / "bluetooth" / "central_gatt_write"
    central = build(source=sample, name="central")
    with Simulation(tmp_path, [program], others=[[central]], phy=NEAR, length_s=12) as simulation:
        camera = Console(simulation.ports[0])
        camera.greet()
        camera.configure(Role.CAMERA)  # the pairing window is open: anybody may connect
        simulation.wait()
    text = (tmp_path / "log1.txt").read_text()
    times = {
        word: [60 * float(m) + float(s) for m, s in re.findall(r"@00:(\d\d):([\d.]+)[^\n]*\b" + word, text)]
        for word in ("connected", "security_changed", "disconnected")
    }
    assert times["connected"], text
    assert times["disconnected"], text
    assert times["security_changed"], text
    assert times["disconnected"][0] - times["security_changed"][0] < 5.3
