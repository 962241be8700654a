"""A paired board that sends packets of every illegal kind, and then raw PDUs: service goes on (tests/bsim/rogue)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.wire import LinkState, Pair, PairAction, Pairing, PairMethod, Phy, Picture, Role
from tests.bsim.bsim_console import Console
from tests.bsim.bsim_scene import picture
from tests.bsim.simulation import ROOT, Simulation, build

#: What it sends: packets.h of the rogue.
PACKETS = 3604
#: Of these a camera must skip at least that many; the others are a hello, pings, answers, and what it may ignore.
ILLEGAL = 3000
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def rogue() -> Path:
    """The rogue board."""
    return build(source=ROOT / "tests" / "bsim" / "rogue", name="rogue")


class _Log:
    """What the rogue printed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def number(self, pattern: str, consoles: list[Console]) -> int:
        """Wait for a line with a number."""
        clock = consoles[0].clock
        until_s = clock.now_s + LIMIT_S
        while clock.now_s < until_s:
            found = re.search(pattern, self._path.read_text())
            if found:
                return int(found[1])
            for console in consoles:
                console.pump(0.01)
        raise AssertionError(f"no {pattern!r}: {self._path.read_text()}")


@contextmanager
def _attacked(folder: Path, program: Path, words: list[str | Path], *roles: Role) -> Iterator[list[Console]]:
    """Boards with a rogue among them; their windows are open, since their roles are new."""
    with Simulation(folder, [program] * len(roles), others=[words]) as simulation:
        consoles = [Console(port) for port in simulation.ports]
        for console, role in zip(consoles, roles, strict=True):
            console.greet()
            console.configure(role)
        yield consoles
        assert simulation.alive, simulation.log()
        for console in consoles:
            console.close()


def test_a_rogue_edge_does_not_stop_a_camera(program: Path, rogue: Path, tmp_path: Path) -> None:
    with _attacked(tmp_path, program, [rogue, "-central"], Role.CAMERA, Role.NONE) as (camera, edge):
        log = _Log(tmp_path / "log2.txt")
        assert log.number(r"sent (\d+) packets", [camera]) == PACKETS
        attacked = camera.statistics()
        assert (attacked.link, attacked.phy, attacked.mtu) == (LinkState.UP, Phy.LE_2M, 247)
        assert attacked.unknown > ILLEGAL
        assert attacked.accepted == attacked.sent == 0
        assert camera.pairing(Pair()).bonds == 1, "it was not told to forget"
        assert log.number(r"sent (\d+) raw", [camera]) > 0
        while camera.statistics().links:
            camera.pump(0.02)
        edge.configure(Role.EDGE)
        camera.pairing(Pair(action=PairAction.OPEN))
        edge.until(Pairing, lambda p: p.paired == 1)
        camera.link_up()
        packets = [picture(9, rank) for rank in range(30)]
        camera.say(*packets)
        for packet in packets:
            assert edge.until(Picture, lambda p, rank=packet.rank: p.rank == rank).data == packet.data
        assert camera.greet().role == Role.CAMERA


def test_a_rogue_camera_does_not_stop_an_edge_and_its_other_camera(program: Path, rogue: Path, tmp_path: Path) -> None:
    with _attacked(tmp_path, program, [rogue], Role.CAMERA, Role.EDGE) as (camera, edge):
        log = _Log(tmp_path / "log2.txt")
        camera.link_up()
        source = next(
            peer for peer in (0, 1) if edge.statistics(peer).link == LinkState.UP
        )  # the rogue may have come first; it says hello late
        arrived: list[Picture] = []
        edge.on_packet = lambda p: arrived.append(p) if isinstance(p, Picture) and p.source == source else None
        given = 0
        until_s = edge.clock.now_s + LIMIT_S
        text = tmp_path / "log2.txt"
        while " raw" not in text.read_text() or given < 200:
            if camera.credit is None or camera.credit.waiting < 8:
                camera.say(picture(given // 256, given % 256))
                given += 1
            for console in (camera, edge):
                console.pump(0.01)
                console.heard.clear()
            assert edge.clock.now_s < until_s, text.read_text()
        assert log.number(r"sent (\d+) packets", [edge]) == PACKETS
        assert log.number(r"sent (\d+) raw", [edge]) > 0
        while len(arrived) < given and edge.clock.now_s < until_s:
            camera.pump(0.01)
            edge.pump(0.01)
            edge.heard.clear()
        statistics = edge.statistics(source)
        assert sorted((p.image, p.rank) for p in arrived) == [(n // 256, n % 256) for n in range(given)]
        assert all(p.data == picture(p.image, p.rank).data for p in arrived)
        assert statistics.unknown > ILLEGAL // 2
        assert statistics.interval_us == 7500
        total = statistics.sent + statistics.expired + statistics.evicted + statistics.flushed + statistics.waiting
        assert statistics.accepted == total
        assert edge.greet().role == Role.EDGE


def test_unauthenticated_peers_that_fall_silent_hold_a_cameras_slot_for_5_s_at_most(
    program: Path, rogue: Path, tmp_path: Path
) -> None:
    """They request a supervision timeout of 32 s and disappear, so nobody confirms the camera's disconnection."""
    begin_s = [5.0, 12.0]
    silent = [[rogue, "-silent", f"-start_offset={at_s * 1e6:.0f}", "-delay_init"] for at_s in begin_s]
    with Simulation(tmp_path, [program] * 2, others=silent) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        for console, role in ((camera, Role.CAMERA), (edge, Role.EDGE)):
            console.greet()
            console.configure(role)
        camera.link_up()
        edge.configure(Role.NONE)
        for number, at_s in enumerate(begin_s):
            _Log(tmp_path / f"log{2 + number}.txt").number(r"@00:00:(\d+)[^\n]*leaves", [camera])
            camera.say(picture(number, 0))  # it waits in the queue
            while camera.statistics().uptime_ms < (at_s + 5.5) * 1000:
                camera.pump(0.02)
                camera.heard.clear()
            edge.configure(Role.EDGE)
            assert edge.until(Picture).image == number
            assert camera.statistics().uptime_ms < (at_s + 7) * 1000
            edge.configure(Role.NONE)
        pairing = camera.pairing(Pair())
        assert (pairing.open, pairing.bonds, pairing.paired, pairing.failed) == (1, 1, 1, 0)
        assert camera.statistics().uptime_ms > 17_000, "it was not reset"


def test_a_secret_that_was_shown_is_void_once_a_silent_peer_restarts_the_stack(
    program: Path, rogue: Path, tmp_path: Path
) -> None:
    """The restarted stack has another key pair, and the secret belongs to the old one."""
    silent = [rogue, "-silent", "-start_offset=2e6", "-delay_init"]
    with Simulation(tmp_path, [program], others=[silent]) as simulation:
        camera = Console(simulation.ports[0])
        camera.greet()
        camera.configure(Role.CAMERA)
        shown = camera.pairing(Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND))
        assert any(shown.random)
        ended = camera.until(Pairing, lambda p: not p.open)
        assert (ended.failed, ended.random) == (1, bytes(16))
        again = camera.pairing(Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND))
        assert again.open
        assert again.random not in (shown.random, bytes(16))
