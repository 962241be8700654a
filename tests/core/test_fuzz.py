"""The fuzz harness finds nothing: on random inputs anywhere, guided by coverage where clang has libFuzzer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.core_build import HERE, INCLUDES, SANITIZERS, STRICT, can_link, compile_or_fail, compiler, run, sources

HARNESS = HERE / "fuzz_board.c"


def test_two_boards_keep_their_promises_on_random_inputs(tmp_path: Path) -> None:
    cc = compiler()
    if cc is None:
        pytest.skip("no C compiler: install gcc or clang")
    sanitizers = SANITIZERS if can_link(cc, *SANITIZERS) else []
    program = tmp_path / "fuzz_board"
    flags = [*STRICT, "-O1", "-g", *sanitizers, "-DFUZZ_MAIN", *INCLUDES]
    compile_or_fail([cc, *flags, HARNESS, *sources(), "-o", program])
    done = run([program, "400"])
    assert done.returncode == 0, done.stdout
    sent = int(done.stdout.split(" pictures")[0].split()[-1])
    assert sent > 1000, f"the inputs reach too little: {done.stdout}"


def test_two_boards_keep_their_promises_on_inputs_led_by_coverage(tmp_path: Path) -> None:
    fuzzer = ["-fsanitize=fuzzer", *SANITIZERS]
    if not can_link("clang", *fuzzer):
        pytest.skip("no clang with libFuzzer")
    program = tmp_path / "fuzz_board"
    compile_or_fail(["clang", *STRICT, "-O1", "-g", *fuzzer, *INCLUDES, HARNESS, *sources(), "-o", program])
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    done = run([program, "-runs=8000", "-seed=1", "-max_len=4096", "-len_control=0", corpus], cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Done 8000 runs" in done.stdout
