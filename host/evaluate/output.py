"""Writes reports: a table for people, JSON and CSV files that are whole or not there."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cli import table as text_table
from ..codec.files import is_stream
from .errors import EvaluationError


def table(report: Mapping[str, Any]) -> str:
    """The report as lines of text: a row a budget, and the originals last."""
    rows = []
    for row in report["rows"]:
        budget = "all" if row["budget_bytes"] is None else str(row["budget_bytes"])
        rows.append((budget, f"{row['mean_bytes']:.1f}", f"{row['top1']:.4f}", f"{row['top5']:.4f}"))
    original = report["original"]
    rows.append(("original", "", f"{original['top1']:.4f}", f"{original['top5']:.4f}"))
    lines = [f"{report['n']} pictures, codec {report['codec']}, classifier {report['classifier']}"]
    lines += text_table.lines(("budget", "mean bytes", "top-1", "top-5"), rows, right=True)
    for measure, worst in report.get("largest_drop", {}).items():
        lines.append(
            f"largest drop below the next lower budget, {measure}: {worst['drop']:.4f} "
            f"(cut at {worst['cut_bytes']} against {worst['budget_bytes']} bytes)"
        )
    return "\n".join(lines)


def check_writable(path: Path) -> None:
    """Raises ``EvaluationError`` where ``write_bytes`` to this path could not succeed. Leaves nothing behind."""
    try:
        if is_stream(path):
            with path.open("a", encoding="utf-8"):
                return
        if os.path.isdir(path):
            raise EvaluationError(f"{path} is a folder: name a file")
        with tempfile.TemporaryFile(dir=_target(path).parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_json(path: Path, report: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Raises ``EvaluationError`` when it cannot be written."""
    write_text(path, json.dumps(report, indent=2) + "\n")


def write_csv(path: Path, reports: Sequence[Mapping[str, Any]]) -> None:
    """A line for each point of each report. Raises ``EvaluationError`` when it cannot be written."""
    text = io.StringIO(newline="")
    common = ("codec", "classifier", "n")
    writer = csv.DictWriter(text, [*common, *reports[0]["points"][0]], lineterminator="\n")
    writer.writeheader()
    for report in reports:
        for point in report["points"]:
            writer.writerow({name: report[name] for name in common} | {k: _shortest(v) for k, v in point.items()})
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Raises ``EvaluationError`` when it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes beside the target and renames, so that a file of that name is always whole.

    Raises ``EvaluationError`` when it cannot be written.
    """
    try:
        if is_stream(path):
            with path.open("ab") as stream:
                stream.write(content)
            return
        target = _target(path)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _shortest(value: object) -> object:
    """Six digits are more than 95 % intervals need, and lines stay readable."""
    return f"{value:.6g}" if isinstance(value, float) else value


def _target(path: Path) -> Path:
    """The file itself where the path is a link to it."""
    return path.resolve()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> EvaluationError:
    return EvaluationError(f"{path} cannot be written: {error.strerror}")
