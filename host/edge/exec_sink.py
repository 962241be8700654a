"""Runs a program for each answered picture: ``recv --exec 'CMD {picture} {json}'``."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from ..errors import Reason
from ..files import write_whole
from ..text import json_line
from .answered import AnsweredPicture
from .sink import SinkError, webp

#: How long the program may take for a picture, s. It is then killed.
LIMIT_S = 30.0
PICTURE, JSON = "{picture}", "{json}"
#: Most characters of the program's last line that a notice repeats, and bytes that are read to find it.
_SAID, _TAIL_BYTES = 200, 4096


class ExecSink:
    """Runs a command for each picture, without a shell, one at a time.

    In its words ``{picture}`` is replaced by the name of a file with the decoded picture (empty if nothing could be
    decoded), and ``{json}`` by that of a file with a line of JSON, the fields of ``AnsweredPicture``. Both are
    temporary; but if the server saves pictures, ``{picture}`` is the saved one. What the program prints is not
    shown, but the last line of its errors if it fails.

    Args:
        command: the words, as a shell writes them.
        limit_s: how long it may take for a picture, s.
    """

    def __init__(self, command: str, limit_s: float = LIMIT_S) -> None:
        """Check the command. Raises SinkError if it has no program that can be run."""
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise SinkError(f"--exec: {command}: {error}", reason=Reason.BAD_USAGE) from None
        if not self._words:
            raise SinkError("--exec: a command is missing", reason=Reason.BAD_USAGE)
        if shutil.which(self._words[0]) is None:
            raise SinkError(f"--exec: {self._words[0]}: no such program", reason=Reason.BAD_USAGE)
        self.name = f"--exec {self._words[0]}"
        self._limit_s = limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def deliver(self, answered: AnsweredPicture) -> None:
        with tempfile.TemporaryDirectory(prefix="pnc-", ignore_cleanup_errors=True) as folder:
            try:
                picture, line = self._files(answered, Path(folder))
            except OSError as error:
                raise SinkError(f"{self.name}: {folder}: cannot be written ({error.strerror})") from error
            words = [word.replace(PICTURE, picture).replace(JSON, str(line)) for word in self._words]
            with (Path(folder) / "errors").open("w+b") as errors:
                self._run(words, errors.fileno())
                status = self._process.returncode if self._process else 0
                if status != 0:
                    raise SinkError(f"{self.name}: it {_ended(status)}{_last_line(errors.fileno())}")

    def abort(self) -> None:
        self._kill()

    def _files(self, answered: AnsweredPicture, folder: Path) -> tuple[str, Path]:
        """Return the files of the picture and of the line, written to a folder unless the picture was saved."""
        picture = answered.picture or ""
        if not picture and answered.pixels is not None:
            path = folder / "picture.webp"
            write_whole(webp(answered.pixels), path, durable=False)
            picture = str(path)
        line = folder / "picture.json"
        write_whole(f"{json_line(answered.as_json())}\n".encode(), line, durable=False)
        return picture, line

    def _run(self, words: list[str], errors: int) -> None:
        """Run a program to its end. Raises SinkError if it cannot be started or takes too long."""
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # so that its children are killed with it, and Ctrl-C is not theirs
            )
        except OSError as error:
            raise SinkError(f"{self.name}: it cannot be started ({error.strerror})") from error
        try:
            self._process.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
            raise SinkError(f"{self.name}: it did not end within {self._limit_s:g} s and was killed") from None

    def _kill(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def _ended(status: int) -> str:
    return f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"


def _last_line(number: int) -> str:
    """Return the last line of a file in parentheses; nothing if it is empty."""
    size = os.fstat(number).st_size
    os.lseek(number, max(0, size - _TAIL_BYTES), os.SEEK_SET)
    lines = os.read(number, _TAIL_BYTES).decode(errors="replace").strip().splitlines()
    return f" ({lines[-1].strip()[:_SAID]})" if lines else ""
