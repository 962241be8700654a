"""Who may pair is said on the serial side: the window, its methods, forgetting. All with the real cipher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.wire import Configure, Link, LinkState, Pair, PairAction, Pairing, PairMethod, Picture, Role
from tests.bsim.bsim_console import Console
from tests.bsim.bsim_scene import picture
from tests.bsim.simulation import NEEDS_CIPHER, REAL, Simulation

pytestmark = NEEDS_CIPHER
OPEN = Pair(action=PairAction.OPEN)
CLOSE = Pair(action=PairAction.CLOSE)
OUT_OF_BAND = Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND)


@contextmanager
def _boards(folder: Path, program: Path, *roles: Role) -> Iterator[list[Console]]:
    """Boards that never met, in their roles, their windows closed."""
    with Simulation(folder, [program] * len(roles), board=REAL) as simulation:
        consoles = [Console(port) for port in simulation.ports]
        for console, role in zip(consoles, roles, strict=True):
            console.greet()
            console.say(CLOSE)  # before the other one is there: a role alone opens a window
            console.configure(role)
            console.until(Pairing, lambda p: p.open == 1)
            assert console.pairing(CLOSE).open == 0
        yield consoles
        for console in consoles:
            console.close()


def _handed_over(shown: Pairing, **changed: bytes) -> Pair:
    """What the other board is given of what this one shows."""
    values = {"random": shown.random, "confirm": shown.confirm, **changed}
    return Pair(
        action=PairAction.OPEN,
        method=PairMethod.OUT_OF_BAND,
        address_type=shown.address_type,
        address=shown.address,
        **values,
    )


def _carries_pictures(camera: Console, edge: Console) -> None:
    camera.link_up()
    camera.say(picture(7, 0))
    assert edge.until(Picture).image == 7


def _run(consoles: list[Console], simulated_ms: int) -> None:
    """Let simulated time pass."""
    until_ms = consoles[0].statistics().uptime_ms + simulated_ms
    while consoles[0].statistics().uptime_ms < until_ms:
        for console in consoles:
            console.pump(0.02)


def _never_linked(consoles: list[Console]) -> bool:
    """Neither now, nor reported in between."""
    return all(console.statistics().links == 0 and console.links_up == 0 for console in consoles)


def test_boards_pair_only_within_windows_opened_by_both_hosts(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        for opened in ([], [camera], [edge]):
            for console in opened:
                assert console.pairing(OPEN).open == 1
            _run([camera, edge], 2000)
            assert _never_linked([camera, edge])
            for console in opened:
                assert console.pairing(CLOSE).open == 0
        for console in (camera, edge):
            console.pairing(OPEN)
        assert edge.until(Pairing, lambda p: p.paired == 1).bonds == 1
        _carries_pictures(camera, edge)
        assert camera.pairing(CLOSE).bonds == 1


def test_a_window_closes_when_its_time_is_over_and_says_so(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        begin_ms = camera.statistics().uptime_ms
        opened = camera.pairing(Pair(action=PairAction.OPEN, window_s=2))
        assert (opened.open, opened.left_s) == (1, 2)
        closed = camera.until(Pairing)
        assert (closed.open, closed.left_s) == (0, 0)
        assert 2000 <= camera.statistics().uptime_ms - begin_ms < 3000
        edge.pairing(OPEN)
        _run([camera, edge], 2000)
        assert _never_linked([camera, edge])


@pytest.mark.parametrize("shows", [0, 1], ids=["camera-shows", "edge-shows"])
def test_hosts_hand_the_values_of_one_board_to_the_other(program: Path, tmp_path: Path, shows: int) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as consoles:
        shown = consoles[shows].pairing(OUT_OF_BAND)
        assert any(shown.random)
        assert any(shown.confirm)
        given = consoles[1 - shows].pairing(_handed_over(shown))
        assert (given.open, given.random, given.confirm) == (1, bytes(16), bytes(16))
        for console in consoles:
            done = console.until(Pairing, lambda p: p.paired == 1 and p.open == 0)
            assert (done.failed, done.bonds, done.random) == (0, 1, bytes(16))
        _carries_pictures(consoles[0], consoles[1])


@pytest.mark.parametrize("wrong", ["random", "confirm"])
@pytest.mark.parametrize("shows", [0, 1], ids=["camera-shows", "edge-shows"])
def test_boards_with_wrong_values_do_not_pair(program: Path, tmp_path: Path, shows: int, wrong: str) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as consoles:
        shown = consoles[shows].pairing(OUT_OF_BAND)
        value = bytes([getattr(shown, wrong)[0] ^ 1]) + getattr(shown, wrong)[1:]
        consoles[1 - shows].pairing(_handed_over(shown, **{wrong: value}))
        for console in consoles:
            assert console.until(Pairing, lambda p: p.failed > 0).paired == 0
        _run(consoles, 1000)
        assert _never_linked(consoles)
        assert all(console.pairing(Pair()).bonds == 0 for console in consoles)


@pytest.mark.parametrize("careful", [0, 1], ids=["camera-careful", "edge-careful"])
def test_a_board_that_pairs_out_of_band_does_not_pair_with_one_that_does_not_know_its_values(
    program: Path, tmp_path: Path, careful: int
) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as consoles:
        consoles[careful].pairing(OUT_OF_BAND)
        consoles[1 - careful].pairing(OPEN)
        assert consoles[careful].until(Pairing, lambda p: p.failed > 0).paired == 0
        _run(consoles, 1000)
        assert _never_linked(consoles)


def test_only_the_board_that_the_window_names_may_pair(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE, Role.EDGE) as (camera, edge, other):
        only = edge.pairing(Pair())
        camera.pairing(Pair(action=PairAction.OPEN, address_type=only.address_type, address=only.address))
        other.pairing(OPEN)
        _run([camera, other], 2000)
        assert _never_linked([camera, other])
        other.pairing(CLOSE)
        edge.pairing(OPEN)
        _carries_pictures(camera, edge)


def test_a_board_that_is_forgotten_is_unknown_again(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        for console in (camera, edge):
            console.pairing(OPEN)
        _carries_pictures(camera, edge)
        for console in (camera, edge):
            console.pairing(CLOSE)
        who = edge.pairing(Pair())
        camera.say(Pair(action=PairAction.FORGET, address_type=who.address_type, address=who.address))
        assert camera.until(Pairing, lambda p: p.bonds == 0).open == 0
        camera.until(Link, lambda link: link.state == LinkState.DOWN)
        camera.links_up = edge.links_up = 0
        _run([camera, edge], 6000)
        assert _never_linked([camera, edge])
        edge.say(Pair(action=PairAction.FORGET))
        assert edge.until(Pairing, lambda p: p.bonds == 0).open == 0
        for console in (camera, edge):
            console.pairing(OPEN)
        _carries_pictures(camera, edge)


def _pair_out_of_band(camera: Console, edge: Console) -> None:
    """Until both have the bond; the edge shows, the camera is given."""
    camera.pairing(_handed_over(edge.pairing(OUT_OF_BAND)))
    for console in (camera, edge):
        console.until(Pairing, lambda p: p.paired == 1 and p.open == 0)


def _pair_just_works(camera: Console, edge: Console) -> None:
    for console in (camera, edge):
        console.pairing(OPEN)
    for console in (camera, edge):
        console.until(Pairing, lambda p: p.paired == 1)


@contextmanager
def _known(folder: Path, program: Path, count: int) -> Iterator[list[Console]]:
    """The same boards after a restart, as their flash has them."""
    with Simulation(folder, [program] * count, board=REAL) as simulation:
        consoles = [Console(port) for port in simulation.ports]
        for console in consoles:
            console.greet()
        yield consoles
        for console in consoles:
            console.close()


def test_a_camera_that_lost_its_key_is_paired_again_in_the_window_only(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        _pair_just_works(camera, edge)
    (tmp_path / "flash0.bin").unlink()
    with _known(tmp_path, program, 2) as (camera, edge):
        camera.configure(Role.CAMERA)
        _run([camera, edge], 2000)
        assert _never_linked([camera, edge])
        edge.pairing(OPEN)
        assert edge.until(Pairing, lambda p: p.paired == 1).bonds == 1
        _carries_pictures(camera, edge)


def test_just_works_does_not_replace_a_bond_made_out_of_band(program: Path, tmp_path: Path) -> None:
    """Somebody with the camera's address who says that the key is lost; afterwards the camera itself is back."""
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        _pair_out_of_band(camera, edge)
    kept = (tmp_path / "flash0.bin").read_bytes()
    (tmp_path / "flash0.bin").unlink()
    with _known(tmp_path, program, 2) as (impostor, edge):
        impostor.configure(Role.CAMERA)
        edge.pairing(OPEN)
        refused = edge.until(Pairing, lambda p: p.failed > 0)
        _run([impostor, edge], 2000)
        assert _never_linked([impostor, edge])
        assert (refused.paired, edge.pairing(Pair()).bonds) == (0, 1)
    (tmp_path / "flash0.bin").write_bytes(kept)
    with _known(tmp_path, program, 2) as (camera, edge):
        _carries_pictures(camera, edge)


def test_a_bonded_edge_that_the_cameras_configuration_does_not_name_is_refused(program: Path, tmp_path: Path) -> None:
    with _boards(tmp_path, program, Role.CAMERA, Role.EDGE) as (camera, edge):
        _pair_just_works(camera, edge)
        _carries_pictures(camera, edge)
        who = edge.pairing(CLOSE)
        for window in (CLOSE, OPEN):
            camera.pairing(window)
            camera.say(
                Configure(role=Role.CAMERA, tx_power_dbm=127, address_type=1, address=b"\x01\x02\x03\x04\x05\xc6")
            )
            _run([camera, edge], 1000)
            camera.links_up = edge.links_up = 0
            _run([camera, edge], 3000)
            assert _never_linked([camera, edge])
        camera.pairing(CLOSE)
        camera.say(Configure(role=Role.CAMERA, tx_power_dbm=127, address_type=who.address_type, address=who.address))
        _carries_pictures(camera, edge)
