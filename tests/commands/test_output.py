"""What commands print: whole lines that a terminal shows as they are, or one line about an output that is gone."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from host.cli.start import COMMANDS
from tests import pace
from tests.commands.conftest import LIMIT_S, ROOT, SAMPLE, Boards, line_with, run, started
from tests.limits import largest_file

SIM = ("--port", "sim", "--deadline", "5s")
#: Escape sequences and line breaks, and a line that is not ours.
EVIL = "espresso\x1b]0;title\x07\x1b[2J\r\x9b31m\u202e\u2028send: all is well"
#: What no command prints: controls but line breaks, and what turns or hides text.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def environment(**changed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **changed}


def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
    """Run a command in the background."""
    options = {"env": environment(), "stderr": subprocess.PIPE, "start_new_session": True} | options
    return subprocess.Popen([sys.executable, "-m", *map(os.fspath, arguments)], **options)  # type: ignore[call-overload,no-any-return]


def ended(process: subprocess.Popen[bytes]) -> tuple[int, list[str]]:
    """Return the exit status and the lines on stderr but that about virtual boards."""
    try:
        _, errors = process.communicate(timeout=pace.seconds(LIMIT_S))
    finally:
        process.kill()
    lines = (errors or b"").decode().splitlines()
    return process.returncode, [line for line in lines if "virtual boards" not in line]


@contextmanager
def full() -> Iterator[int]:
    """Yield a file on a disk that is full."""
    if not Path("/dev/full").is_char_device():
        pytest.skip("this system has no /dev/full")
    number = os.open("/dev/full", os.O_WRONLY)
    yield number
    os.close(number)


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    """Yield a pipe whose reader has ended, as ``head`` does."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def terminal_without_window() -> Iterator[int]:
    """Yield a terminal whose other end is closed."""
    controller, terminal = pty.openpty()
    os.close(controller)
    yield terminal
    os.close(terminal)


BROKEN = [
    (full, "No space left on device"),
    (pipe_without_reader, "Broken pipe"),
    (terminal_without_window, "Input/output error"),
]


@pytest.mark.parametrize(("broken", "cause"), BROKEN)
@pytest.mark.parametrize(
    "arguments",
    [
        ("host",),
        ("host.send", "--version"),
        *((f"host.{name}", "--help") for name in COMMANDS if name != "train"),  # which needs PyTorch
        ("host.evaluate.sheet", "--help"),
        ("host.evaluate.sure", "--help"),
        ("host.boards", "doctor"),
        ("host.send", SAMPLE, *SIM),
        ("host.send", SAMPLE, *SIM, "--json"),
        ("host.send", SAMPLE, SAMPLE, *SIM),
    ],
    ids=lambda arguments: " ".join(Path(each).name for each in arguments),
)
def test_an_output_that_cannot_be_written_is_one_line_and_status_1(
    arguments: tuple[object, ...], broken: Callable[[], AbstractContextManager[int]], cause: str, tmp_path: Path
) -> None:
    with broken() as output:
        status, lines = ended(start(*arguments, stdout=output, cwd=tmp_path))
    name = str(arguments[0]).split(".")[-1 if arguments[0] == "host" else 1]
    assert lines == [f"{name}: stdout: cannot be written ({cause})"]
    assert status == 1


