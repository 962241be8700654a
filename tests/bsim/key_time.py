"""Instructions for the keys of a pairing: ``python -m tests.bsim.key_time``.

Two boards on emulated processors (``tests.bsim.emulated_radio``) pair. Their debuggers wait for the functions that make
a board's keys, once after its start, and the key that it shares with another board, once for each pairing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from host.transport.serial_port import SerialTransport
from host.wire import Role
from tests import goal
from tests.ble.air import Air
from tests.bsim.emulated_radio import build_with_bluetooth, emulated_board, missing_for_emulation
from tests.bsim.emulator import Emulator
from tests.bsim.high_water import places
from tests.hil.host import Host

HZ = 64_000_000
#: An instruction takes 2 to that power of nanoseconds.
SHIFT = 8
#: What makes them, in mbedTLS (Zephyr 4.1 and later) and in TinyCrypt.
_OWN = ("psa_generate_key", "uECC_make_key")
_SHARED = ("psa_raw_key_agreement", "uECC_shared_secret")
#: Zephyr's clock, in ticks.
_CLOCK, _TICKS_PER_S = "curr_tick", 100


def _address(build: Path, names: tuple[str, ...]) -> int:
    found = places(build)
    [(address, _)] = next(found[name] for name in names if name in found)
    return address


async def _instructions(emulator: Emulator, build: Path, names: tuple[str, ...]) -> float:
    """Wait for the next call of a function; return how many instructions it took, to one tick."""
    clock = _address(build, (_CLOCK,))
    start, end = await asyncio.to_thread(emulator.call, _address(build, names), clock)
    return (end - start) / _TICKS_PER_S * 1e9 / (1 << SHIFT)


async def measure(program: Path, folder: Path) -> tuple[float, float]:
    """Return the instructions for a board's own keys and for a shared one."""
    air, build = Air(), program.parents[1]
    async with AsyncExitStack() as stack:
        hosts = []
        for role in (Role.EDGE, Role.CAMERA):
            place = folder / role.name.lower()
            place.mkdir()
            board = await stack.enter_async_context(emulated_board(air, place, program, ["-S"], SHIFT))
            own = await _instructions(board, build, _OWN)
            hosts.append(Host(SerialTransport(str(board.port)), role))
            await hosts[-1].open()
            stack.push_async_callback(hosts[-1].close)
        shared = await _instructions(board, build, _SHARED)
        await hosts[-1].linked()
    return own, shared


def main() -> int:
    """Run the command and return its exit status: 2 if something is missing."""
    why = missing_for_emulation()
    if why is not None:
        print(f"key_time: {why}; docs/firmware.md says what it needs", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        own, shared = asyncio.run(measure(build_with_bluetooth(), Path(folder)))
    for what, count in (("a board's own keys", own), ("a key that two boards share", shared)):
        print(f"{what:27} {count / 1e6:5.1f} million instructions, {count / HZ:.2f} s at one in a cycle")
    return 0


if __name__ == "__main__":
    goal.run("key_time", main)
