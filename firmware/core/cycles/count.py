"""Instructions and cycles of the core for a packet, counted on an emulated Cortex-M4.

``make cycles`` builds the core as the firmware does (-Os), runs workload.c on it in QEMU, which writes the address of
every instruction, and adds up what each step takes. Needs arm-none-eabi-gcc with its C library, and qemu-user. Exits
with 1 when a limit is passed, with 2 when a tool is not there.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORE = HERE.parent
sys.path[:0] = [str(CORE), str(HERE)]

import cortex_m4  # noqa: E402
from size import FLAGS, INCLUDES, SLOTS, library_flags  # noqa: E402

QEMU = "qemu-arm"
HZ = 64_000_000
#: The link at its best: packets of 244 bytes at 1,301 kbit/s (docs/firmware.md).
PACKETS_PER_S = 1_301_000 / (244 * 8)
#: The core's part of the processor at that rate, at most.
LIMIT = 0.22
FRAME_BYTES = 251
STEPS = {
    "serial_in": "camera: a frame of 251 bytes from the serial port",
    "radio_out": "camera: a packet to the radio and its acknowledgement",
    "credit_out": "camera: a credit to the serial port",
    "radio_in": "edge: a packet from the radio",
    "serial_out": "edge: a frame of 251 bytes to the serial port",
    "tick": "both: the tick, every 5 ms",
}
TICKS_PER_S = 200
_SYMBOL = re.compile(r"^([0-9a-f]+) <(\w+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f]{4}(?: [0-9a-f]{4})?)\s*\t(\S+)(?:\t([^;@]*))?")
_TRACE = re.compile(r"^Trace 0: \S+ \[[0-9a-f]+/([0-9a-f]+)/")


@dataclass(frozen=True)
class Instruction:
    """An instruction in the program: its length in bytes, and its text."""

    size: int
    mnemonic: str
    operands: str


@dataclass(frozen=True)
class Cost:
    """What a step took: instructions, and cycles at most."""

    instructions: int
    cycles: int


def _run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def build(into: Path) -> Path:
    """Build the workload and the core for the emulator, with the flags of the firmware's build."""
    program = into / "workload"
    sources = [HERE / "workload.c", *sorted((CORE / "src").glob("*.c"))]
    includes = [*library_flags(), *(f"-I{path}" for path in INCLUDES)]
    flags = [flag for flag in FLAGS if flag != "-Werror"]
    flags += ["-fno-tree-loop-distribute-patterns", f"-DPNC_QUEUE_SLOTS={SLOTS}u"]
    link = ["-nostartfiles", "-static", "-Wl,--gc-sections"]
    _run("arm-none-eabi-gcc", *flags, *includes, *link, *sources, "-o", program)
    return program


def read_program(listing: str) -> tuple[dict[int, Instruction], dict[int, str]]:
    """Return the instructions and the functions in objdump's listing, each by its address."""
    instructions: dict[int, Instruction] = {}
    functions: dict[int, str] = {}
    for line in listing.splitlines():
        if (head := _SYMBOL.match(line)) is not None:
            functions[int(head[1], 16)] = head[2]
        elif (found := _INSTRUCTION.match(line)) is not None:
            size = len(found[2].replace(" ", "")) // 2
            instructions[int(found[1], 16)] = Instruction(size, found[3], (found[4] or "").strip())
    return instructions, functions


def addresses(program: Path) -> Iterator[int]:
    """Run the program in the emulator, one instruction after the other, and yield the address of each."""
    command = [QEMU, "-cpu", "cortex-a15", "-singlestep", "-d", "exec,nochain", "-D", "/dev/stdout", str(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if (found := _TRACE.match(line)) is not None:
                yield int(found[1], 16)
    if running.returncode != 0:
        raise RuntimeError(f"{QEMU} ended with {running.returncode}")


def steps(
    trace: Iterable[int], instructions: dict[int, Instruction], functions: dict[int, str]
) -> dict[str, list[Cost]]:
    """Add up what was executed between ``step_begin`` and the function that names the step."""
    costs: dict[str, list[Cost]] = {}
    executed = cycles = 0
    before: int | None = None
    for address in trace:
        if before is not None:
            instruction = instructions[before]
            jumps = address != before + instruction.size
            executed += 1
            cycles += cortex_m4.cycles(instruction.mnemonic, instruction.operands, jumps=jumps)
        name = functions.get(address, "")
        if name == "step_begin":
            executed = cycles = 0
        elif name.startswith("step_"):
            costs.setdefault(name.removeprefix("step_"), []).append(Cost(executed, cycles))
        before = address
    return costs


def measure() -> dict[str, Cost]:
    """Return the median cost of each step."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        listing = _run("arm-none-eabi-objdump", "-d", program)
        found = steps(addresses(program), *read_program(listing))
    return {
        name: Cost(
            int(statistics.median(cost.instructions for cost in costs)),
            int(statistics.median(cost.cycles for cost in costs)),
        )
        for name, costs in found.items()
    }


def shares(costs: dict[str, Cost]) -> dict[str, float]:
    """Return the core's part of the processor at the link's best rate, for each role."""
    tick = costs["tick"].cycles * TICKS_PER_S
    camera = sum(costs[name].cycles for name in ("serial_in", "radio_out", "credit_out"))
    edge = costs["radio_in"].cycles + costs["serial_out"].cycles
    return {"camera": (camera * PACKETS_PER_S + tick) / HZ, "edge": (edge * PACKETS_PER_S + tick) / HZ}


def main() -> int:
    """Print what each step takes, and the core's part of the processor."""
    try:
        costs = measure()
    except FileNotFoundError as error:
        print(
            f"{error.filename or error} is not installed: on Debian, apt-get install gcc-arm-none-eabi "
            "libnewlib-arm-none-eabi qemu-user",
            file=sys.stderr,
        )
        return 2
    print(f"{'the core on a Cortex-M4, -Os':<56} instructions  cycles at most  us at 64 MHz")
    for name, text in STEPS.items():
        cost = costs[name]
        print(f"  {text:<54} {cost.instructions:12}  {cost.cycles:14}  {cost.cycles * 1e6 / HZ:12.1f}")
    for name in ("serial_in", "serial_out"):
        print(f"  {name.replace('_', ' ')}, for each byte: {costs[name].cycles / FRAME_BYTES:.1f} cycles")
    parts = shares(costs)
    for role, part in parts.items():
        print(f"  {role}, {PACKETS_PER_S:.0f} packets a second: {part:.1%} of 64 MHz, at most {LIMIT:.0%}")
    return int(any(part > LIMIT for part in parts.values()))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from tests import goal

    goal.run("cycles", main)
