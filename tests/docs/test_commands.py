"""Every command that the pages show is run as written, or a rule says why it is not (rules.py)."""

from __future__ import annotations

import importlib.util
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.blocks import Block, BlockError, Command, pages, read_blocks, read_commands
from tests.docs.conftest import ROOT
from tests.docs.rules import EXCUSED_PAGES, EXCUSED_PROGRAMS, Way, rule_for

#: Longer than any of them takes, on a busy machine too.
LIMIT_S = 300
#: What a serving program says first.
SERVING = "serving on"
#: Reads a command's options, and stops before it does anything.
USAGE = """
import argparse, runpy, sys
read = argparse.ArgumentParser.parse_args
argparse.ArgumentParser.parse_args = lambda *a, **k: read(*a, **k) and sys.exit(0)
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def _blocks() -> Iterator[tuple[str, Block]]:
    for page in pages(ROOT):
        for block in read_blocks(page.read_text(encoding="utf-8")):
            yield page.relative_to(ROOT).as_posix(), block


def _commands(unreadable: list[str]) -> dict[str, list[Command]]:
    """Return the commands of all pages, by their text; add what cannot be read to ``unreadable``."""
    found: dict[str, list[Command]] = {}
    for page, block in _blocks():
        try:
            for command in read_commands(block, page):
                found.setdefault(command.text, []).append(command)
        except BlockError as error:
            unreadable.append(str(error))
    return found


UNREADABLE: list[str] = []
COMMANDS = _commands(UNREADABLE)
PROGRAMS = [(page, block) for page, block in _blocks() if block.language == "python" and page not in EXCUSED_PAGES]


def _with_way(*ways: Way) -> list[str]:
    return [text for text in COMMANDS if (rule := rule_for(text)) is not None and rule.way in ways]


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_tested_or_excused(text: str) -> None:
    where = ", ".join(command.where for command in COMMANDS[text])
    assert rule_for(text) is not None, (
        f"{where}: `{text}` is neither run nor excused: add a rule to tests/docs/rules.py"
    )


def test_every_block_can_be_read() -> None:
    assert not UNREADABLE


def test_there_are_commands() -> None:
    assert len(_with_way(Way.RUN, Way.SERVE)) >= 5


@pytest.mark.parametrize("text", _with_way(Way.RUN))
def test_a_command_runs(text: str, checkout: Path, environment: dict[str, str]) -> None:
    rule = rule_for(text)
    assert rule is not None
    _need(rule.needs)
    done = _shell(text, checkout, environment)
    assert "Traceback" not in done.stderr, done.stderr
    if done.returncode:
        status, report = rule.otherwise or (0, "")
        assert done.returncode == status, done.stdout + done.stderr
        assert report in done.stdout + done.stderr


@pytest.mark.parametrize("text", _with_way(Way.SERVE))
def test_a_server_serves_until_stopped(text: str, checkout: Path, environment: dict[str, str]) -> None:
    rule = rule_for(text)
    assert rule is not None
    _need(rule.needs)
    with _server(text, checkout, environment) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 130


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_two_terminals(checkout: Path, environment: dict[str, str]) -> None:
    """``recv --port sim`` in one terminal names the port for ``send --port`` in another."""
    _need(("onnxruntime",))
    with _server("python -m host.recv --port sim --save pictures", checkout, environment) as (_, said):
        port = re.search(r"--port (/dev/\S+)", said)
        assert port is not None, said
        done = _shell(f"python -m host.send --port {port[1]} image.jpg --deadline 5s", checkout, environment)
        assert done.returncode == 0, done.stderr
        assert "espresso" in done.stdout
    assert (checkout / "pictures" / "pictures.jsonl").read_text().count("espresso") == 1


@pytest.mark.parametrize("text", _with_way(Way.USAGE))
def test_a_command_that_is_not_run_could_be(text: str, checkout: Path, environment: dict[str, str]) -> None:
    """Its goal, or its options, exist."""
    words = shlex.split(text.replace("[", " ").replace("]", " "))
    words = ["1" if word == "N" else word for word in words]
    if words[0] == "make":
        command = ["make", "--dry-run", *words[1:]]
    elif words[0] == "pytest":
        command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *words[1:]]
    else:
        module = words[2] if words[1:2] == ["-m"] else f"host.{Path(words[0]).name.removeprefix('pnc-')}"
        options = words[3:] if words[1:2] == ["-m"] else words[1:]
        command = [sys.executable, "-c", USAGE, module, *options]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", _with_way(Way.CI))
def test_a_command_that_is_not_run_here_is_run_by_ci(text: str) -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert any(line.split(" #")[0].strip().endswith(text) for line in lines)


@pytest.mark.parametrize(("page", "block"), PROGRAMS, ids=[f"{page}:{block.number}" for page, block in PROGRAMS])
def test_a_program_runs(page: str, block: Block, checkout: Path, environment: dict[str, str]) -> None:
    excuse = next((why for text, why in EXCUSED_PROGRAMS.items() if text in block.text), None)
    if excuse:
        compile(block.text, f"{page}:{block.number}", "exec")
        return
    _need(("onnxruntime",))
    done = subprocess.run(
        [sys.executable, "-"],
        cwd=checkout,
        env={**environment, "PYTHONPATH": str(checkout)},
        input=block.text,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _need(modules: tuple[str, ...]) -> None:
    for name in modules:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")


def _shell(text: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@contextmanager
def _server(text: str, folder: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a program; give it, and what it said until it served. Kill it at the end if it still runs."""
    process = subprocess.Popen(
        shlex.split(text),
        cwd=folder,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = threading.Timer(LIMIT_S, process.kill)
    watch.start()
    try:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if SERVING in line:
                break
        assert SERVING in said, said
        yield process, said
    finally:
        watch.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
