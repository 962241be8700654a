"""Runs a uint8 TFLite encoder of PNC's architecture with LiteRT (the extra ``tflite``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..codec import SIDE
from ..codec.errors import CodecError
from ..files import read_file
from .model import CHANNELS, GRID

#: The published encoder has 8 kB.
_MAX_BYTES = 1 << 20


class TfliteEncoder:
    """An encoder: uint8 [224, 224, 3] RGB -> uint8 activations [10, 32, 32] with the step ``scale``, zero point 0."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load a file. Raises CodecError, in one line that names it, for any other file or without LiteRT."""
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise CodecError("LiteRT is not installed: pip install 'pnc-link[tflite]'") from None
        content = read_file(path, _MAX_BYTES, "a TFLite encoder", CodecError)
        if content[4:8] != b"TFL3":
            raise CodecError(f"{path}: not a TFLite encoder")
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            given, made = self._interpreter.get_input_details(), self._interpreter.get_output_details()
            self._interpreter.invoke()
        except (ValueError, RuntimeError, MemoryError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise CodecError(f"{path}: LiteRT cannot run it ({first_line})") from None
        self._input, _ = self._tensor(path, "input", given, [1, SIDE, SIDE, 3])
        self._output, self.scale = self._tensor(path, "output", made, [1, GRID, GRID, CHANNELS])

    @staticmethod
    def _tensor(path: Path, name: str, tensors: list[dict[str, Any]], shape: list[int]) -> tuple[int, float]:
        """Return a tensor's number and its step."""
        found = [(np.dtype(tensor["dtype"]), [int(n) for n in tensor["shape"]]) for tensor in tensors]
        if found != [(np.dtype(np.uint8), shape)]:
            described = ", ".join(f"{kind} {size}" for kind, size in found)
            raise CodecError(f"{path}: its {name} is {described}; PNC's is uint8 {shape}")
        scale, zero = tensors[0]["quantization"]
        if zero != 0 or not scale > 0:
            raise CodecError(f"{path}: its {name} has no step, or a zero point other than 0")
        return int(tensors[0]["index"]), float(scale)

    def activations(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture's activations, uint8 [10, 32, 32]."""
        self._interpreter.set_tensor(self._input, picture[np.newaxis])
        self._interpreter.invoke()
        latent: np.ndarray = self._interpreter.get_tensor(self._output)
        return np.ascontiguousarray(latent[0].transpose(2, 0, 1))
