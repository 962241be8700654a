"""What a thread's stack is used for, read from machine code."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.core.core_build import CORE

COUNT = runpy.run_path(str(CORE.parent / "stacks" / "count.py"))
LISTING = """
00000100 <main>:
     100:	b5f8      	push	{r3, r4, r5, r6, r7, lr}
     102:	b08a      	sub	sp, #40	; 0x28
     104:	f000 f80c 	bl	200 <deep>
     108:	f000 f8fa 	bl	300 <static_one>
     10c:	4798      	blx	r3

00000200 <deep>:
     200:	e92d 4ff0 	stmdb	sp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}
     204:	f5ad 7d00 	sub.w	sp, sp, #512	; 0x200
     208:	f000 b87a 	b.w	300 <static_one>

00000300 <static_one>:
     300:	f84d ed08 	str.w	lr, [sp, #-8]!
     304:	4798      	blx	r3
     306:	f7ff fefb 	bl	100 <main>

00000400 <static_one>:
     400:	b500      	push	{lr}
     402:	f5ad 6d80 	sub.w	sp, sp, #1024	; 0x400

00000500 <reached>:
     500:	b500      	push	{lr}
     502:	f5ad 6d80 	sub.w	sp, sp, #2048	; 0x800

00000600 <z_thread_entry>:
     600:	b508      	push	{r3, lr}
"""


def test_the_deepest_way_counts_pushes_own_space_and_tail_calls_and_ends_at_a_circle() -> None:
    deepest = COUNT["depth"](COUNT["functions"](LISTING), "main")
    assert deepest.way == ("main", "deep", "static_one")
    assert deepest.bytes == (24 + 40) + (36 + 512) + 8
    assert deepest.unknown == 2


def test_a_pointer_is_followed_where_a_rule_says_what_it_reaches() -> None:
    found = COUNT["functions"](LISTING)
    COUNT["follow_pointers"](found, [("main", "reached")])
    deepest = COUNT["depth"](found, "main")
    assert deepest.way == ("main", "reached")
    assert (deepest.bytes, deepest.unknown) == (64 + 4 + 2048, 0)


def test_a_call_that_does_not_happen_is_left_out() -> None:
    found = COUNT["functions"](LISTING)
    COUNT["drop_calls"](found, [("main", "deep")])
    assert COUNT["depth"](found, "main").way == ("main", "static_one")


def test_a_thread_begins_in_the_deepest_of_its_functions_below_those_of_its_queue_and_of_every_thread() -> None:
    found, thread = COUNT["functions"](LISTING), COUNT["Thread"]
    queue = COUNT["deepest_of"](found, thread("queue", ("deep", "reached"), "", above=("main",)))
    assert queue.way == ("reached",)
    assert queue.bytes == (4 + 2048) + (24 + 40) + 8 + 36
    assert COUNT["deepest_of"](found, thread("other", ("deep",), "", unless="main")) is None
    assert COUNT["deepest_of"](found, thread("none", ("missing",), "")) is None


def test_sizes_are_those_of_the_build_and_of_the_sources(tmp_path: Path) -> None:
    (tmp_path / "zephyr").mkdir()
    (tmp_path / "zephyr" / ".config").write_text("CONFIG_MAIN_STACK_SIZE=2048\nCONFIG_PNC_SENDER_STACK_BYTES=1536\n")
    ours = [thread for thread in COUNT["THREADS"] if thread.name in ("main", "board", "sender")]
    sizes = {thread.name: COUNT["stack_bytes"](tmp_path, thread.where) for thread in ours}
    assert sizes["main"] == 2048
    assert all(size % 8 == 0 and size >= 1024 for size in sizes.values())
    with pytest.raises(KeyError):
        COUNT["stack_bytes"](tmp_path, ".config:CONFIG_OTHER")


def test_a_build_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert COUNT["main"](tmp_path) == 2
    assert str(tmp_path) in capsys.readouterr().err
