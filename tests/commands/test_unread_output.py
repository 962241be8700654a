"""A server whose output nobody reads, as in a pager, answers as before, and Ctrl-C ends it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import pace
from tests.commands.conftest import LIMIT_S, SAMPLE, Boards, run
from tests.commands.test_output import environment, wait_for

PICTURES = 30


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """Yield both ends of a pipe that is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    os.set_blocking(writer, True)
    try:
        yield reader, writer
    finally:
        for end in (reader, writer):
            with contextlib.suppress(OSError):
                os.close(end)


def serve(boards: Boards, folder: Path, **streams: int) -> subprocess.Popen[bytes]:
    """Start a server. A stream that is not given goes to the file ``other``."""
    with open(folder / "other", "wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "host.recv", "--port", boards.edge],
            **{"stdout": file, "stderr": file, "cwd": folder, "env": environment(), **streams},  # type: ignore[call-overload]
        )


def send(boards: Boards, folder: Path, count: int) -> None:
    ended = run(
        "host.send", *[SAMPLE] * count, "--port", boards.camera, "--deadline", "5s", "--connect", "60s", cwd=folder
    )
    assert f"{count} of {count} pictures answered in time" in ended.err, ended.err


def stop(server: subprocess.Popen[bytes]) -> float:
    """Send Ctrl-C and return how long the server took to end, s."""
    start_s = time.monotonic()
    server.send_signal(signal.SIGINT)
    assert server.wait(pace.seconds(LIMIT_S)) == 130
    return time.monotonic() - start_s


def test_pictures_are_answered_and_ctrl_c_ends_it_though_nobody_reads(boards: Boards, tmp_path: Path) -> None:
    with full_pipe() as (_, writer):
        server = serve(boards, tmp_path, stdout=writer)
        try:
            wait_for(tmp_path / "other", "serving on")
            send(boards, tmp_path, PICTURES)
            assert stop(server) < pace.seconds(4)
        finally:
            server.kill()
            server.wait()
    said = (tmp_path / "other").read_text().splitlines()
    assert said[-1].startswith("recv: stdout: ")
    assert said[-1].endswith(" lines were left out: nobody had read those before them")
    assert said[-2] == "recv: stopped"


def test_nor_do_notices_that_nobody_reads_stop_it(boards: Boards, tmp_path: Path) -> None:
    with full_pipe() as (_, writer):
        server = serve(boards, tmp_path, stderr=writer)
        try:
            send(boards, tmp_path, 3)
            wait_for(tmp_path / "other", "espresso")
            assert stop(server) < pace.seconds(4)
        finally:
            server.kill()
            server.wait()


def test_nor_do_logs_of_packages(tmp_path: Path) -> None:
    program = """
import asyncio, logging, sys, warnings
from host.cli.command import guard_output, run_async, run_command
async def main():
    for number in range(2000):
        logging.getLogger("bleak").warning("a board is not there " + "x" * 100)
        asyncio.get_running_loop().call_exception_handler({"message": "nobody has foreseen this " + "x" * 100})
        warnings.showwarning("a warning " + "x" * 100, UserWarning, "", 0)
    raise KeyboardInterrupt
guard_output()
sys.exit(run_command("recv", lambda: run_async(main())))
"""
    with full_pipe() as (_, writer):
        process = subprocess.Popen([sys.executable, "-c", program], stderr=writer, cwd=tmp_path, env=environment())
        try:
            assert process.wait(pace.seconds(20)) == 130
        finally:
            process.kill()
            process.wait()


def test_a_reader_that_goes_on_gets_every_line(boards: Boards, tmp_path: Path) -> None:
    with full_pipe() as (reader, writer):
        server = serve(boards, tmp_path, stdout=writer)
        os.close(writer)
        try:
            wait_for(tmp_path / "other", "serving on")
            send(boards, tmp_path, PICTURES)
            os.set_blocking(reader, False)
            got, end_s = b"", time.monotonic() + pace.seconds(20)
            while got.count(b"espresso") < PICTURES:
                assert time.monotonic() < end_s
                with contextlib.suppress(BlockingIOError):
                    got += os.read(reader, 1 << 16)
            stop(server)
        finally:
            server.kill()
            server.wait()
    assert got.lstrip(b"\n").count(b"\n") == PICTURES
    assert "left out" not in (tmp_path / "other").read_text()


def test_a_command_that_has_done_its_work_waits_for_its_reader(tmp_path: Path) -> None:
    with full_pipe() as (reader, writer):
        process = subprocess.Popen(
            [sys.executable, "-m", "host.send", SAMPLE, SAMPLE, "--port", "sim", "--deadline", "5s"],
            stdout=writer,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            env=environment(),
        )
        os.close(writer)
        got: list[bytes] = []

        def read() -> None:
            time.sleep(pace.seconds(5))
            with os.fdopen(os.dup(reader), "rb") as file:
                got.append(file.read())

        thread = threading.Thread(target=read)
        thread.start()
        assert process.wait(pace.seconds(LIMIT_S)) == 0
        thread.join()
    assert got[0].count(b"espresso") == 2


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="pipes of this system have one size")
def test_a_short_pipe_too(boards: Boards, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = serve(boards, tmp_path, stdout=writer)
    try:
        wait_for(tmp_path / "other", "serving on")
        send(boards, tmp_path, 60)
        assert stop(server) < pace.seconds(4)
    finally:
        server.kill()
        server.wait()
        os.close(reader)
        os.close(writer)
