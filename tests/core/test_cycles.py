"""Cycles of instructions, what belongs to a step of a trace, and the core's part of the processor."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.core.core_build import CORE

COUNT = runpy.run_path(str(CORE / "cycles" / "count.py"))
CYCLES: Any = COUNT["cortex_m4"].cycles
LISTING = """
00000100 <step_begin>:
     100:	4770      	bx	lr

00000104 <work>:
     104:	b5f0      	push	{r4, r5, r6, r7, lr}
     106:	f857 3b04 	ldr.w	r3, [r7], #4
     10a:	bdf0      	pop	{r4, r5, r6, r7, pc}

00000110 <step_serial_in>:
     110:	4770      	bx	lr
"""


@pytest.mark.parametrize(
    ("mnemonic", "operands", "jumps", "cycles"),
    [
        ("adds.n", "r3, r3, #1", False, 1),
        ("ldr.w", "r3, [r7], #4", False, 2),
        ("ldrb", "r3, [r2, #0]", False, 2),
        ("strb.w", "r3, [r2, #1]", False, 1),
        ("ldrd", "r2, r3, [sp]", False, 3),
        ("push", "{r4, r5, r6, r7, lr}", False, 6),
        ("pop", "{r4, pc}", True, 6),
        ("bne.n", "1c <f>", False, 1),
        ("bne.n", "1c <f>", True, 4),
        ("bl", "40 <g>", True, 4),
        ("udiv", "r0, r1, r2", False, 12),
        ("moveq", "r0, #1", False, 1),
        ("itt", "eq", False, 1),
    ],
)
def test_the_dearest_case_of_an_instruction(mnemonic: str, operands: str, jumps: bool, cycles: int) -> None:
    assert CYCLES(mnemonic, operands, jumps=jumps) == cycles


def test_an_unknown_instruction_is_not_counted_as_if_it_were_free() -> None:
    with pytest.raises(ValueError, match=r"vsqrt\.f32"):
        CYCLES("vsqrt.f32", "s0, s1", jumps=False)


def test_a_step_is_what_lies_between_its_ends() -> None:
    program = COUNT["read_program"](LISTING)
    outside, inside = [0x104, 0x106, 0x10A], [0x100, 0x104, 0x106, 0x10A, 0x110]
    costs = COUNT["steps"]([*outside, *inside, *outside, *inside], *program)
    assert list(costs) == ["serial_in"]
    # bx 1 + 3, push 1 + 5, ldr 2, pop 1 + 5 + 3
    assert [(cost.instructions, cost.cycles) for cost in costs["serial_in"]] == [(4, 21), (4, 21)]


def test_what_is_not_installed_is_named() -> None:
    done = subprocess.run(
        [sys.executable, CORE / "cycles" / "count.py"], env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "gcc-arm-none-eabi" in done.stderr


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-arm") is None,
    reason="arm-none-eabi-gcc or qemu-arm is not installed",
)
def test_the_core_leaves_the_processor_to_the_radio() -> None:
    costs = COUNT["measure"]()
    assert costs.keys() == COUNT["STEPS"].keys()
    assert all(1 < cost.cycles / cost.instructions < 3 for cost in costs.values())
    assert all(0.1 < part < COUNT["LIMIT"] for part in COUNT["shares"](costs).values())
