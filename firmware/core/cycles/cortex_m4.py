"""Cycles of the Cortex-M4's instructions, at most, from table 3-1 of its Technical Reference Manual (Arm 100166).

Always the dearest case: no load is pipelined with its neighbour, every jump refills the whole pipeline, every division
takes the longest. Nothing is added for flash: the nRF52840 executes from its instruction cache without wait states.
"""

from __future__ import annotations

import re

#: Refill of the pipeline after a jump: one to three cycles.
REFILL = 3
_DIVIDE = 12
_LOAD = 2
_CONDITION = "(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_SEVERAL = re.compile(rf"(push|pop|ldm|stm)(ia|ea|db|fd)?{_CONDITION}$")
_PAIR = re.compile(rf"(ldrd|strd){_CONDITION}$")
_ONE_LOAD = re.compile(rf"ldr(b|h|sb|sh|ex|t)?{_CONDITION}$")
_STORE = re.compile(rf"str(b|h|ex|t)?{_CONDITION}$")
_DIVISION = re.compile(rf"[us]div{_CONDITION}$")
_TABLE_JUMP = re.compile(r"tb[bh]$")
#: One cycle each: arithmetic, logic, moves, bit fields, multiplications, jumps without their refill, hints.
_SINGLE = re.compile(
    r"(add|adc|sub|sbc|rsb|neg|and|orr|orn|eor|bic|mov|movw|movt|mvn|lsl|lsr|asr|ror|rrx|cmp|cmn|tst|teq|clz|rev|rev16|rbit|"
    r"ubfx|sbfx|bfi|bfc|uxtb|uxth|sxtb|sxth|uxtab|uxtah|sxtab|sxtah|mul|mla|mls|umull|umlal|smull|smlal|smulbb|smlabb|"
    rf"adr|addw|subw|usat|ssat|nop|it[te]*|b|bl|bx|blx|cbz|cbnz|svc|dmb|dsb|isb|pld|uadd8|sel)(s)?{_CONDITION}$"
)


def cycles(mnemonic: str, operands: str, *, jumps: bool) -> int:
    """Return the cycles of an instruction as objdump writes it; ``jumps``: the next one executed is not its neighbour.

    Raises ValueError for an instruction that the table here lacks.
    """
    name = mnemonic.removesuffix(".n").removesuffix(".w")
    refill = REFILL if jumps else 0
    if _SEVERAL.match(name):
        return 1 + _registers(operands) + refill
    if _PAIR.match(name):
        return 1 + 2 + refill
    if _ONE_LOAD.match(name):
        return _LOAD + refill
    if _STORE.match(name):
        return 1
    if _DIVISION.match(name):
        return _DIVIDE
    if _TABLE_JUMP.match(name):
        return _LOAD + refill
    if _SINGLE.match(name):
        return 1 + refill
    raise ValueError(f"cycles of {mnemonic} {operands} are not known")


def _registers(operands: str) -> int:
    """Return how many registers are in a list such as ``{r4, r5, pc}``."""
    found = re.search(r"\{([^}]*)\}", operands)
    if found is None:
        raise ValueError(f"no list of registers in {operands}")
    return found[1].count(",") + 1
