"""A board that is reset says why, and is soon back in service."""

from __future__ import annotations

from pathlib import Path

from host.wire import Boot, Error, ErrorCode, Link, LinkState, Picture, Reset, ResetKind, Role
from tests.bsim.bsim_console import Console, appears
from tests.bsim.bsim_scene import attenuated, picture, scene
from tests.bsim.simulation import START_S, Simulation

#: Simulated time that a board may take, ms.
BACK_MS = 2000
RESET_MS = 5000
#: When the board's second life begins, s.
AGAIN_S = 8.0


def _until_uptime(console: Console, uptime_ms: int) -> None:
    while console.statistics().uptime_ms < uptime_ms:
        console.pump(0.02)


def test_a_board_that_is_reset_by_its_host_is_back_in_service_within_2_s(program: Path, tmp_path: Path) -> None:
    with scene(tmp_path, program):
        pass
    with Simulation(tmp_path, [program] * 2, again=[(0, AGAIN_S)]) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        for console in (camera, edge):
            assert console.greet().boot == Boot.POWER
        camera.link_up()
        _until_uptime(camera, RESET_MS)
        camera.say(Reset(kind=ResetKind.FIRMWARE))
        edge.until(Link, lambda link: link.state == LinkState.DOWN)
        assert edge.statistics().uptime_ms < RESET_MS + 1000, "the board said goodbye"
        again = appears(simulation.ports_again[0], START_S + AGAIN_S)
        hello = again.greet()
        assert (hello.boot, hello.role) == (Boot.SOFTWARE, Role.CAMERA)
        again.link_up()
        again.say(picture(5, 0))
        assert edge.until(Picture).image == 5
        back_ms = again.statistics().uptime_ms
        print(f"after {back_ms} ms", end=" ")
        assert back_ms < BACK_MS


def test_a_board_that_was_reset_unheard_is_back_within_2_s_of_the_connections_end(
    program: Path, tmp_path: Path
) -> None:
    """Its goodbye is lost: the edge holds the connection for the 2 s of its timeout, then hears the board again."""
    with scene(tmp_path, program):
        pass
    lost = f"0 60\n{RESET_MS * 1000 - 1} 60\n{RESET_MS * 1000} 130\n600000000 130\n"
    air = attenuated(tmp_path, lost)
    with Simulation(tmp_path, [program] * 2, again=[(0, 6.0)], phy=air) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        for console in (camera, edge):
            console.greet()
        camera.link_up()
        _until_uptime(camera, RESET_MS)
        camera.say(Reset())
        again = appears(simulation.ports_again[0], START_S + AGAIN_S)
        assert again.greet().boot == Boot.SOFTWARE
        edge.until(Link, lambda link: link.state == LinkState.DOWN)
        down_ms = edge.statistics().uptime_ms
        assert down_ms > RESET_MS + 1500
        edge.link_up()
        again.say(picture(6, 0))
        assert edge.until(Picture).image == 6
        back_ms = edge.statistics().uptime_ms - down_ms
        print(f"after {back_ms} ms", end=" ")
        assert back_ms < BACK_MS


def test_a_board_without_a_bootloader_refuses_to_start_it(program: Path, tmp_path: Path) -> None:
    with Simulation(tmp_path, [program]) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        console.say(Reset(kind=ResetKind.BOOTLOADER))
        error = console.until(Error)
        assert (error.code, error.detail) == (ErrorCode.REFUSED, Reset.TYPE)
        assert console.statistics().uptime_ms > 0