@pytest.mark.parametrize("module", ["sheet", "sure"])
def test_the_tools_of_evaluate_guard_what_python_prints(module: str, tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import host.evaluate.{module} as tool
def fail():
    raise RuntimeError(chr(27) + "[2J")
tool.main = fail
from host.cli.start import start_command
sys.exit(start_command("evaluate", "evaluate.{module}"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "RuntimeError: \\x1b[2J" in done.stderr
    assert not OBEYED.search(done.stderr)


def test_a_reader_that_wants_one_line_gets_it(tmp_path: Path) -> None:
    sending = start("host.send", *[SAMPLE] * 50, *SIM, "--json", stdout=subprocess.PIPE, cwd=tmp_path)
    assert sending.stdout is not None
    assert json.loads(sending.stdout.readline())["status"] == "ok"
    sending.stdout.close()
    sending.stdout = None
    assert ended(sending) == (1, ["send: stdout: cannot be written (Broken pipe)"])


@pytest.mark.parametrize("output", ["stdout", "stderr"])
def test_a_server_whose_output_is_gone_ends_and_has_answered(output: str, boards: Boards, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    other = "stderr" if output == "stdout" else "stdout"
    with open(tmp_path / "other", "wb") as file:
        server = start("host.recv", "--port", boards.edge, **{output: writer, other: file}, cwd=tmp_path)
        os.close(writer)
        if output == "stdout":
            wait_for(tmp_path / "other", "serving on")
            os.close(reader)
            sent = run("host.send", SAMPLE, "--port", boards.camera, "--deadline", "5s", cwd=tmp_path)
            assert sent.status == 0, sent.err
        else:
            os.close(reader)
        assert server.wait(pace.seconds(LIMIT_S)) == 1
    text = (tmp_path / "other").read_text()
    assert text.splitlines()[1:] == (["recv: stdout: cannot be written (Broken pipe)"] if output == "stdout" else [])


def wait_for(file: Path, text: str) -> None:
    """Wait until a file contains a text."""
    end_s = time.monotonic() + pace.seconds(LIMIT_S)
    while not file.exists() or text not in file.read_text():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def status_of(process: int) -> int:
    """Wait for a child's end, but not for ever; return its status."""
    end_s = time.monotonic() + pace.seconds(LIMIT_S)
    while (ended_now := os.waitpid(process, os.WNOHANG))[0] == 0:
        if time.monotonic() > end_s:
            os.kill(process, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(ended_now[1])


def test_a_terminal_that_is_closed_ends_a_server_in_good_order(tmp_path: Path) -> None:
    process, terminal = pty.fork()
    if not process:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup
        os.chdir(tmp_path)
        os.dup2(os.open("errors", os.O_WRONLY | os.O_CREAT), 2)
        os.execve(sys.executable, [sys.executable, "-m", "host.recv", "--port", "sim"], environment())
    wait_for(tmp_path / "errors", "serving on")
    os.close(terminal)
    assert status_of(process) == 1
    assert (tmp_path / "errors").read_text().splitlines()[-1] == "recv: the terminal was closed"


def test_a_full_disk_keeps_whole_lines_of_json(tmp_path: Path) -> None:
    with open(tmp_path / "reports", "wb") as file, largest_file(2500):
        process = start("host.send", *[SAMPLE] * 10, *SIM, "--json", "--save", "/dev/null/x", stdout=file, cwd=tmp_path)
    status, lines = ended(process)
    assert status == 1
    assert lines[-1] == "send: stdout: cannot be written (File too large)"
    text = (tmp_path / "reports").read_text()
    assert text.endswith("}\n")
    assert {json.loads(line)["status"] for line in text.splitlines()} == {"ok"}


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_stream_that_is_closed_at_the_start_gives_its_number_to_no_port(
    closed: int, boards: Boards, tmp_path: Path
) -> None:
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        line = f'exec "$@" {closed}>&-'
        command = ["sh", "-c", line, "sh", sys.executable, "-m", "host.send", str(SAMPLE), "--port", boards.camera]
        done = subprocess.run(
            [*command, "--deadline", "5s"], env=environment(), cwd=tmp_path, capture_output=True, check=False
        )
    if closed == 1:
        assert (done.returncode, done.stderr) == (1, b"send: stdout: cannot be written (Bad file descriptor)\n")
    else:
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"espresso" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii:strict", "utf-8:strict", "latin-1:strict"])
def test_a_file_of_any_name_is_sent_and_named_on_a_line_of_its_own(encoding: str, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\x1b[2J\nsend: fine caf\xc3\xa9.jpg")
    (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    for arguments, status in (([name], 0), ([f"no {name}"], 2), ([name, "--trace", name], 2), ([name, f"--{name}"], 2)):
        process = start(
            *("host.send", *arguments, *SIM),
            stdout=subprocess.PIPE,
            env=environment(PYTHONIOENCODING=encoding, LC_ALL="C"),
            cwd=tmp_path,
        )
        out, err = process.communicate(timeout=pace.seconds(LIMIT_S))
        lines = (out + err).decode(encoding.partition(":")[0]).splitlines()
        assert process.returncode == status
        assert not [line for line in lines if OBEYED.search(line)]
        assert any("\\xff\\x1b[2J\\nsend: fine caf" in line for line in lines)
        assert not [line for line in lines if line.startswith("send: fine")]


def test_labels_of_another_computer_reach_no_terminal_as_they_are(boards: Boards, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (extra evaluate)")
    from tests.edge.tiny_models import colour_classifier

    label = "".join(each for each in EVIL if each not in "\r\u2028")  # the model's metadata has a label a line
    colour_classifier(tmp_path / "net.onnx", metadata={"labels": "\n".join([label, label + "2", label + "3"])})
    with started("host.recv", "--port", boards.edge, "--classifier", "net.onnx", cwd=tmp_path) as server:
        line_with(server, "serving on")
        options = ["--port", boards.camera, "--deadline", "5s"]
        text = run("host.send", SAMPLE, *options, cwd=tmp_path)
        as_json = run("host.send", SAMPLE, *options, "--json", cwd=tmp_path)
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=pace.seconds(LIMIT_S))
    shown = (
        label.replace("\x1b", "\\x1b").replace("\x07", "\\x07").replace("\x9b", "\\x9b").replace("\u202e", "\\u202e")
    )
    assert shown in text.out
    assert shown in out
    assert json.loads(as_json.out)["top"][0][1].startswith(label[:8])
    for each in (text.out, text.err, as_json.out, as_json.err, out, err):
        assert not OBEYED.search(each)


def test_what_python_and_packages_print_is_printable_too(tmp_path: Path) -> None:
    program = """
import asyncio, gc, logging, sys, threading, warnings, weakref
from host.cli.command import guard_output, run_command
def main():
    logging.getLogger("bleak").warning("a board named %s", evil)
    warnings.warn(evil)
    thread = threading.Thread(target=fail, args=("thread",))
    thread.start()
    thread.join()
    async def lose():
        asyncio.get_running_loop().call_soon(fail, "callback")
        await asyncio.sleep(0.01)
        asyncio.create_task(fail_later())
        await asyncio.sleep(0.01)
        gc.collect()
    asyncio.run(lose())
    logging.getLogger("bleak").warning("a board" + chr(10) + "send: log is well", stack_info=True)
    Deleted()
    for callback in (Evil(), Nameless()):
        reference = weakref.ref(Shown(), callback)
    fail("main")
async def fail_later():
    raise Shown("task" + evil)
class Shown(Exception):
    def __repr__(self):
        return str(self)
class Deleted:
    def __del__(self):
        fail("del")
class Evil:
    def __call__(self, _):
        fail("weak")
    def __repr__(self):
        return "callback" + evil
class Nameless(Evil):
    def __repr__(self):
        raise RuntimeError
def fail(where):
    raise RuntimeError(where + evil)
evil = chr(27) + "[2J" + chr(10) + "send: all is well" + chr(0x202e)
guard_output()
sys.exit(run_command("send", main))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert not OBEYED.search(done.stderr)
    for text in ("a board named \\x1b[2J", "UserWarning: \\x1b[2J\\nsend: all is well\\u202e"):
        assert text in done.stderr
    for where in ("thread", "callback", "main"):
        assert f"RuntimeError: {where}\\x1b[2J" in done.stderr
    for text in ("a board\\nsend: log is well", "__del__", "an object without a repr (RuntimeError)"):
        assert text in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.lstrip(" |").startswith("send: ")]
    for where in ("thread", "main", "callback", "del", "weak"):
        assert f"RuntimeError: {where}\\x1b[2J\\nsend: all is well\\u202e" in done.stderr.splitlines()
