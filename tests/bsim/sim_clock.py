"""The clock of a simulation: simulated time passes when a test says so, and stands still while the test computes.

To BabbleSim it is a device without a radio. The simulator advances to no time that a device has not asked for, so a
test depends neither on the speed of the computer nor on what else runs on it.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import time
from pathlib import Path

#: Messages between a device and the simulator (BabbleSim, libPhyComv1, bs_pc_base_types.h): a number of 32 bits; after
#: WAIT the time to wait for, 64 bits, us.
_WAIT, _WAIT_END, _DISCONNECT = 0x01, 0x81, 0xFFFF
_HEADER = struct.Struct("<I")
_REQUEST = struct.Struct("<IQ")
#: How far time advances at a time, us: as often as a board looks at the simulator by itself (uart_pty_bsim.c).
STEP_US = 1000
#: A simulator that does not answer for so long, in real time, stands still for good, s.
STUCK_S = 120.0
_clocks: dict[Path, SimClock] = {}


class SimulationEndedError(Exception):
    """The simulator ended, or stands still."""


class SimClock:
    """A device of a simulation that holds time at ``now_us``. ``folder`` is where BabbleSim keeps its pipes."""

    def __init__(self, folder: Path, number: int) -> None:
        self.now_us = 0
        self._paths = [folder / f"2G4.d{number}.{way}" for way in ("ptd", "dtp")]
        self._from = self._to = -1

    @property
    def now_s(self) -> float:
        """Simulated time since the start, s."""
        return self.now_us / 1e6

    def connect(self) -> None:
        """Connect to the simulator, which waits for all its devices."""
        received, sent = self._paths
        received.parent.mkdir(parents=True, exist_ok=True)
        for path in self._paths:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path)
        self._from = os.open(received, os.O_RDONLY | os.O_NONBLOCK)
        until_s = time.monotonic() + STUCK_S
        while self._to < 0:
            try:
                self._to = os.open(sent, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:  # ENXIO: the simulator has not opened its end
                if time.monotonic() > until_s:
                    raise SimulationEndedError("the simulator did not connect") from error
                time.sleep(0.001)

    def advance(self, us: int) -> None:
        """Let so much time pass; SimulationEndedError if the simulation ends before."""
        try:
            os.write(self._to, _REQUEST.pack(_WAIT, self.now_us + us))
        except BrokenPipeError as error:
            raise SimulationEndedError("the simulator is gone") from error
        if not select.select([self._from], [], [], STUCK_S)[0]:
            raise SimulationEndedError(f"the simulator stands still at {self.now_s:.3f} s")
        answer = os.read(self._from, _HEADER.size)
        if len(answer) < _HEADER.size or _HEADER.unpack(answer)[0] != _WAIT_END:
            raise SimulationEndedError(f"the simulation ended at {self.now_s:.3f} s")
        self.now_us += us

    def close(self) -> None:
        """Leave the simulation, which then continues without a clock."""
        if self._to >= 0:
            with contextlib.suppress(OSError):
                os.write(self._to, _HEADER.pack(_DISCONNECT))
            os.close(self._to)
        if self._from >= 0:
            os.close(self._from)
        self._from = self._to = -1


class WallClock:
    """Real time, for programs that run in it."""

    @property
    def now_s(self) -> float:
        """Return the time, s."""
        return time.monotonic()

    def advance(self, us: int) -> None:
        """Wait."""
        time.sleep(us / 1e6)


Clock = SimClock | WallClock


def register(port: Path, clock: SimClock) -> None:
    """Record that a board's serial port belongs to a simulation with that clock."""
    _clocks[port] = clock


def forget(port: Path) -> None:
    """Forget the clock of a port."""
    _clocks.pop(port, None)


def clock_of(port: Path) -> Clock:
    """Return the clock by which waits at that port are measured: that of its simulation, else real time."""
    return _clocks.get(port) or WallClock()
