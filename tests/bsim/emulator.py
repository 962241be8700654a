"""The firmware on an emulated Cortex-M3 (QEMU's): its serial port, and a debugger that can break it."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.bsim.simulation import START_S

QEMU = "qemu-system-arm"
#: Registers of GDB's remote protocol: the link register and the program counter are the last of r0 to r15.
_LR, _PC = 14, 15
#: Asks for their list; without it no single one may be read or written.
_REGISTERS = b"qXfer:features:read:target.xml:0,ffb"
#: Nothing may be executed there (the system region of ARMv7-M).
_NOWHERE = 0xFFFFFFF0
#: Bytes of memory in one answer of the debugger.
_READ = 1024


class Emulator:
    """An emulated board from ``__enter__`` to ``__exit__``; ``port`` is its serial port, a pseudo-terminal.

    ``options`` are more of QEMU's. An instruction takes 2 to the power of ``shift`` nanoseconds of the board's time.
    """

    def __init__(
        self, folder: Path, program: Path, *, machine: str = "lm3s6965evb", options: Sequence[str] = (), shift: int = 6
    ) -> None:
        self._debugger = folder / "gdb"
        self._command = [
            *(QEMU, "-machine", machine, "-display", "none", "-monitor", "none", "-serial", "pty"),
            *("-gdb", f"unix:{self._debugger},server=on,wait=off", "-icount", f"shift={shift},align=off,sleep=on"),
            *("-kernel", str(program)),
            *options,
        ]

    def __enter__(self) -> Emulator:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"/dev/\S+", line)
        assert found is not None, line
        self.port = Path(found[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)

    def break_program(self) -> None:
        """Let the processor go on where nothing can be executed: a fault, whatever it was doing."""
        with self._debugged() as debugger:
            _ask(debugger, _REGISTERS)
            assert _ask(debugger, b"P%x=%s" % (_PC, _NOWHERE.to_bytes(4, "little").hex().encode())) == b"OK"

    def memory(self, address: int, length: int) -> bytes:
        """Return what is in the memory there; the processor stands still meanwhile."""
        with self._debugged() as debugger:
            starts = range(address, address + length, _READ)
            sizes = (min(_READ, address + length - start) for start in starts)
            texts = [_ask(debugger, b"m%x,%x" % part) for part in zip(starts, sizes, strict=True)]
        return bytes.fromhex(b"".join(texts).decode())

    def call(self, function: int, address: int) -> tuple[int, int]:
        """Wait for the next call of a function; return the word at an address when it began and when it returned."""
        with self._debugged() as debugger:
            _ask(debugger, _REGISTERS)
            start = _stop_at(debugger, function, address)
            back = _number(_ask(debugger, b"p%x" % _LR))
            return start, _stop_at(debugger, back, address)

    @contextmanager
    def _debugged(self) -> Iterator[socket.socket]:
        """The debugger, for which the processor stops; it goes on afterwards."""
        with socket.socket(socket.AF_UNIX) as debugger:
            debugger.settimeout(START_S)
            debugger.connect(str(self._debugger))
            _ask(debugger, b"?")
            yield debugger
            _ask(debugger, b"D")


def _number(answer: bytes) -> int:
    return int.from_bytes(bytes.fromhex(answer.decode()), "little")


def _stop_at(debugger: socket.socket, place: int, address: int) -> int:
    """Let the processor run to an instruction; return the word at an address."""
    at = b"0,%x,2" % (place & ~1)  # the lowest bit only says that it is Thumb code
    assert _ask(debugger, b"Z" + at) == b"OK"
    _ask(debugger, b"c")
    assert _ask(debugger, b"z" + at) == b"OK"
    return _number(_ask(debugger, b"m%x,4" % address))


def _ask(debugger: socket.socket, question: bytes) -> bytes:
    """A question of GDB's remote protocol; its answer."""
    debugger.sendall(b"$%s#%02x" % (question, sum(question) % 256))
    heard = b""
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        heard += debugger.recv(65536)
        # The first may be what the debugger says by itself when it comes: the processor has stopped.
        stops = question in (b"?", b"c")
        answers = [text for text in re.findall(rb"\$([^#]*)#..", heard) if stops or text[:1] != b"T"]
        if answers:
            debugger.sendall(b"+")
            return answers[-1]
    raise AssertionError(f"the emulator's debugger said {heard!r}")
