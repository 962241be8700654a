"""Opens ONNX models with onnxruntime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import Reason
from .errors import CodecError

_FATAL = 4  # onnxruntime's log level; errors are raised as exceptions


def open_session(name: str, model: bytes | Path, threads: int | None) -> Any:
    """Open a model as an ``onnxruntime.InferenceSession`` on the CPU.

    Args:
        name: the model's name in error messages.
        model: a serialized model or the path of one.
        threads: number of threads; None for all CPUs that this process may use.

    Raises:
        CodecError: onnxruntime is not installed, or cannot run the model.
    """
    # From release 1.29 on onnxruntime reports to its maker from Linux and macOS too, unless this is set before it is
    # imported: https://github.com/microsoft/onnxruntime/pull/27379
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise CodecError(
            "onnxruntime is not installed", reason=Reason.MISSING_PACKAGE, subject="pnc-link[edge]"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cpus()
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # Otherwise idle threads spin for about 20 ms after each picture and take CPU time from the link and other
    # networks: 41 instead of 6 ms of CPU time for a single picture.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common base class
        raise CodecError(
            f"{name} is not an ONNX model that runs here: {first_line(error)}", reason=Reason.BAD_FILE
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; onnxruntime's have many."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
