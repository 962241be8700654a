"""How much of its stacks and of the C library's memory an emulated board has used, read from its memory."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware.stacks import count
from tests.bsim.emulator import Emulator

#: Zephyr fills a stack with this (CONFIG_INIT_STACKS).
_UNUSED = 0xAA
#: Names of the stacks in the image. Two have the same name and different sizes.
_STACKS = {
    "main": "z_main_stack",
    "board": "stack",
    "sender": "stack",
    "BT RX": "rx_thread_stack",
    "BT TX": "tx_thread_stack",
    "BT LW WQ": "bt_lw_stack_area",
    "sysworkq": "sys_work_q_stack",
}
#: A stack's size is rounded up to less than that many bytes more.
_ROUNDED = 16
#: Zephyr's account of it is at its start (struct z_heap): the word that is the most bytes taken at a time.
_ARENA, _MOST_AT = "malloc_arena", 6


@dataclass(frozen=True)
class Mark:
    """A stack: its size, what was used of it, and what the machine code can use (``firmware.stacks.count``); bytes."""

    thread: str
    size: int
    used: int
    most: int


def stack_marks(emulator: Emulator, build: Path) -> list[Mark]:
    """Return the marks of the threads that the image has."""
    functions = count.graph(_output("arm-none-eabi-objdump", "-d", build))
    found, marks = places(build), []
    for thread in count.THREADS:
        deepest = count.deepest_of(functions, thread)
        name = _STACKS.get(thread.name)
        if deepest is None or name is None:
            continue
        size = count.stack_bytes(build, thread.where)
        [(address, length)] = [place for place in found.get(name, []) if 0 <= place[1] - size < _ROUNDED]
        memory = emulator.memory(address, length)
        used = length - next(at for at, byte in enumerate(memory) if byte != _UNUSED)
        marks.append(Mark(thread.name, size, used, deepest.bytes))
    return marks


def arena_mark(emulator: Emulator, build: Path) -> tuple[int, int] | None:
    """Return the size of the C library's memory and the most that was taken of it at a time, in bytes.

    None if the image has none. CONFIG_SYS_HEAP_RUNTIME_STATS counts it.
    """
    found = places(build).get(_ARENA)
    if found is None:
        return None
    [(address, size)] = found
    most = emulator.memory(address + 4 * _MOST_AT, 4)
    return size, int.from_bytes(most, "little")


def places(build: Path) -> dict[str, list[tuple[int, int]]]:
    """Return the addresses and sizes of the image's variables and functions by name."""
    found: dict[str, list[tuple[int, int]]] = {}
    for line in _output("arm-none-eabi-nm", "--print-size", build).splitlines():
        if len(fields := line.split()) == 4:
            found.setdefault(fields[3], []).append((int(fields[0], 16), int(fields[1], 16)))
    return found


def _output(program: str, option: str, build: Path) -> str:
    command = [program, option, str(build / "zephyr" / "zephyr.elf")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
