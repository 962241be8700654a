"""Boards that run the firmware, in the place of ``host.sim.world``: the same parts for the same programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import tty
from collections.abc import Callable
from pathlib import Path

from host.sim.schedule import Schedule
from tests.bsim.bsim_scene import pair_all
from tests.bsim.stepped import SteppedSimulation

#: Programs read their ports so often, us: the latency of a USB port. They act at the times that they ask for.
STEP_US = 2_000
_READ = 65536


class SteppedSchedule(Schedule):
    """The simulation's clock: ``advance`` lets its time pass, and ``pump`` moves what has come and goes out."""

    def __init__(self, advance: Callable[[int], None], pump: Callable[[], None]) -> None:
        super().__init__()
        self._advance, self._pump = advance, pump

    def run_until(self, time_us: int) -> None:
        super().run_until(self.now_us)
        while self.now_us < time_us:
            until_us = min(time_us, self.now_us + STEP_US, self.next_us or time_us)
            self._advance(until_us)
            self.now_us = until_us
            self._pump()
            super().run_until(until_us)


class FirmwareBoard:
    """A board's serial port, which may be gone; what is written then is lost. ``on_read`` sees all that it sends."""

    def __init__(self, name: str, port: Path) -> None:
        self.name = name
        self.on_read: Callable[[bytes], None] = lambda _: None
        self._port = port
        self._handle: int | None = None
        self._unwritten = b""

    def serial_rx(self, _now_us: int, data: bytes) -> None:
        """Write to the port."""
        self._open()
        if self._handle is not None:
            self._unwritten += data
            self._flush()

    def serial_closed(self, _now_us: int) -> None:
        """Close the port; it opens again by itself when somebody writes or reads."""
        if self._handle is not None:
            os.close(self._handle)
        self._handle, self._unwritten = None, b""

    def restarted(self, port: Path) -> None:
        """Take note that the board lost its power, and where its port will be."""
        self.serial_closed(0)
        self._port = port

    def read(self) -> bytes:
        """Return what the board has sent."""
        self._open()
        data = b""
        if self._handle is not None:
            self._flush()
            try:
                data = os.read(self._handle, _READ)
            except BlockingIOError:
                pass
            except OSError:  # the board is gone
                self.serial_closed(0)
        if data:
            self.on_read(data)
        return data

    def _open(self) -> None:
        if self._handle is None and self._port.is_symlink():
            with contextlib.suppress(OSError):
                self._handle = os.open(self._port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                tty.setraw(self._handle)

    def _flush(self) -> None:
        with contextlib.suppress(OSError):
            while self._unwritten and self._handle is not None:
                self._unwritten = self._unwritten[os.write(self._handle, self._unwritten) :]


class FirmwareLine:
    """The cable between a computer and a board: see ``host.sim.line.SerialLine``."""

    def __init__(self, board: FirmwareBoard) -> None:
        self.board = board
        self.on_bytes: Callable[[bytes], None] | None = None
        self.cut = False
        self._stalled = False

    def write(self, _now_us: int, data: bytes) -> None:
        """Take bytes from the computer."""
        if not self.cut:
            self.board.serial_rx(0, data)

    def stall(self, stalled: bool) -> None:
        """Stop delivering bytes to the computer, or resume."""
        self._stalled = stalled

    def pump(self) -> None:
        """Deliver what the board has sent."""
        if self._stalled or self.on_bytes is None:
            return
        data = self.board.read()
        if data and not self.cut:
            self.on_bytes(data)


class FirmwareNode:
    """A board and its cable."""

    def __init__(self, board: FirmwareBoard) -> None:
        self.board, self.line = board, FirmwareLine(board)


class FirmwareWorld:
    """Camera boards and an edge board that are paired, on one simulated radio. ``bonds`` has their flash."""

    def __init__(self, folder: Path, program: Path, bonds: Path, cameras: int, seed: int) -> None:
        for index in range(cameras + 1):
            shutil.copy(bonds / f"flash{index}.bin", folder)
        self.simulation = SteppedSimulation(folder, [program] * (cameras + 1), seed=seed)
        self.schedule = SteppedSchedule(self.simulation.advance, self._pump)
        names = ["camera" if cameras == 1 else f"camera-{index}" for index in range(cameras)]
        self.nodes = [
            FirmwareNode(FirmwareBoard(name, port))
            for name, port in zip([*names, "edge"], self.simulation.ports, strict=True)
        ]
        *self.cameras, self.edge = self.nodes
        self.simulation.start()

    def reset(self, node: FirmwareNode) -> None:
        """Cut a board's power for 50 to 100 ms: it starts again from its flash. Without a life left it does not."""
        index = self.nodes.index(node)
        if self.simulation.lives_left and self.simulation.is_running(index):
            self.simulation.cut_power(index)
            node.board.restarted(self.simulation.give_power(index))

    def close(self) -> None:
        """End the simulation."""
        for node in self.nodes:
            node.board.serial_closed(0)
        self.simulation.stop()

    def _pump(self) -> None:
        for node in self.nodes:
            node.line.pump()


def pair(folder: Path, program: Path, cameras: int) -> Path:
    """Let boards pair; return the folder with their flash."""
    bonds = folder / f"bonds{cameras}"
    if not bonds.exists():
        making = folder / f"pairing{cameras}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        pair_all(making, program, cameras=cameras)
        making.rename(bonds)
    return bonds
