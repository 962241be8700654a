"""A bug report: one file with what helps to find a fault, and without pictures, keys and passwords."""

from __future__ import annotations

import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
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
_README = """\
A bug report of PNC Link. It contains no picture, no key and no token. What it contains:

log.jsonl      the event log of the run (docs/log.md)
versions.json  versions of this program, of Python, of the system and of packages
settings.json  the options of the command
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
        "log.jsonl": "".join(f"{entry.line(run)}\n" for entry in entries),
        "versions.json": json.dumps(versions(), indent=1),
        "settings.json": json.dumps(public(settings), indent=1, default=str),
        "doctor.txt": "".join(f"{printable(line)}\n" for line in doctor.splitlines()),
    }
    if error:
        parts["error.txt"] = f"{printable(error)}\n"
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
    """Return settings without the values of secret ones."""
    return {name: LEFT_OUT if value and _SECRET.search(name) else value for name, value in settings.items()}
