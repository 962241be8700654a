"""The entry points of all commands: ``python -m host.send`` and the script ``pnc-send`` begin in ``start_command``.

This module and the leaves that it imports use the standard library alone. What a command needs is imported later, so
that a missing package is reported in one line, and Ctrl-C ends the program at once while the imports are running, which
takes a second.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path

from ..printing import OutputError, last_note, show
from ..version import __version__
from .shortage import shortage

#: Every command: its module in this package, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "send": ("send", "send pictures and print what the edge server recognised"),
    "recv": ("recv", "run the edge server: decode, classify and answer the pictures that arrive"),
    "demo": ("demo", "play pictures through virtual boards and a changing air, and show them on the live page"),
    "timeline": ("timeline", "print and draw the time line of each picture in an event log"),
    "boards": ("boards.__main__", "list, flash, pair and diagnose the boards at this computer"),
    "preview": ("preview.__main__", "show what the edge server sees of a picture after so many bytes"),
    "simulate": ("simulate.__main__", "measure accuracy under deadlines and jamming, in virtual time"),
    "evaluate": ("evaluate.__main__", "measure accuracy against bytes, beside other codecs"),
    "bench": ("bench.__main__", "measure the link's goodput and the codec's speed"),
    "train": ("train.__main__", "train a codec or a classifier from a folder of photos"),
    "reference": ("reference.__main__", "import, fit and export the codec that PNC published"),
}
#: ``host`` in a checkout, ``pnc_link`` where it is installed.
PACKAGE = __name__.partition(".")[0]
_OLDEST_PYTHON = (3, 11)
_FAILURE = 1
#: The packages that every command may rely on (pyproject.toml, dependencies), as they are imported.
_REQUIRED = ("PIL", "_cffi_backend", "cffi", "cobs", "numpy", "serial", "tqdm")
#: The modules in C that the installation compiles.
_COMPILED = ("_core", "_coder")


def program(name: str) -> str:
    """Return how the user starts the command ``name``: ``pnc-send`` or ``python -m host.send``, as the running one."""
    by_script = Path(sys.argv[0]).stem.removeprefix("pnc-") in COMMANDS and Path(sys.argv[0]).stem.startswith("pnc-")
    return f"pnc-{name}" if by_script else f"python -m {PACKAGE}.{name}"


def as_started(text: str) -> str:
    """Return a text with its commands (``python -m host.recv``) written as the user starts them."""
    return re.sub(r"python -m host\.(\w+)", lambda match: program(match[1]) if match[1] in COMMANDS else match[0], text)


def version_line(name: str) -> str:
    """Return what ``--version`` prints."""
    return f"pnc-{name} {__version__}"


def start_command(name: str, module: str = "") -> int:
    """Import the command ``name``, run it, and return its exit status.

    ``module``: another module of the command's package, such as ``evaluate.sheet``, to run in place of its main one.
    """
    _occupy_standard_streams()
    # numpy's matrices are small here. Its threads would wait for each other, for 20 ms a picture on a busy computer.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.version_info < _OLDEST_PYTHON:
        return _refuse(name, f"Python {_dotted(_OLDEST_PYTHON)} or later is needed; this is {sys.version.split()[0]}")
    if sys.argv[1:] == ["--version"]:
        return _show_version(name)
    # A KeyboardInterrupt in the middle of an import leaves a traceback, or is swallowed by a package in C.
    catches = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if catches:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        command = importlib.import_module(f"{PACKAGE}.{module or COMMANDS[name][0]}")
        from .command import guard_output, run_command
    except (ImportError, MemoryError, OSError) as error:
        short = shortage(error)
        if short is not None:
            return _refuse(name, short)
        missing = _missing(error) if isinstance(error, ImportError) else None
        if missing is None:
            raise
        return _refuse(name, f"{missing} is not installed for {sys.executable}: {_set_up(name)}")
    if catches:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    guard_output()
    return run_command(name, command.main)


send = partial(start_command, "send")
recv = partial(start_command, "recv")
demo = partial(start_command, "demo")
timeline = partial(start_command, "timeline")
boards = partial(start_command, "boards")
preview = partial(start_command, "preview")
simulate = partial(start_command, "simulate")
evaluate = partial(start_command, "evaluate")
bench = partial(start_command, "bench")
train = partial(start_command, "train")
reference = partial(start_command, "reference")


def _missing(error: ImportError) -> str | None:
    """Return what an incomplete installation lacks; None if the error has another cause."""
    module = (error.name or "").partition(".")[0]
    if module in _REQUIRED:
        return f"the package {module}"
    if any(name in str(error) for name in _COMPILED):
        return "the compiled part of this package"
    return None


def _set_up(name: str) -> str:
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "Makefile").is_file():
        return f"`make send` sets up {checkout / '.venv'}, then run `.venv/bin/python -m {PACKAGE}.{name}`"
    return "install pnc-link again with pip"


def _occupy_standard_streams() -> None:
    """Open what the user has closed (``2>&-``), or a serial port gets its number, and what a package in C prints."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _refuse(name: str, text: str) -> int:
    last_note(f"{name}: {text}")
    return _FAILURE


def _show_version(name: str) -> int:
    try:
        show(version_line(name))
    except OutputError as error:
        return _refuse(name, str(error))
    return 0


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
