"""Boards that know each other, and hosts that load them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.wire import MAX_CODEC_BYTES, MAX_PACKET, Credit, Link, LinkState, Picture, Role
from tests.bsim.bsim_console import Console
from tests.bsim.simulation import Simulation

#: Frames that a host may have under way (docs/link.md).
MAX_FRAMES_IN_FLIGHT = 24


@dataclass(frozen=True)
class Scene:
    """A simulation, the console of every camera, and the edge's."""

    simulation: Simulation
    cameras: Sequence[Console]
    edge: Console

    @property
    def camera(self) -> Console:
        return self.cameras[0]

    def pump(self, wait_s: float = 0.002) -> None:
        """Let so much time pass, then every console read and write."""
        self.edge.clock.advance(round(wait_s * 1e6))
        for console in (*self.cameras, self.edge):
            console.pump(0)

    def pump_for(self, wait_s: float) -> None:
        """The same for some time."""
        end_s = self.edge.clock.now_s + wait_s
        while self.edge.clock.now_s < end_s:
            self.pump()


@contextmanager
def scene(
    folder: Path,
    program: Path,
    *,
    cameras: int = 1,
    interval_us: int = 7500,
    phy: int = 2,
    board: Sequence[str] = (),
    air: Sequence[str] = (),
    speed: float | None = None,
) -> Iterator[Scene]:
    """Boards that were paired before, connected. The last port is the edge's.

    They are started twice: the first time they get their roles and pair, which leaves a window open for others and the
    edge looking for them; the second time they know each other from their flash.
    """
    pair_all(folder, program, cameras=cameras, interval_us=interval_us, phy=phy, board=board)
    programs = [program] * (cameras + 1)
    with Simulation(folder, programs, board=board, phy=air, speed=speed) as simulation, _open(simulation) as boards:
        _wait_for_links(boards)
        yield boards


def pair_all(
    folder: Path, program: Path, *, cameras: int = 1, interval_us: int = 7500, phy: int = 2, board: Sequence[str] = ()
) -> None:
    """Give boards their roles and let them pair, which their flash keeps."""
    with Simulation(folder, [program] * (cameras + 1), board=board) as simulation, _open(simulation) as boards:
        for console in (*boards.cameras, boards.edge):
            role = Role.EDGE if console is boards.edge else Role.CAMERA
            console.configure(role, interval_us=interval_us, phy=phy)
        _wait_for_links(boards)


@contextmanager
def _open(simulation: Simulation) -> Iterator[Scene]:
    consoles = [Console(port) for port in simulation.ports]
    for console in consoles:
        console.greet()
    try:
        yield Scene(simulation, consoles[:-1], consoles[-1])
    finally:
        for console in consoles:
            console.close()


def _wait_for_links(boards: Scene) -> None:
    for camera in boards.cameras:
        camera.link_up()
    missing = set(range(len(boards.cameras)))
    while missing:
        link = boards.edge.until(Link, lambda link: link.state == LinkState.UP and link.mtu >= MAX_PACKET + 3)
        missing.discard(link.peer)


def attenuated(folder: Path, paths: str) -> list[str]:
    """Arguments for a radio whose attenuation between boards 0 and 1 follows a table of times and dB."""
    (folder / "path.txt").write_text(paths)
    (folder / "matrix.txt").write_text(f'0 1 : "{folder / "path.txt"}"\n1 0 : "{folder / "path.txt"}"\n')
    return [
        "-defmodem=BLE_simple",
        "-channel=multiatt",
        "-argschannel",
        f"-file={folder / 'matrix.txt'}",
    ]


def lossy(packet_error_rate: float) -> list[str]:
    """Arguments for a radio that loses this part of all packets, in either direction."""
    return ["-defmodem=Magic", "-argsdefmodem", f"-PER={packet_error_rate}"]


def picture(image: int, rank: int, *, remaining_ms: int = 60_000, size: int = MAX_CODEC_BYTES) -> Picture:
    """A picture packet; its codec bytes tell image and rank."""
    data = bytes((image + 3 * rank + 7 * at) % 256 for at in range(size))
    return Picture(image=image, rank=rank, position=rank, remaining_ms=remaining_ms, data=data)


class Source:
    """Keeps a camera's queue full, as its credit allows."""

    def __init__(self, camera: Console, *, remaining_ms: int = 60_000) -> None:
        self.camera = camera
        self.given = 0
        self._remaining_ms = remaining_ms

    def fill(self) -> None:
        """Give the board what it has room for."""
        credit, channel = self.camera.credit, self.camera.channel
        while (
            credit is not None
            and channel.frames_in_flight < MAX_FRAMES_IN_FLIGHT
            and channel.pictures_in_flight() < credit.free
        ):
            packet = picture(self.given // 256 % 256, self.given % 256, remaining_ms=self._remaining_ms)
            channel.write(0, packet)
            self.given += 1


def goodput_kbps(before: Credit, after: Credit) -> float:
    """Goodput in whole packets between two credits: bytes of notifications, headers of the packet included."""
    packets = (after.acked_packets - before.acked_packets) % (1 << 16)
    busy_us = (after.busy_us - before.busy_us) % (1 << 32)
    return packets * MAX_PACKET * 8000 / busy_us


def measure_goodput_kbps(scene: Scene, *, air_s: float) -> float:
    """Saturate the first camera's link until it was busy that long, in simulated time."""
    source, camera = Source(scene.camera), scene.camera
    begin: Credit | None = None
    last_s = camera.clock.now_s
    while True:
        source.fill()
        scene.pump()
        scene.edge.heard.clear()
        camera.heard.clear()
        credit = camera.credit
        assert credit is not None
        if begin is None and credit.acked_packets > 100:
            begin, last_s = credit, camera.clock.now_s
        if begin is not None and (credit.busy_us - begin.busy_us) % (1 << 32) > air_s * 1e6:
            return goodput_kbps(begin, credit)
        if camera.clock.now_s - last_s > 120:
            raise AssertionError(f"the link stands still: {credit}\n{scene.simulation.log()}")
