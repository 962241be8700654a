"""A bug report: one file with what helps to find a fault, and without pictures, keys and passwords."""

from __future__ import annotations

import io
import json
import platform
import re
import shlex
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ..files import write_file
from ..text import printable
from ..version import __version__
from .entry import Entry
from .reader import LogError

#: Packages whose versions matter.
PACKAGES = (
    *("cffi", "cobs", "numpy", "pillow", "pyserial", "tqdm", "onnxruntime", "bleak", "dbus-fast", "matplotlib"),
    *("starlette", "uvicorn", "prometheus-client", "av", "opencv-python-headless", "picamera2"),
)
#: Settings with such a word in their name are not reported.
_SECRET = re.compile("key|token|password|secret", re.IGNORECASE)
LEFT_OUT = "(left out)"
#: Settings that are command lines of the user's programs.
_COMMANDS = ("commands",)
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)(\S+)", re.IGNORECASE)
_README = """\
A bug report of PNC Link. It contains no picture, no key and no token. What it contains:

log.jsonl      the event log of the run (docs/log.md)
versions.json  versions of this program, of Python, of the system and of packages
settings.json  the options of the command; of addresses only the host, of programs only the name
doctor.txt     what `python -m host.boards doctor` found
error.txt      how the run ended, if it failed

File names, labels of the classifier, and names of boards and ports are in it: look before you publish it.
"""


def write_bug_report(
    path: Path, entries: Sequence[Entry], run: str, settings: Mapping[str, Any], doctor: str, error: str
) -> None:
    """Write a zip file. Raises LogError if it cannot be written."""
    parts = {
        "README.txt": _README,
        "log.jsonl": "".join(f"{_public_entry(entry).line(run)}\n" for entry in entries),
        "versions.json": json.dumps(versions(), indent=1),
        "settings.json": json.dumps(public(settings), indent=1, default=str),
        "doctor.txt": "".join(f"{printable(_without_secrets(line))}\n" for line in doctor.splitlines()),
    }
    if error:
        parts["error.txt"] = f"{printable(_without_secrets(error))}\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text.encode(errors="backslashreplace"))
    write_file(content.getvalue(), path, LogError)


def versions() -> dict[str, str]:
    """Return the versions of everything that a run depends on."""
    found = {
        "pnc-link": __version__,
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def public(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without what may be secret: values of secret ones, addresses but for the host, arguments."""
    return {name: _public_value(name, value) for name, value in settings.items()}


def _public_value(name: str, value: Any) -> Any:
    if value and _SECRET.search(name):
        return LEFT_OUT
    match value:
        case str() if name in _COMMANDS:
            return _program(value)
        case str():
            return _without_secrets(value)
        case Mapping():
            return {key: _public_value(f"{name} {key}", each) for key, each in value.items()}
        case list() | tuple():
            return [_public_value(name, each) for each in value]
        case None | bool() | int() | float():
            return value
    return _without_secrets(str(value))  # a path, which may be an address


def _public_entry(entry: Entry) -> Entry:
    return replace(entry, fields={name: _public_text(value) for name, value in entry.fields.items()})


def _public_text(value: Any) -> Any:
    return _without_secrets(value) if isinstance(value, str) else value


def _program(command: str) -> str:
    """Return the program of a command line, without its arguments."""
    try:
        program, *arguments = shlex.split(command)
    except ValueError:  # there is no word, or a quotation without an end
        return LEFT_OUT
    return f"{_without_secrets(program)} {LEFT_OUT}" if arguments else _without_secrets(program)


def _without_secrets(text: str) -> str:
    """Return a text in which each address has its scheme, host and port alone.

    A name and a password, a query, and also a path (that of a web hook) can be secrets.
    """

    def shortened(match: re.Match[str]) -> str:
        scheme, rest = match.groups()
        place = re.split(r"[/?#]", rest, maxsplit=1)[0]
        host = place.rpartition("@")[2]
        if "@" in rest[len(place) :]:  # of a password with such a character?
            return f"{scheme}{LEFT_OUT}"
        return f"{scheme}{host}" if rest.rstrip("/") == host else f"{scheme}{host}/{LEFT_OUT}"

    return _ADDRESS.sub(shortened, text)
