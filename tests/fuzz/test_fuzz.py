"""The fuzz targets find nothing in their corpora, on random inputs and guided by coverage, and they can find faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.core_build import CORE, SANITIZERS, can_link, compiler, run
from tests.fuzz import run as fuzzing
from tests.fuzz import targets as fuzz_targets
from tests.fuzz.targets import CORPORA, HERE, NATIVE, TARGETS, Target

#: Bytes that all corpora may take in the repository.
MOST_BYTES = 300_000
#: Faults that a target must find in its corpus: a file, its text, and what the fault makes of it. The code of packets
#: is generated, and has vectors.
FAULTS = {
    "frame": ("core/cobs.c", "d->code != FULL_BLOCK", "d->code != 0xFEu"),
    "queue": (
        "core/queue.c",
        "while (after != PNC_NO_SLOT && pnc_before(s",
        "while (after != PNC_NO_SLOT && !pnc_before(s",
    ),
    "control": ("core/control.c", "*used >= SHARE", "*used > SHARE"),
    "completion": ("core/completion.c", "link->ends >>= 1;", ""),
    "board": ("core/board_report.c", "b->frames++;", ""),
    "boards": ("core/queue.c", "q->totals.expired += dropped;", "q->totals.expired += dropped > 0;"),
    "decode": ("native/planes_decode.c", "r->slack << 8 | (r->at < r->length ? 0u : 255u)", "r->slack << 8"),
    "encode": ("native/planes_encode.c", "code + slack >= most", "code >= most"),
}


def sanitizers() -> list[str]:
    """The options of ASan and UBSan, if this machine's compiler has them."""
    return SANITIZERS if can_link(compiler() or "cc", *SANITIZERS) else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the targets are built: what they share, once."""
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture
def replayer(target: Target, folder: Path) -> Path:
    """The target as a program that replays files."""
    cc = compiler()
    if cc is None:
        pytest.skip("no C compiler: install gcc or clang")
    return target.build([cc, "-O1", "-g", *sanitizers()], folder / target.name)


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


def test_a_target_finds_nothing_in_its_corpus_and_on_random_inputs(
    target: Target, replayer: Path, tmp_path: Path
) -> None:
    inputs = target.unpack(tmp_path / "inputs")
    assert inputs
    done = run([replayer, *inputs])
    assert done.returncode == 0, done.stdout
    assert f"{len(inputs)} inputs" in done.stdout
    done = run([replayer, "-200", str(target.longest)])
    assert done.returncode == 0, done.stdout


def test_two_boards_reach_far_on_random_inputs(folder: Path) -> None:
    cc = compiler()
    if cc is None:
        pytest.skip("no C compiler: install gcc or clang")
    program = TARGETS["boards"].build([cc, "-O1", "-g", *sanitizers()], folder / "two-boards")
    done = run([program, "-400", "65536"])
    assert done.returncode == 0, done.stdout
    found = re.search(r"(\d+) pictures sent on, (\d+) acknowledged", done.stdout)
    assert found is not None
    assert int(found[1]) > 1000, f"the inputs reach too little: {done.stdout}"


def test_two_boards_keep_their_promises_on_inputs_led_by_coverage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = fuzzing.fuzzer("address")
    if command is None:
        pytest.skip("no clang with libFuzzer")
    monkeypatch.setattr(fuzzing, "BUILD", tmp_path)
    outcome = fuzzing.fuzz(TARGETS["boards"], command, 60, 8000)
    assert not outcome.failure
    assert outcome.executions >= 8000
    assert outcome.edges > 300


def test_every_target_has_a_corpus_and_all_are_small() -> None:
    assert {path.stem for path in CORPORA.glob("*.zip")} == set(TARGETS)
    assert {path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c")} == {*TARGETS, "main"}
    assert sum(path.stat().st_size for path in CORPORA.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_in_the_corpus(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cc = compiler()
    if cc is None or not sanitizers():
        pytest.skip("no C compiler with sanitizers: install gcc or clang")
    file, text, fault = FAULTS[name]
    for folder, copy in ((CORE / "src", tmp_path / "core"), (NATIVE, tmp_path / "native")):
        copy.mkdir()
        for path in folder.glob("*.[ch]"):
            (copy / path.name).write_bytes(path.read_bytes())
    changed = (tmp_path / file).read_text(encoding="utf-8")
    assert changed.count(text) == 1
    (tmp_path / file).write_text(changed.replace(text, fault), encoding="utf-8")
    monkeypatch.setattr(fuzz_targets, "sources", lambda: sorted((tmp_path / "core").glob("*.c")))
    monkeypatch.setattr(fuzz_targets, "NATIVE", tmp_path / "native")
    target = TARGETS[name]
    program = target.build([cc, "-w", "-O1", "-g", *SANITIZERS], tmp_path / name)
    done = run([program, *target.unpack(tmp_path / "inputs")])
    assert done.returncode != 0, "the corpus does not find it"
