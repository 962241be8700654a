"""Opens ONNX models with onnxruntime."""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path
from typing import Any

from ..errors import Reason
from .errors import CodecError

_FATAL = 4  # onnxruntime's log level; errors are raised as exceptions
#: What onnxruntime says when it gets no more memory, from the system or of its limit.
_NO_MEMORY = ("bad_alloc", "bfc_arena", "Failed to allocate", "failed to map segment", "Cannot allocate memory")


#: Free memory that a model needs at least when it is opened, of addresses: threads and their heaps among it.
_ROOM_BYTES = 256 << 20


class _Limit:
    """The memory of all models that are opened with a limit; ``most_bytes`` is None before the first."""

    def __init__(self) -> None:
        self.most_bytes: int | None = None
        self.lock = threading.Lock()


_LIMIT = _Limit()


def open_session(name: str, model: bytes | Path, threads: int | None, most_bytes: int | None = None) -> Any:
    """Open a model as an ``onnxruntime.InferenceSession`` on the CPU.

    Args:
        name: the model's name in error messages.
        model: a serialized model or the path of one.
        threads: number of threads; None for all CPUs that this process may use.
        most_bytes: most memory for the tensors of all models together that are opened with it; the first call
            decides. A run that needs more fails. None: no limit.

    Raises:
        CodecError: onnxruntime is not installed, or cannot run the model, or there is not enough memory.
    """
    # From release 1.29 on onnxruntime reports to its maker from Linux and macOS too, unless this is set before it is
    # imported: https://github.com/microsoft/onnxruntime/pull/27379
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise CodecError(
            "onnxruntime is not installed", reason=Reason.MISSING_PACKAGE, subject="pnc-link[edge]"
        ) from error
    except ImportError as error:
        raise CodecError(f"onnxruntime cannot be loaded: {first_line(error)}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cpus()
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # Otherwise idle threads spin for about 20 ms after each picture and take CPU time from the link and other
    # networks: 41 instead of 6 ms of CPU time for a single picture.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if most_bytes is not None:
        _limit(onnxruntime, most_bytes)
        options.add_session_config_entry("session.use_env_allocators", "1")
    if not _has_room():
        raise CodecError(f"onnxruntime cannot run {name}: not enough memory")
    try:
        return onnxruntime.InferenceSession(_name_or_content(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base class
        raise CodecError(
            f"{name} is not an ONNX model that runs here: {first_line(error)}", reason=Reason.BAD_FILE
        ) from error


def _has_room() -> bool:
    """Say whether there is room for a model. With less, onnxruntime ended the process by a signal once in 60 times."""
    try:
        mmap.mmap(-1, _ROOM_BYTES).close()
    except OSError:
        return False
    return True


def _name_or_content(model: bytes | Path) -> bytes | str:
    """Return what onnxruntime opens: the path of a file, or its content if the path is not UTF-8. Raises OSError."""
    if isinstance(model, bytes):
        return model
    try:
        str(model).encode()
    except UnicodeEncodeError:
        return model.read_bytes()
    return str(model)


def _limit(onnxruntime: Any, most_bytes: int) -> None:
    """Give the models of this process that have a limit one allocator, which takes so much memory at most."""
    with _LIMIT.lock:
        if _LIMIT.most_bytes is not None:
            return
        memory = onnxruntime.OrtMemoryInfo(
            "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
        )
        as_requested = 1  # it grows by what is needed, not by powers of two
        arena = onnxruntime.OrtArenaCfg({"max_mem": most_bytes, "arena_extend_strategy": as_requested})
        onnxruntime.create_and_register_allocator(memory, arena)
        _LIMIT.most_bytes = most_bytes


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; onnxruntime's have many."""
    if any(words in str(error) for words in _NO_MEMORY):
        limit = "" if _LIMIT.most_bytes is None else f" (or more than {_LIMIT.most_bytes >> 20} MB)"
        return f"not enough memory{limit}"
    return str(error).strip().partition("\n")[0] or type(error).__name__


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
