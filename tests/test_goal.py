"""A program outside host/ whose output nobody reads any more ends in one line."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Programs of a user's own, which docs/api.md and other pages show.
EXAMPLES = ROOT / "docs" / "examples"


def programs() -> list[Path]:
    """Return the programs outside host/ that print."""
    found = [
        path for folder in (".ci", "docs", "firmware", "protocol", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    return [path for path in sorted(found) if EXAMPLES not in path.parents and _is_program(path)]


def _is_program(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return '\nif __name__ == "__main__":' in text and "print(" in text and not path.name.startswith("test_")


def unread(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program whose stdout is a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    try:
        return subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)


@pytest.mark.parametrize("path", programs(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_program_ends_so(path: Path) -> None:
    (block,) = (each for each in ast.parse(path.read_text(encoding="utf-8")).body if _is_main(each))
    *_, last = block.body
    assert ast.unparse(last).startswith("goal.run('"), f"{path}: let tests.goal run its main"


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "tests.faults", "--replay", "none"],
        ["firmware/stacks/count.py", "--help"],
        ["docs/make_api.py", "--check"],
    ],
    ids=" ".join,
)
def test_nobody_reads(words: list[str]) -> None:
    read = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    done = unread([sys.executable, *words])
    if not read.stdout:  # it prints nothing there
        assert (done.returncode, done.stderr) == (read.returncode, read.stderr)
        return
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith(": stdout: cannot be written (Broken pipe)")


def of_goal(body: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import subprocess, sys\nfrom tests import goal\ndef main():\n {body}\ngoal.run('name', main)",
    ]


@pytest.mark.parametrize(
    "body", ["print('a')", "print('a', flush=True)", "print('a' * 100_000)", "print('a'); sys.exit(3)"]
)
def test_a_closed_pipe_is_one_line(body: str) -> None:
    done = unread(of_goal(body))
    assert (done.returncode, done.stderr) == (1, "name: stdout: cannot be written (Broken pipe)\n")


@pytest.mark.parametrize(
    ("body", "status", "out", "error"),
    [
        ("print('a'); return 3", 3, "a\n", ""),
        ("print('a')", 0, "a\n", ""),
        ("sys.exit('why')", 1, "", "why"),
        (
            "print('a'); raise BrokenPipeError(32, 'of another program')",
            1,
            "a\n",
            "BrokenPipeError: [Errno 32] of another program",
        ),
    ],
)
def test_what_is_read_ends_as_without(body: str, status: int, out: str, error: str) -> None:
    done = subprocess.run(of_goal(body), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, out)
    assert (done.stderr.splitlines() or [""])[-1] == error
