"""Simulated boards: the firmware for nrf52_bsim, Zephyr's own Bluetooth stack, BabbleSim's radio, serial ports as
pseudo-terminals."""

from __future__ import annotations

import fcntl
import getpass
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType

import pytest

from tests import goal
from tests.bsim.building import BUILD, ROOT, build, native_board
from tests.bsim.sim_clock import STEP_US, SimClock, SimulationEndedError, forget, register

__all__ = ["BUILD", "NEEDS_CIPHER", "REAL", "ROOT", "START_S", "Simulation", "build", "missing", "native_board"]

#: Nobody waits for longer than this for a simulation to start, s.
START_S = 30.0
#: Options of a board. Without it the simulated link decrypts whatever the key.
REAL = ["-RealEncryption=1"]
_numbers = itertools.count()


def missing() -> str | None:
    """What keeps these tests from running; None if nothing does."""
    for name in ("ZEPHYR_BASE", "BSIM_OUT_PATH", "BSIM_COMPONENTS_PATH"):
        if not os.environ.get(name):
            return f"{name} is not set"
    if not (bsim_bin() / "bs_2G4_phy_v1").exists():
        return f"{bsim_bin()} has no bs_2G4_phy_v1: build BabbleSim first"
    return None


def bsim_bin() -> Path:
    """Where BabbleSim's programs are; they must be run from there."""
    return Path(os.environ["BSIM_OUT_PATH"]) / "bin"


NEEDS_CIPHER = pytest.mark.skipif(
    "BSIM_OUT_PATH" in os.environ and not (bsim_bin().parent / "lib" / "libCryptov1.so").exists(),
    reason="BabbleSim has no libCryptov1.so",
)


