"""Writes the report: a table for people, a JSON file that is whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host.evaluation.errors import EvaluationError


def table(report: Mapping[str, Any]) -> str:
    """The report as lines of text: a row a budget, and the originals last."""
    lines = [
        f"{report['n']} pictures, codec {report['codec']}, classifier {report['classifier']}",
        f"{'budget':>10} {'mean bytes':>10} {'top-1':>7} {'top-5':>7}",
    ]
    for row in report["rows"]:
        budget = "all" if row["budget_bytes"] is None else str(row["budget_bytes"])
        lines.append(f"{budget:>10} {row['mean_bytes']:>10.1f} {row['top1']:>7.4f} {row['top5']:>7.4f}")
    original = report["original"]
    lines.append(f"{'original':>10} {'':>10} {original['top1']:>7.4f} {original['top5']:>7.4f}")
    return "\n".join(lines)


def check_writable(path: Path) -> None:
    """Raises ``EvaluationError`` where ``write_json`` to this path could not succeed. Leaves nothing behind."""
    try:
        if _is_stream(path):
            with path.open("a", encoding="utf-8"):
                return
        if os.path.isdir(path):
            raise EvaluationError(f"{path} is a folder: name a file for the JSON")
        with tempfile.TemporaryFile(dir=_target(path).parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_json(path: Path, report: Mapping[str, Any]) -> None:
    """Writes beside the target and renames, so that a file of that name is always whole.

    Raises ``EvaluationError`` when it cannot be written.
    """
    text = json.dumps(report, indent=2) + "\n"
    try:
        if _is_stream(path):
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
            return
        target = _target(path)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _target(path: Path) -> Path:
    """The file itself where the path is a link to it."""
    return path.resolve()


def _is_stream(path: Path) -> bool:
    """/dev/stdout, a named pipe and the like: to be written to, not renamed over."""
    special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return special or path.is_relative_to("/dev")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> EvaluationError:
    return EvaluationError(f"{path} cannot be written: {error.strerror}")
