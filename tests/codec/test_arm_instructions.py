"""Instructions of the encoder on 64-bit Arm, counted from QEMU's log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.codec import arm_instructions

LOG = """
----------------
IN: first
0x00400100:  d2800000  mov      x0, #0
0x00400104:  14000002  b        #0x40010c

Trace 0: 0x7f0b3000c100 [0000000001009331/0000000000400100/00000001/00000201] first
----------------
IN: second
0x0040010c:  d503201f  nop
0x00400110:  d503201f  nop
0x00400114:  d65f03c0  ret

Trace 0: 0x7f0b3000c240 [0000000001009331/000000000040010c/00000001/00000201] second
Trace 0: 0x7f0b3000c100 [0000000001009331/0000000000400100/00000001/00000201] first
"""


def test_a_block_counts_each_time_it_runs() -> None:
    assert arm_instructions.count(LOG.splitlines()) == 2 + 3 + 2


def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert arm_instructions.main([]) == 2
    assert "aarch64-linux-gnu-gcc, qemu-aarch64: not installed" in capsys.readouterr().out


@pytest.mark.skipif(
    shutil.which(arm_instructions.COMPILER) is None or shutil.which(arm_instructions.EMULATOR) is None,
    reason="aarch64-linux-gnu-gcc or qemu-aarch64 is not installed",
)
def test_vector_code_takes_fewer_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert arm_instructions.main([]) == 0
    table = [line.rsplit(maxsplit=3) for line in capsys.readouterr().out.splitlines()[1:]]
    ratios = {step: float(ratio) for step, _, _, ratio in table}
    assert list(ratios) == ["transform", "entropy coding", "both"]
    assert all(0.2 < ratio < 0.7 for ratio in ratios.values())