def cpus_apart() -> tuple[list[str], list[str]]:
    """Prefixes of the commands that simulate boards, and of those of a computer, so that no CPU runs both.

    A board has a processor of its own. Otherwise the simulation takes the time that the edge server measures.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return [], []
    return ["taskset", "-c", str(first)], ["taskset", "-c", ",".join(map(str, others))]


class Simulation:
    """Boards on one simulated radio, from ``start`` to ``stop``. ``ports`` are their serial ports.

    ``others`` are programs without a serial port, with their arguments.
    ``again`` are boards that come back, number of the board and simulated time in s: a board that is reset leaves the
    simulation, and BabbleSim takes nobody in while it runs, so its second life waits from the beginning. It has the
    same flash and the same address; ``ports_again`` appear when it starts.
    ``speed`` is simulated time over wall time at most, for programs that run in real time. Without it time passes as
    the test says: ``clock`` holds it, and each ``Console`` lets it pass while it waits.
    ``phy`` are arguments for the radio's simulator, such as a packet error rate. With PNC_BSIM_DUMP in the environment
    it records every packet in the air.
    ``record`` does so too; ``results`` is where, until ``stop`` unless that variable is set.
    ``board`` are options of every board and of ``others``, ``firmware`` of the boards with our firmware only.
    ``prefix`` stands before every command, such as that of ``cpus_apart``.
    ``seats`` are devices that somebody else brings, with the numbers after all others.
    """

    def __init__(
        self,
        folder: Path,
        programs: Sequence[Path],
        *,
        others: Sequence[Sequence[str | Path]] = (),
        again: Sequence[tuple[int, float]] = (),
        board: Sequence[str] = (),
        firmware: Sequence[str] = (),
        phy: Sequence[str] = (),
        length_s: float = 600.0,
        speed: float | None = None,
        prefix: Sequence[str] = (),
        record: bool = False,
        seats: int = 0,
    ) -> None:
        self.id = f"pnc{os.getpid()}-{next(_numbers)}"
        self.folder = folder
        self.ports = [folder / f"port{index}" for index in range(len(programs))]
        self.ports_again = [folder / f"again{index}" for index, _ in again]
        self._programs = programs
        self._options = (*board, *firmware)
        self._commands = [self._board(index, index, port) for index, port in enumerate(self.ports)]
        devices = len(programs)
        self._commands += [[*words, f"-s={self.id}", f"-d={devices + k}", *board] for k, words in enumerate(others)]
        devices += len(others)
        for (index, at_s), port in zip(again, self.ports_again, strict=True):
            waiting = [f"-start_offset={at_s * 1e6:.0f}", "-delay_init"]
            self._commands.append([*self._board(devices, index, port), *waiting])
            devices += 1
        self.clock = SimClock(Path(f"/tmp/bs_{getpass.getuser()}") / self.id, devices) if speed is None else None
        if speed is None:
            devices += 1
        else:
            handbrake = bsim_bin() / "bs_device_handbrake"
            self._commands.append([handbrake, f"-s={self.id}", f"-d={devices}", f"-r={speed}", "-pp=5e3"])
            devices += 1
        devices += seats
        self._commands.append(
            [
                *(bsim_bin() / "bs_2G4_phy_v1", f"-s={self.id}", f"-D={devices}", f"-sim_length={length_s * 1e6:.0f}"),
                *([] if record or os.environ.get("PNC_BSIM_DUMP") else ["-nodump"]),
                *phy,
            ]
        )
        self.results = bsim_bin().parent / "results" / self.id
        self._prefix = prefix
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start every program and wait for the serial ports."""
        self._launch()
        if self.clock is not None:
            self.clock.connect()
            for port in [*self.ports, *self.ports_again]:
                register(port, self.clock)
        until_s = time.monotonic() + START_S
        while not all(port.is_symlink() for port in self.ports):
            if time.monotonic() > until_s or not self.alive:
                raise RuntimeError(f"the simulation did not start:\n{self.log()}")
            self._pass_time()

    def _pass_time(self) -> None:
        """Let some time pass while the boards start."""
        if self.clock is None:
            time.sleep(0.02)
        else:
            self.clock.advance(STEP_US)

    def _board(self, number: int, index: int, port: Path) -> list[str | Path]:
        """The command of a board with the flash and the address (which follows from the seed) of that index."""
        names = [f"-s={self.id}", f"-d={number}", f"-rs={100 + index}", f"-port={port}"]
        return [self._programs[index], *names, f"-flash={self.folder / f'flash{index}.bin'}", *self._options]

    def _launch(self) -> None:
        for command in self._commands:
            self._spawn(command)

    def _spawn(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Start one more program."""
        words = [*self._prefix, *_end_with_parent(), *(str(word) for word in command)]
        with (self.folder / f"log{len(self._running)}.txt").open("wb") as log:
            # In a session of its own: Ctrl-C ends this program, which then ends the others.
            process = subprocess.Popen(words, cwd=bsim_bin(), stdout=log, stderr=log, start_new_session=True)
        self._running.append(process)
        return process

    @property
    def alive(self) -> bool:
        """Every program is still running."""
        return all(process.poll() is None for process in self._running)

    def log(self) -> str:
        """What the programs wrote."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("log*.txt")))

    def wait(self) -> None:
        """Wait until the simulation has ended by itself, at ``length_s``."""
        if self.clock is not None:
            with suppress(SimulationEndedError):
                while True:
                    self.clock.advance(STEP_US * STEP_US)
        for process in self._running:
            process.wait(300)

    def stop(self) -> None:
        """End every program."""
        if self.clock is not None:
            self.clock.close()
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        for port in [*self.ports, *self.ports_again]:
            port.unlink(missing_ok=True)
            forget(port)
        if not os.environ.get("PNC_BSIM_DUMP"):
            shutil.rmtree(self.results, ignore_errors=True)
        shutil.rmtree(Path(f"/tmp/bs_{getpass.getuser()}") / self.id, ignore_errors=True)

    def __enter__(self) -> Simulation:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def the_program() -> Path:
    """The firmware for a simulated board: the one that PNC_BSIM_PROGRAM names, else it is built."""
    there = os.environ.get("PNC_BSIM_PROGRAM")
    return Path(there) if there else build()


def _end_with_parent() -> list[str]:
    """Prefix of a command that the kernel is to end when this program ends, however that happens (util-linux)."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run two boards until stopped, by Ctrl-C or SIGTERM."""
    why = missing()
    if why is not None:
        print(f"simulated boards: {why}; docs/firmware.md says what they need", file=sys.stderr)
        return 2
    folder = BUILD / "boards"
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"simulated boards: those of {folder} are running already: end them first", file=sys.stderr)
            return 2
        return _run_boards(folder)


def _run_boards(folder: Path) -> int:
    try:
        with Simulation(folder, [the_program()] * 2, length_s=86_400, speed=1.0) as simulation:
            print(f"camera: python -m host.send --port {simulation.ports[0]} FILE")
            print(f"edge:   python -m host.recv --port {simulation.ports[1]}", flush=True)
            while simulation.alive:
                time.sleep(0.2)
            print(f"a board ended:\n{simulation.log()}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    goal.run("sim-boards", main)
