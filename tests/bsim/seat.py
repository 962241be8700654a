"""A place in BabbleSim's radio simulator that this program holds: it stops the time there, and makes noise.

The simulator's side of this is ``libPhyComv1`` and ``ext_2G4_libPhyComv1`` (``bs_pc_base.c``, ``bs_pc_2G4_types.h``):
a device asks for one thing at a time through a named pipe, and the simulated time does not pass the end of what any
device asked for. A device that asks for nothing stops the time.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import struct
import time
from pathlib import Path

_WAIT, _WAIT_END = 0x01, 0x81
_TX, _TX_END = 0x02, 0x100
_HEADER, _TIME = struct.Struct("<I"), struct.Struct("<Q")
#: Header, start, end, abort, recheck, address, modulation, frequency, power, bytes of the packet.
_TRANSMISSION = struct.Struct("<IQQQQIHhhH")
_NEVER = (1 << 64) - 1
_WHITE_NOISE_80_MHZ = 0x80A0
#: In 1/256 MHz above 2400 MHz, and in 1/256 dBm: the whole band, above what any board sends.
_MIDDLE, _LOUD = 40 * 256, 40 * 256
#: The simulator answers within this time of the wall, s; what it waits for is a board that computes.
_PATIENCE_S = 60.0


class SimulationStuckError(AssertionError):
    """The simulator does not answer: a board hangs, or the simulator has ended."""


class Seat:
    """The place of device ``number`` in a simulation. Times are the simulation's, us."""

    def __init__(self, simulation: str, number: int) -> None:
        self.number = number
        folder = Path(f"/tmp/bs_{getpass.getuser()}") / simulation
        self._from_phy = folder / f"2G4.d{number}.ptd"
        self._to_phy = folder / f"2G4.d{number}.dtp"
        self._reading = self._writing = -1

    def open(self) -> None:
        """Take the place; the simulator opens its devices in the order of their numbers."""
        self._from_phy.parent.mkdir(parents=True, exist_ok=True)
        for path in (self._from_phy, self._to_phy):
            with contextlib.suppress(FileExistsError):  # who comes first makes it
                os.mkfifo(path)
        self._reading = os.open(self._from_phy, os.O_RDONLY | os.O_NONBLOCK)
        until_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._writing = os.open(self._to_phy, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError:  # ENXIO: the simulator does not read yet
                if time.monotonic() > until_s:
                    raise SimulationStuckError(f"nobody opens {self._to_phy}") from None
                time.sleep(0.002)
        os.set_blocking(self._writing, True)

    def close(self) -> None:
        """Leave; whoever has the place now, such as a board that came to it, keeps it."""
        for handle in (self._reading, self._writing):
            if handle >= 0:
                os.close(handle)
        self._reading = self._writing = -1

    def ask_to_wait(self, until_us: int) -> None:
        """Ask to be answered at a time; ``waited`` takes the answer."""
        os.write(self._writing, _HEADER.pack(_WAIT) + _TIME.pack(until_us))

    def waited(self) -> None:
        """Return when the simulation has come to the time that was asked for."""
        self._expect(_WAIT_END, 0)

    def ask_for_noise(self, from_us: int, until_us: int) -> None:
        """Disturb the whole band for a time; ``noise_made`` takes the answer."""
        os.write(
            self._writing,
            _TRANSMISSION.pack(_TX, from_us, until_us, _NEVER, _NEVER, 0, _WHITE_NOISE_80_MHZ, _MIDDLE, _LOUD, 0),
        )

    def noise_made(self) -> None:
        """Return when the noise has ended."""
        self._expect(_TX_END, _TIME.size)

    def _expect(self, kind: int, size: int) -> None:
        (header,) = _HEADER.unpack(self._read(_HEADER.size))
        if header != kind:
            raise SimulationStuckError(f"the simulator answers {header:#x} to device {self.number}")
        self._read(size)

    def _read(self, size: int) -> bytes:
        data = b""
        until_s = time.monotonic() + _PATIENCE_S
        while len(data) < size:
            if not select.select([self._reading], [], [], max(0.0, until_s - time.monotonic()))[0]:
                raise SimulationStuckError(f"no answer to device {self.number} in {_PATIENCE_S:g} s")
            more = os.read(self._reading, size - len(data))
            if not more:
                raise SimulationStuckError("the simulator has ended")
            data += more
        return data
