"""Calls that fail are counted, reported to the host, and tried again or fatal (firmware/drivers/sim_fail.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from host.wire import (
    FIRST_FAULT,
    Boot,
    Configure,
    Error,
    ErrorCode,
    Link,
    LinkState,
    Pair,
    PairAction,
    Pairing,
    PairMethod,
    Picture,
    Role,
)
from tests.bsim.bsim_console import BoardGoneError, Console, appears
from tests.bsim.bsim_scene import picture, scene
from tests.bsim.simulation import ROOT, START_S, Simulation, build

EIO, ENOMEM = 5, 12
#: The number of the fault if settings were erased because they could not be mounted (store.c).
ERASED = 1000


def _failing(function: str, times: int = 1, how: str = "") -> list[str]:
    return [f"-fail={function}", f"-fail_times={times}", *([f"-fail_how={how}"] if how else [])]


@contextmanager
def _board(folder: Path, program: Path, *options: str) -> Iterator[Console]:
    with Simulation(folder, [program], board=options) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        yield console
        console.close()


@contextmanager
def _bonded(folder: Path, program: Path, *options: str) -> Iterator[list[Console]]:
    """Start a camera and an edge board that know each other, with these options."""
    with scene(folder, program):
        pass
    with Simulation(folder, [program] * 2, board=options) as simulation:
        consoles = [Console(port) for port in simulation.ports]
        for console in consoles:
            console.greet()
        yield consoles


def _fault(console: Console, code: ErrorCode) -> tuple[int, int]:
    """Wait for that fault; return its number and how often it happened."""
    error = console.until(Error, lambda error: error.code == code, wait_s=60.0)
    return error.detail & 0xFFFF, error.detail >> 16


def _faults_of_a_new_session(console: Console) -> set[int]:
    console.greet()
    end_s = console.clock.now_s + 0.5
    while console.clock.now_s < end_s:
        console.pump(0.02)
    return {packet.code for packet in console.heard if isinstance(packet, Error) and packet.code >= FIRST_FAULT}


def _let_pass(console: Console, wait_s: float) -> None:
    until_ms = console.statistics().uptime_ms + wait_s * 1000
    while console.statistics().uptime_ms < until_ms:
        console.pump(0.02)


def _is_reset(simulation: Simulation, console: Console, most_ms: int) -> None:
    """Wait until that board, the first one, has reset itself by software; AssertionError if it still runs then."""
    with suppress(BoardGoneError):
        while console.statistics().uptime_ms < most_ms:
            console.pump(0.02)
        raise AssertionError("it was not reset")
    assert appears(simulation.ports_again[0], START_S).greet().boot == Boot.SOFTWARE


def _a_camera_is_configured(folder: Path, program: Path) -> None:
    with _board(folder, program) as console:
        console.configure(Role.CAMERA)
        console.pump(0.5)  # time to store it


def test_a_board_whose_calls_succeed_has_no_fault(program: Path, tmp_path: Path) -> None:
    with _board(tmp_path, program) as console:
        console.configure(Role.CAMERA)
        assert _faults_of_a_new_session(console) == set()


def test_a_board_whose_bluetooth_does_not_start_tells_every_host_and_resets_itself(
    program: Path, tmp_path: Path
) -> None:
    options = _failing("bt_enable")
    with Simulation(tmp_path, [program], board=options, again=[(0, 62.0)]) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().role == Role.NONE
        assert _fault(console, ErrorCode.BLUETOOTH) == (EIO, 1)
        assert ErrorCode.BLUETOOTH in _faults_of_a_new_session(console)
        last_ms = 0
        with suppress(BoardGoneError):
            while True:
                last_ms = console.statistics().uptime_ms
        assert 55_000 < last_ms < 62_000
        assert appears(simulation.ports_again[0], START_S).greet().boot == Boot.SOFTWARE


def test_without_the_callbacks_that_decide_about_pairing_the_radio_stays_off(program: Path, tmp_path: Path) -> None:
    """Zephyr would let any board pair."""
    with _board(tmp_path, program, *_failing("bt_conn_auth_cb_register")) as console:
        assert _fault(console, ErrorCode.PAIRING) == (EIO, 1)
        console.say(Configure(role=Role.CAMERA, tx_power_dbm=127))
        assert console.until(Error, lambda error: error.code < FIRST_FAULT).code == ErrorCode.CONFIGURE


def test_a_thread_that_cannot_be_watched_is_reported(program: Path, tmp_path: Path) -> None:
    with _board(tmp_path, program, *_failing("task_wdt_add")) as console:
        assert _fault(console, ErrorCode.WATCHDOG) == (ENOMEM, 1)
        assert console.configure(Role.CAMERA).role == Role.CAMERA  # the board works without


@pytest.mark.parametrize(
    ("function", "role", "code"),
    [
        ("bt_le_adv_start", Role.CAMERA, ErrorCode.ADVERTISE),
        ("bt_le_scan_start", Role.EDGE, ErrorCode.SCAN),
    ],
)
def test_advertising_and_scanning_are_tried_again_until_they_work(
    program: Path, tmp_path: Path, function: str, role: Role, code: ErrorCode
) -> None:
    with _board(tmp_path, program, *_failing(function, 30)) as console:
        console.configure(role)
        assert _fault(console, code) == (EIO, 1)  # ten failures in a row are the first fault
        _let_pass(console, 4)
        assert _faults_of_a_new_session(console) == set()


def test_settings_that_cannot_be_stored_are_stored_later(program: Path, tmp_path: Path) -> None:
    with _board(tmp_path, program) as console:  # the partition gets its mark
        console.configure(Role.NONE)
    with _board(tmp_path, program, *_failing("settings_save_one", 2)) as console:
        console.configure(Role.CAMERA)
        assert _fault(console, ErrorCode.SETTINGS)[0] == EIO
        _let_pass(console, 3)
        assert _faults_of_a_new_session(console) == set()
    with Simulation(tmp_path, [program]) as simulation:
        assert Console(simulation.ports[0]).greet().role == Role.CAMERA


def test_settings_that_cannot_be_mounted_at_once_are_mounted_and_stay(program: Path, tmp_path: Path) -> None:
    _a_camera_is_configured(tmp_path, program)
    with Simulation(tmp_path, [program], board=_failing("settings_subsys_init")) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().role == Role.CAMERA
        assert _faults_of_a_new_session(console) == set()


def test_settings_that_were_erased_are_reported_until_something_is_stored(program: Path, tmp_path: Path) -> None:
    _a_camera_is_configured(tmp_path, program)
    with Simulation(tmp_path, [program], board=_failing("settings_subsys_init", 2)) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().role == Role.NONE
        assert _fault(console, ErrorCode.SETTINGS) == (ERASED, 1)
        assert _faults_of_a_new_session(console) == {ErrorCode.SETTINGS}
        console.configure(Role.CAMERA)
        console.pump(0.5)
        assert _faults_of_a_new_session(console) == set()


def test_settings_that_cannot_be_mounted_stay_a_fault_until_something_is_stored(program: Path, tmp_path: Path) -> None:
    """Loading what no storage has succeeds in Zephyr, and does not end the fault."""
    with _board(tmp_path, program, *_failing("settings_subsys_init", 3)) as console:
        assert _fault(console, ErrorCode.SETTINGS) == (EIO, 2)
        assert _faults_of_a_new_session(console) == {ErrorCode.SETTINGS}


def test_settings_that_cannot_be_read_are_not_erased(program: Path, tmp_path: Path) -> None:
    """The first failure is that of the record that is retained across a reset."""
    _a_camera_is_configured(tmp_path, program)
    with Simulation(tmp_path, [program], board=_failing("flash_area_read", 2)) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().role == Role.CAMERA
        assert _fault(console, ErrorCode.SETTINGS) == (EIO, 1)


def test_an_accept_list_that_is_not_filled_is_filled_later(program: Path, tmp_path: Path) -> None:
    with _bonded(tmp_path, program, *_failing("bt_le_filter_accept_list_add", 30)) as (camera, _edge):
        assert _fault(camera, ErrorCode.ADVERTISE)[0] == EIO
        camera.link_up()
        assert _faults_of_a_new_session(camera) == set()


def test_a_stack_that_does_not_restart_resets_the_board(program: Path, tmp_path: Path) -> None:
    """An unauthenticated peer that falls silent is the reason for the restart (test_rogue.py)."""
    rogue = build(source=ROOT / "tests" / "bsim" / "rogue", name="rogue")
    silent = [rogue, "-silent", "-start_offset=2e6", "-delay_init"]
    options = _failing("bt_disable")
    with Simulation(tmp_path, [program], others=[silent], again=[(0, 12.0)], firmware=options) as simulation:
        camera = Console(simulation.ports[0])
        assert camera.greet().boot == Boot.POWER
        camera.configure(Role.CAMERA)
        _is_reset(simulation, camera, 12_000)


@pytest.mark.parametrize("function", ["bt_gatt_discover", "bt_gatt_subscribe"])
def test_a_service_that_cannot_be_used_is_reported_and_tried_in_another_connection(
    program: Path, tmp_path: Path, function: str
) -> None:
    with _bonded(tmp_path, program, *_failing(function)) as (_camera, edge):
        assert _fault(edge, ErrorCode.SERVICE) == (EIO, 1)
        edge.link_up()
        assert _faults_of_a_new_session(edge) == set()


def test_a_stack_that_takes_no_packet_ends_the_connection_and_nothing_else(program: Path, tmp_path: Path) -> None:
    """The sender tries every 2 ms: 700 failures are more than a second, and less than two."""
    with scene(tmp_path, program):
        pass
    options = _failing("bt_gatt_notify_cb", 700)
    with Simulation(tmp_path, [program] * 2, board=options) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        assert camera.greet().boot == Boot.POWER
        edge.greet()
        assert _fault(camera, ErrorCode.STUCK) == (0, 1)
        edge.until(Link, lambda link: link.state == LinkState.DOWN)
        camera.link_up()
        camera.say(picture(3, 0))
        assert edge.until(Picture).image == 3
        assert camera.greet().boot == Boot.POWER  # the watchdog did not reset it


def test_a_stack_that_waits_for_buffers_without_end_costs_a_connection_and_no_reset(
    program: Path, tmp_path: Path
) -> None:
    """Zephyr waits for them for ever, so the sender cannot notice it by itself; its watchdog would reset the board."""
    with scene(tmp_path, program):
        pass
    options = _failing("bt_gatt_notify_cb", how="wait")
    with Simulation(tmp_path, [program] * 2, board=options) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        assert camera.greet().boot == Boot.POWER
        edge.greet()
        assert _fault(camera, ErrorCode.STUCK) == (0, 1)
        camera.link_up()
        camera.say(picture(3, 0))
        assert edge.until(Picture).image == 3
        assert camera.greet().boot == Boot.POWER
        assert _faults_of_a_new_session(camera) == set()


def test_packets_that_nobody_completes_cost_a_connection(program: Path, tmp_path: Path) -> None:
    """Its link layer is alive, so nothing else would end it: the supervision timeout is 2 s."""
    with scene(tmp_path, program):
        pass
    options = _failing("bt_gatt_notify_cb", how="drop")
    with Simulation(tmp_path, [program] * 2, board=options) as simulation:
        camera, edge = (Console(port) for port in simulation.ports)
        assert camera.greet().boot == Boot.POWER
        edge.greet()
        assert _fault(camera, ErrorCode.STUCK) == (0, 1)
        assert 3000 < camera.statistics().uptime_ms < 10_000
        camera.link_up()
        camera.say(picture(3, 0))
        assert edge.until(Picture).image == 3
        assert _faults_of_a_new_session(camera) == set()


def test_a_scan_that_cannot_be_stopped_for_a_connection_starts_again(program: Path, tmp_path: Path) -> None:
    """The stack refuses that while the main thread is still in bt_le_scan_start, and reports nothing any more."""
    options = [*_failing("bt_le_scan_stop"), "-fail_after=1"]  # the first call is that before the scan starts
    with _bonded(tmp_path, program, *options) as (_camera, edge):
        edge.link_up()
        assert _faults_of_a_new_session(edge) == set()


def test_a_scan_that_cannot_be_stopped_starts_again_if_it_is_wanted_again(program: Path, tmp_path: Path) -> None:
    options = [*_failing("bt_le_scan_stop", 8), "-fail_after=3"]  # those at the start, for the connection, and below
    with _bonded(tmp_path, program, *options) as (camera, edge):
        camera.link_up()
        camera.configure(Role.NONE)
        edge.until(Link, lambda link: link.state == LinkState.DOWN)
        _let_pass(edge, 0.2)
        edge.configure(Role.NONE)
        _let_pass(edge, 0.4)  # it tries to stop every 100 ms
        edge.configure(Role.EDGE)
        _let_pass(edge, 0.2)
        camera.configure(Role.CAMERA)
        camera.link_up()
        assert _faults_of_a_new_session(edge) == set()


def test_boards_that_could_not_make_their_keys_tell_so_and_make_others(program: Path, tmp_path: Path) -> None:
    """Zephyr leaves a peer that pairs without an answer, and tells nobody."""
    with Simulation(tmp_path, [program] * 2, board=_failing("bt_pub_key_gen")) as simulation:
        boards = [Console(port) for port in simulation.ports]
        for console, role in zip(boards, (Role.CAMERA, Role.EDGE), strict=True):
            console.greet()
            console.configure(role)
        for console in boards:
            assert _fault(console, ErrorCode.BLUETOOTH) == (errno.EADDRNOTAVAIL, 1)
            assert 40_000 <= console.statistics().uptime_ms < 41_000
        for console in boards:
            console.link_up()
            assert console.greet().boot == Boot.POWER  # the stack was restarted, and not the board
            assert _faults_of_a_new_session(console) == set()


def test_a_board_whose_stack_makes_no_key_at_the_second_start_either_resets_itself(
    program: Path, tmp_path: Path
) -> None:
    with Simulation(tmp_path, [program], board=_failing("bt_pub_key_gen", 2), again=[(0, 82.0)]) as simulation:
        console = Console(simulation.ports[0])
        console.greet()
        console.configure(Role.CAMERA)
        assert _fault(console, ErrorCode.BLUETOOTH) == (errno.EADDRNOTAVAIL, 1)
        assert _fault(console, ErrorCode.BLUETOOTH) == (errno.EADDRNOTAVAIL, 2)
        _is_reset(simulation, console, 82_000)


def test_boards_without_a_key_keep_their_link(program: Path, tmp_path: Path) -> None:
    ends: list[Link] = []
    with _bonded(tmp_path, program, *_failing("bt_pub_key_gen")) as (camera, edge):
        camera.link_up()
        edge.link_up()
        edge.on_packet = lambda packet: (
            ends.append(packet) if isinstance(packet, Link) and packet.state == LinkState.DOWN else None
        )
        assert _fault(edge, ErrorCode.BLUETOOTH) == (errno.EADDRNOTAVAIL, 1)
        _let_pass(edge, 2)
        camera.say(picture(3, 0))
        assert edge.until(Picture).image == 3
        assert _faults_of_a_new_session(edge) == {ErrorCode.BLUETOOTH}
        assert ends == []


def test_values_out_of_band_are_refused_without_a_key(program: Path, tmp_path: Path) -> None:
    """The stack would wait for it without end, and the watchdog reset the board."""
    with _board(tmp_path, program, *_failing("bt_pub_key_gen")) as console:
        console.configure(Role.CAMERA)
        answer = console.pairing(Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND))
        assert not answer.open
        assert _faults_of_a_new_session(console) == {ErrorCode.BLUETOOTH}
        assert 3000 <= console.statistics().uptime_ms < 5000


def test_a_connection_that_cannot_be_made_is_reported_until_one_is_made(program: Path, tmp_path: Path) -> None:
    """That scanning starts again between the attempts is no success."""
    with _bonded(tmp_path, program, *_failing("bt_conn_le_create", 60)) as (_camera, edge):
        assert _fault(edge, ErrorCode.SCAN) == (EIO, 1)
        assert _faults_of_a_new_session(edge) == {ErrorCode.SCAN}
        edge.link_up()
        assert _faults_of_a_new_session(edge) == set()


@pytest.mark.parametrize("times", [3, 30])
def test_a_disconnection_that_is_refused_is_requested_again(program: Path, tmp_path: Path, times: int) -> None:
    """The controller may have dropped the connection already: only if it is refused for a second that is a fault."""
    with _bonded(tmp_path, program, *_failing("bt_conn_disconnect", times)) as (camera, edge):
        for console in (camera, edge):
            console.link_up()
        faults: list[int] = []
        camera.on_packet = lambda packet: faults.append(packet.code) if isinstance(packet, Error) else None
        camera.configure(Role.NONE)
        camera.until(Link, lambda link: link.state == LinkState.DOWN)
        assert set(faults) == ({ErrorCode.BLUETOOTH} if times > 10 else set())
        assert _faults_of_a_new_session(camera) == set()


def test_an_mtu_that_the_peer_refuses_ends_the_connection(program: Path, tmp_path: Path) -> None:
    with _bonded(tmp_path, program, *_failing("bt_gatt_exchange_mtu")) as (_camera, edge):
        assert _fault(edge, ErrorCode.BLUETOOTH)[0] == 6  # ATT: request not supported
        edge.link_up()
        assert _faults_of_a_new_session(edge) == set()


def test_a_request_that_is_refused_for_long_is_a_fault_until_it_is_accepted(program: Path, tmp_path: Path) -> None:
    with _bonded(tmp_path, program, *_failing("bt_conn_le_data_len_update", 90)) as (camera, _edge):
        assert _fault(camera, ErrorCode.BLUETOOTH) == (EIO, 1)
        _let_pass(camera, 8)
        assert _faults_of_a_new_session(camera) == set()


def test_an_encryption_that_cannot_be_requested_is_reported(program: Path, tmp_path: Path) -> None:
    with _bonded(tmp_path, program, *_failing("bt_conn_set_security")) as (_camera, edge):
        assert _fault(edge, ErrorCode.BLUETOOTH) == (EIO, 1)
        edge.link_up()
        assert _faults_of_a_new_session(edge) == set()


@pytest.mark.parametrize("thread", ["main", "board", "sysworkq", "BT RX WQ"])
def test_the_watchdog_watches_every_thread(program: Path, tmp_path: Path, thread: str) -> None:
    options = ["-stall=1", f"-thread={thread}"]
    if thread == "BT RX WQ" and "BT_RECV_BLOCKING=y" in (program.parent / ".config").read_text():
        pytest.skip("this release's controller calls the host directly (radio_rx_watch.c)")
    with Simulation(tmp_path, [program], again=[(0, 9.0)], board=options) as simulation:
        console = Console(simulation.ports[0])
        assert console.greet().boot == Boot.POWER
        again = appears(simulation.ports_again[0], START_S)
        assert again.greet().boot == Boot.WATCHDOG


def test_what_other_firmware_stored_is_erased_and_what_is_ours_stays(program: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash0.bin"
    with _board(tmp_path, program) as console:
        console.configure(Role.CAMERA)
        console.pump(0.5)  # time to store it
    with Simulation(tmp_path, [program]) as simulation:
        assert Console(simulation.ports[0]).greet().role == Role.CAMERA
    content = flash.read_bytes()
    assert b"pnc/" in content
    flash.write_bytes(content.replace(b"pnc/", b"app/"))
    with _board(tmp_path, program) as console:
        assert console.pairing(Pair()).bonds == 0
        assert _faults_of_a_new_session(console) == set()
        console.configure(Role.EDGE)
    assert b"app/" not in flash.read_bytes()
    flash.write_bytes(b"\x5a" * len(content))  # no settings of any firmware: they cannot even be mounted
    with _board(tmp_path, program) as console:
        assert console.configure(Role.CAMERA).role == Role.CAMERA
        assert _faults_of_a_new_session(console) == set()


def test_the_ninth_bond_is_refused_by_name(program: Path, tmp_path: Path) -> None:
    with Simulation(tmp_path, [program] * 10) as simulation:
        camera, *edges = (Console(port) for port in simulation.ports)
        for console in (camera, *edges):
            console.greet()
        camera.configure(Role.CAMERA)
        for number, edge in enumerate(edges):
            camera.pairing(Pair(action=PairAction.OPEN, window_s=3600))
            edge.configure(Role.EDGE)
            if number < 8:
                camera.until(Pairing, lambda pairing, bonds=number + 1: pairing.bonds == bonds)  # type: ignore[misc]
                edge.configure(Role.NONE)
        assert _fault(camera, ErrorCode.BONDS_FULL)[0] == 8
        assert camera.until(Pairing, lambda pairing: pairing.failed > 0).bonds == 8
