"""Eva proves the core's files free of alarms, and does not prove one with a fault."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.core.core_build import CORE

PROVE = runpy.run_path(str(CORE / "proof" / "prove.py"))
PROOFS: dict[str, Any] = {proof.name: proof for proof in PROVE["PROOFS"]}
FAULTS = {
    "crc": ("crc.c", "nibbles[(crc)&0xFu]", "nibbles[(crc)&0x1Fu]"),
    "cobs": ("cobs.c", "d->len < d->capacity", "d->len <= d->capacity"),
    "frame_read": ("cobs.c", "d->len < d->capacity", "d->len <= d->capacity"),
    "goodput": ("goodput.c", "passed_us >= SECOND_US", "passed_us <= SECOND_US"),
}


@pytest.fixture(autouse=True)
def frama_c() -> None:
    if shutil.which("frama-c") is None:
        pytest.skip("frama-c is not installed")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_not_proven_away(tmp_path: Path, name: str) -> None:
    file, right, wrong = FAULTS[name]
    sources = tmp_path / "src"
    shutil.copytree(CORE / "src", sources)
    assert PROVE["prove"](PROOFS[name], sources).holds
    text = (sources / file).read_text(encoding="utf-8")
    assert right in text
    (sources / file).write_text(text.replace(right, wrong), encoding="utf-8")
    outcome = PROVE["prove"](PROOFS[name], sources)
    assert not outcome.holds


def test_every_program_of_the_folder_is_run() -> None:
    assert {path.stem for path in (CORE / "proof").glob("*.c")} == set(PROOFS)
