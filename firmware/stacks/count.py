"""Deepest use of the application's stacks in a built image, from its machine code.

``make stacks BUILD=FOLDER`` reads zephyr.elf of a build for a Cortex-M: the bytes that each function takes on the stack
(what it pushes, and its own space), and which functions it calls. Calls through pointers are followed where POINTERS
names what they reach; the table says how many others are on the deepest way. Exits with 1 if a stack has less than
MARGIN left, with 2 if there is no image or no arm-none-eabi-objdump.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1]
#: The part of a stack that has to stay free.
MARGIN = 0.25
#: An exception that interrupts a thread stores eight registers and an aligning word on its stack.
EXCEPTION_BYTES = 36
#: Threads by the function in which each begins, and where the size of its stack is written.
THREADS: Mapping[str, tuple[str, str]] = {
    "main": ("main", ".config:CONFIG_MAIN_STACK_SIZE"),
    "board": ("run_board", "src/board_thread.c:STACK_BYTES"),
    "sender": ("run_sender", "src/radio_sender.c:STACK_BYTES"),
}
#: Calls through pointers: of functions whose name fits the first pattern, to those whose name fits the second.
POINTERS: Sequence[tuple[str, str]] = (
    (r"pnc_board_\w+|on_\w+|write_\w+|next_packet\S*", r"(configure|pair|pairing|reset|rssi_dbm|wake)"),
    (r"faults_report", r"board_fault"),
)
_HEAD = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
_LINE = re.compile(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\S+)(?:\t(.*))?$")
_TARGET = re.compile(r"\b([0-9a-f]+) <[^>+]+>")
_SPACE = re.compile(r"subw? sp, (?:sp, )?#(\d+)|str \w+, \[sp, #-(\d+)\]!")
_JUMPS = re.compile(r"^(bl|b|blx|cbz|cbnz|b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le))(\.[nw])?$")


@dataclass
class Function:
    """A function: bytes that it takes on the stack, addresses of what it calls, and calls through pointers."""

    name: str
    bytes: int = 0
    calls: set[int] = field(default_factory=set)
    pointers: int = 0


@dataclass(frozen=True)
class Depth:
    """The deepest way down from a function: bytes, names, and calls through pointers on it that were not followed."""

    bytes: int
    way: tuple[str, ...]
    unknown: int


def functions(listing: str) -> dict[int, Function]:
    """Return the functions in objdump's listing by address."""
    found: dict[int, Function] = {}
    now: Function | None = None
    for line in listing.splitlines():
        if (head := _HEAD.match(line)) is not None:
            now = found.setdefault(int(head[1], 16), Function(head[2]))
        elif now is not None and (part := _LINE.match(line)) is not None:
            _add(now, part[1], part[2] or "")
    return found


def _add(function: Function, mnemonic: str, operands: str) -> None:
    name = mnemonic.split(".", maxsplit=1)[0]
    if name == "push" or (name in ("stmdb", "stmfd") and operands.startswith("sp!")):
        function.bytes += 4 * _registers(operands)
    elif (space := _SPACE.match(f"{name} {operands}")) is not None:
        function.bytes += int(space[1] or space[2])
    elif name in ("blx", "bx") and re.match(r"(r\d+|ip)\b", operands):
        function.pointers += 1
    elif _JUMPS.match(mnemonic) and (target := _TARGET.search(operands)) is not None:
        function.calls.add(int(target[1], 16))


def _registers(operands: str) -> int:
    count = 0
    listed = re.search(r"\{([^}]*)\}", operands)
    for part in (listed[1] if listed else "").split(","):
        first, _, last = part.strip().partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count


def follow_pointers(found: Mapping[int, Function], rules: Iterable[tuple[str, str]] = POINTERS) -> None:
    """Add the calls through pointers that the rules name."""
    for callers, callees in rules:
        reached = {address for address, function in found.items() if re.fullmatch(callees, function.name)}
        for function in found.values():
            if function.pointers and re.fullmatch(callers, function.name):
                function.calls |= reached
                function.pointers = 0


def depth(found: Mapping[int, Function], start: str) -> Depth:
    """Return the deepest way down from the function of that name. A way that comes back to itself ends there.

    Raises KeyError if there is no such function.
    """
    known: dict[int, Depth] = {}

    def down(address: int, above: frozenset[int]) -> Depth:
        if address in known:
            return known[address]
        function, deepest = found[address], Depth(0, (), 0)
        for callee in sorted((function.calls & found.keys()) - above - {address}):
            deepest = max(deepest, down(callee, above | {address}), key=lambda each: each.bytes)
        known[address] = Depth(
            function.bytes + deepest.bytes, (function.name, *deepest.way), function.pointers + deepest.unknown
        )
        return known[address]

    sys.setrecursionlimit(10_000)
    for address, function in found.items():
        if function.name == start:
            return down(address, frozenset())
    raise KeyError(start)


def stack_bytes(build: Path, where: str) -> int:
    """Return the size of a stack: an option of the build, or a constant of a source file."""
    file, name = where.split(":")
    path = build / "zephyr" / file if file.startswith(".") else FIRMWARE / file
    found = re.search(rf"{name}[ =](\d+)", path.read_text(encoding="utf-8"))
    if found is None:
        raise KeyError(f"{name} in {path}")
    return int(found[1])


def main(build: Path) -> int:
    """Print each thread's deepest use of its stack."""
    image = build / "zephyr" / "zephyr.elf"
    if not image.is_file():
        print(f"{image} is not there: `make firmware` builds it", file=sys.stderr)
        return 2
    try:
        command = ["arm-none-eabi-objdump", "-d", str(image)]
        listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except FileNotFoundError:
        print("no arm-none-eabi-objdump: on Debian, apt-get install binutils-arm-none-eabi", file=sys.stderr)
        return 2
    found = functions(listing)
    follow_pointers(found)
    full = False
    print("thread    stack   used at most   free   pointers not followed   deepest way")
    for thread, (start, where) in THREADS.items():
        if not any(function.name == start for function in found.values()):
            continue  # the sender of an image without Bluetooth
        size, deepest = stack_bytes(build, where), depth(found, start)
        used = deepest.bytes + EXCEPTION_BYTES
        free = 1 - used / size
        full = full or free < MARGIN
        way = " ".join(deepest.way[:6])
        print(f"{thread:8} {size:6}   {used:12}   {free:4.0%}   {deepest.unknown:21}   {way} ...")
    return int(full)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests import goal

    goal.run("stacks", lambda: main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/firmware")))
