"""The exploration of the queue's states is complete, and finds faults that are put into the queue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.core_build import CORE, HERE, INCLUDES, SANITIZERS, STRICT, can_link, compile_or_fail, compiler, run

QUEUE = CORE / "src" / "queue.c"
FAULTS = {
    "the latest arrival of equals leaves first": (
        "pnc_before(s->deadline_us, q->slots[after].deadline_us)",
        "!pnc_before(q->slots[after].deadline_us, s->deadline_us)",
    ),
    "an equal packet evicts the one that waits": (
        "!pnc_before(deadline_us, q->slots[worst].deadline_us)",
        "pnc_before(q->slots[worst].deadline_us, deadline_us)",
    ),
    "a packet leaves in its last moment": ("now_us + PNC_US_PER_MS);", "now_us + PNC_US_PER_MS - 500u);"),
    "the earliest deadline is not brought up to date": (
        "q->waiting == 0 || pnc_before(s->deadline_us, q->earliest_us)",
        "q->waiting == 0",
    ),
    "an expired packet is not counted": ("q->totals.expired += dropped", "q->totals.expired += dropped > 1u"),
    "a tail is forgotten": ("q->tail[rank] = s->previous", "q->tail[rank] = PNC_NO_SLOT"),
    "a list is broken backwards": ("q->slots[before].previous = at", "(void)before"),
    "a slot is lost": ("s->next = q->free;", "s->next = PNC_NO_SLOT;"),
    "a rank's bit stays": ("if (q->head[rank] == PNC_NO_SLOT) {", "if (false) {"),
    "a flush takes every source": ("(s->packet[0] & PNC_PICTURE_FLAGS_SOURCE) == source", "source < 16u"),
    "a flush stops after one packet": ("at = next;", "at = PNC_NO_SLOT;"),
    "a packet taken back counts twice": ("q->totals.accepted--;", ""),
    "nothing expires to make room": ("(void)pnc_queue_expire(q, now_us);", ""),
}


def _explore(tmp_path: Path, flags: list[str], *arguments: str) -> tuple[int, str]:
    cc = compiler()
    if cc is None:
        pytest.skip("no C compiler: install gcc or clang")
    program = tmp_path / "explore"
    compile_or_fail([cc, *STRICT, *flags, *INCLUDES, HERE / "explore_queue.c", "-o", program])
    done = run([program, *arguments])
    return done.returncode, done.stdout


def test_a_queue_of_three_slots_never_deviates(tmp_path: Path) -> None:
    status, said = _explore(tmp_path, ["-O2", "-DSTEPS_PER_MS=1"])
    assert status == 0, said
    found = re.search(r"(\d+) states, (\d+) transitions, complete, .* 0 deviations$", said.strip())
    assert found, said
    assert int(found[1]) == 40601
    assert int(found[2]) == 40601 * 112


def test_no_call_reads_or_writes_outside_the_queue(tmp_path: Path) -> None:
    if not can_link(compiler() or "cc", *SANITIZERS):
        pytest.skip("this compiler has no sanitizers")
    status, said = _explore(tmp_path, ["-O1", "-g", "-DPNC_QUEUE_SLOTS=2u", *SANITIZERS])
    assert status == 0, said
    assert ", complete," in said


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_with_the_calls_that_lead_to_it(tmp_path: Path, fault: str) -> None:
    text = QUEUE.read_text(encoding="utf-8")
    right, wrong = FAULTS[fault]
    assert text.count(right) == 1
    faulty = tmp_path / "queue.c"
    faulty.write_text(text.replace(right, wrong), encoding="utf-8")
    status, said = _explore(tmp_path, ["-Wno-error", "-O2", f'-DQUEUE_C="{faulty}"'])
    assert status == 1, said
    lines = said.splitlines()
    assert lines[0].startswith("deviation: ")
    assert len(lines) > 1
