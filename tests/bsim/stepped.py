"""Simulated boards whose time is a test's: it advances in steps, and stands still while the test computes.

So a busy computer changes nothing that happens, and boards that lose their power can come back at any time.
"""

from __future__ import annotations

import getpass
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bsim.seat import Seat
from tests.bsim.simulation import Simulation

#: Lives that the boards of one simulation have after their first, all together.
LIVES = 12
#: Every so often a board can come back, us.
_RETURN_US = 50_000
#: Air that is jammed is so in whole slots of this length, us: a full packet at 2M takes two.
_SLOT_US = 1_000
#: Shorter noise is left out, us.
_LEAST_NOISE_US = 50


class SteppedSimulation(Simulation):
    """Boards on one radio. ``now_us`` is the simulated time; ``noise`` is the part of the slots that are jammed."""

    def __init__(
        self, folder: Path, programs: Sequence[Path], *, board: Sequence[str] = (), seed: int = 0, lives: int = LIVES
    ) -> None:
        phy = ["-defmodem=BLE_simple"]  # the other model of a receiver knows no noise
        super().__init__(folder, programs, board=board, phy=phy, length_s=86_400, seats=lives)
        pipes, first = Path(f"/tmp/bs_{getpass.getuser()}") / self.id, len(programs)
        self.clock = self._clock = Seat(pipes, first)
        self._free = [(first + 1 + index, Seat(pipes, first + 1 + index)) for index in range(lives)]
        self._returning: list[tuple[int, Path]] = []
        self._powered: dict[int, subprocess.Popen[bytes]] = {}
        self._draw = random.Random(seed)
        self._next_return_us = _RETURN_US // 2
        self.noise = 0.0
        self.now_us = 0

    @property
    def lives_left(self) -> int:
        """How many boards can still come back."""
        return len(self._free) - len(self._returning)

    def start(self) -> None:
        """Start every program; return when the simulation stands at its beginning."""
        self._launch()
        self._powered = dict(enumerate(self._running[: len(self.ports)]))
        self._clock.connect()
        for _, seat in self._free:
            seat.connect()
        for _, seat in self._free:
            seat.ask_to_wait(self._next_return_us)

    def stop(self) -> None:
        super().stop()
        for _, seat in self._free:
            seat.close()

    def advance(self, to_us: int) -> None:
        """Let the time advance."""
        while self.now_us < to_us:
            slot_us = _SLOT_US if self.noise else _RETURN_US // 2
            until_us = min(to_us, (self.now_us // slot_us + 1) * slot_us)
            noisy = self._draw.random() < self.noise and until_us - self.now_us >= _LEAST_NOISE_US
            if noisy:
                # The answer comes at the end: who returns meanwhile has to be served first.
                self._clock.ask_for_noise(self.now_us + 1, until_us - 1)
            else:
                self._clock.ask_to_wait(until_us)
            # Of the same moment the simulator answers the lowest number first: the clock before the free seats.
            taken = self._serve_returns() if until_us > self._next_return_us else []
            if noisy:
                self._clock.noise_made()
                self._clock.ask_to_wait(until_us)
            self._clock.waited()
            for seat in taken:
                seat.close()  # the board that came has opened it by now
            self.now_us = until_us

    def is_running(self, index: int) -> bool:
        """Return whether a board has power: it may be about to start again."""
        return index in self._powered

    def cut_power(self, index: int) -> None:
        """End a board at once, as nothing else does; it says no goodbye."""
        process = self._powered.pop(index, None)
        if process is not None:
            process.kill()
            process.wait()

    def give_power(self, index: int) -> Path:
        """Let a board start again, within 50 ms; return where its port will appear."""
        port = self.folder / f"port{index}-{len(self._running)}-{len(self._returning)}"
        self._returning.append((index, port))
        self.ports_again.append(port)
        return port

    def _serve_returns(self) -> list[Seat]:
        """Take the answers of the seats; boards that return take theirs, and the others wait on."""
        taken = []
        at_us, self._next_return_us = self._next_return_us, self._next_return_us + _RETURN_US
        for number, seat in list(self._free):
            seat.waited()
            if self._returning:
                board, port = self._returning.pop(0)
                self._free.remove((number, seat))
                taken.append(seat)
                offset_us = at_us + _RETURN_US // 2
                words = self._board(number, board, port)
                self._powered[board] = self._spawn([*words, f"-start_offset={offset_us}", "-delay_init"])
            else:
                seat.ask_to_wait(self._next_return_us)
        return taken
