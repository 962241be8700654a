"""A clock of a simulation that can do more: wait without blocking, make noise, and leave its place to a board.

The messages are those of BabbleSim's ``libPhyComv1`` and ``ext_2G4_libPhyComv1`` (``bs_pc_2G4_types.h``).
"""

from __future__ import annotations

import os
import select
import struct
import time

from tests.bsim.sim_clock import STUCK_S, SimClock

_WAIT, _WAIT_END = 0x01, 0x81
_TX, _TX_END = 0x02, 0x100
_HEADER, _TIME = struct.Struct("<I"), struct.Struct("<Q")
#: Header, start, end, abort, recheck, address, modulation, frequency, power, bytes of the packet.
_TRANSMISSION = struct.Struct("<IQQQQIHhhH")
_NEVER = (1 << 64) - 1
_WHITE_NOISE_80_MHZ = 0x80A0
#: In 1/256 MHz above 2400 MHz, and in 1/256 dBm: the whole band, above what any board sends.
_MIDDLE, _LOUD = 40 * 256, 40 * 256


class SimulationStuckError(AssertionError):
    """The simulator does not answer: a board hangs, or the simulator has ended."""


class Seat(SimClock):
    """The place of device ``number`` in a simulation. A device that asks for nothing stops the time."""

    def ask_to_wait(self, until_us: int) -> None:
        """Ask to be answered at a time; ``waited`` takes the answer."""
        os.write(self._to, _HEADER.pack(_WAIT) + _TIME.pack(until_us))

    def waited(self) -> None:
        """Return when the simulation has come to the time that was asked for."""
        self._expect(_WAIT_END, 0)

    def ask_for_noise(self, from_us: int, until_us: int) -> None:
        """Disturb the whole band for a time; ``noise_made`` takes the answer."""
        radio = _WHITE_NOISE_80_MHZ, _MIDDLE, _LOUD
        os.write(self._to, _TRANSMISSION.pack(_TX, from_us, until_us, _NEVER, _NEVER, 0, *radio, 0))

    def noise_made(self) -> None:
        """Return when the noise has ended."""
        self._expect(_TX_END, _TIME.size)

    def close(self) -> None:
        """Leave without a word: a board that came to this place keeps it."""
        for handle in (self._from, self._to):
            if handle >= 0:
                os.close(handle)
        self._from = self._to = -1

    def _expect(self, kind: int, size: int) -> None:
        (header,) = _HEADER.unpack(self._read(_HEADER.size))
        if header != kind:
            raise SimulationStuckError(f"the simulator answers {header:#x}")
        self._read(size)

    def _read(self, size: int) -> bytes:
        data = b""
        until_s = time.monotonic() + STUCK_S
        while len(data) < size:
            if not select.select([self._from], [], [], max(0.0, until_s - time.monotonic()))[0]:
                raise SimulationStuckError(f"no answer in {STUCK_S:g} s")
            more = os.read(self._from, size - len(data))
            if not more:
                raise SimulationStuckError("the simulator has ended")
            data += more
        return data
