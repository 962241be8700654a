"""The C entropy coder as Python sees it: symbols to packets and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import Reason
from .errors import CodecError

#: Arrays that make up a model of the coder; see coder.h for their shapes and rules.
ARRAYS = {"zero": np.uint8, "mean": np.int16, "spread": np.uint16, "thresholds": np.int32, "tables": np.uint16}
NEAR, KINDS, PHASES = 6, 2, 4


def library() -> Any:
    try:
        from . import _coder  # type: ignore[attr-defined]
    except ImportError as error:
        raise CodecError(f"the codec's C part is not built ({error})", reason=Reason.NOT_BUILT) from None
    return _coder


class EntropyCoder:
    """Codes runs of symbols (uint8 [channels, side, side], channel after channel) as packets that stand alone."""

    def __init__(self, arrays: dict[str, np.ndarray], side: int) -> None:
        """Takes the arrays of ``ARRAYS``. Raises CodecError when one is missing or breaks a rule of coder.h."""
        module = library()
        self._ffi, self._lib = module.ffi, module.lib
        try:
            self.arrays = {key: np.ascontiguousarray(arrays[key]) for key in ARRAYS}
        except KeyError as error:
            raise CodecError(f"the entropy tables lack {error}") from None
        channels, levels = len(self.arrays["zero"]), self.arrays["thresholds"].shape[-1] + 1
        size = self.arrays["tables"].shape[-1]
        shapes = {
            "zero": (channels,),
            "mean": (channels, NEAR),
            "spread": (channels, 2 * NEAR),
            "thresholds": (channels, levels - 1),
            "tables": (channels, KINDS, levels, PHASES, size),
        }
        for key, dtype in ARRAYS.items():
            if self.arrays[key].dtype != dtype or self.arrays[key].shape != shapes[key]:
                raise CodecError(f"the entropy tables are broken: {key} has another shape or type")
        self._model = self._ffi.new("struct pnc_coder_model *")
        self._model.channels, self._model.side = channels, side
        self._model.reach, self._model.levels = (size - 3) // 2, levels
        types = {"zero": "uint8_t[]", "mean": "int16_t[]", "spread": "uint16_t[]", "thresholds": "int32_t[]"}
        self._buffers = {key: self._ffi.from_buffer(types.get(key, "uint16_t[]"), a) for key, a in self.arrays.items()}
        for key, buffer in self._buffers.items():
            setattr(self._model, key, buffer)
        if size % 2 == 0 or self._lib.pnc_coder_check(self._model) != 0:
            raise CodecError("the entropy tables are broken: they break a rule of coder.h")
        self.channels, self.side = channels, side
        self.total: int = self._lib.pnc_coder_total(self._model)

    def encode(self, symbols: np.ndarray, position: int, room: int) -> tuple[bytes, int]:
        """Symbols from ``position`` on, as many as fit ``room`` bytes: the bytes, and how many symbols they hold."""
        flat = self._flat(symbols)
        scratch = self._ffi.new("uint32_t[]", 2 * self.total)
        out = self._ffi.new("uint8_t[]", room)
        length = self._ffi.new("size_t *")
        buffer = self._ffi.from_buffer("uint8_t[]", flat)
        count = self._lib.pnc_coder_encode(self._model, buffer, position, scratch, out, room, length)
        if count < 0:
            raise ValueError(f"{room} bytes at position {position} of {self.total}: no symbol can be coded")
        return bytes(self._ffi.buffer(out, length[0])), count

    def decode(self, data: bytes, position: int) -> np.ndarray | None:
        """The run of symbols in ``data``, uint8 [n >= 1]; None when no encoder writes that there."""
        symbols = np.zeros(self.total, dtype=np.uint8)
        buffer = self._ffi.from_buffer("uint8_t[]", symbols, require_writable=True)
        count = self._lib.pnc_coder_decode(self._model, data, len(data), position, buffer)
        return symbols[position : position + count].copy() if count > 0 else None

    def survey(self, symbols: np.ndarray, position: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each symbol of a packet over [position, end): expected value * 64, uncertainty, kind of surroundings."""
        n = end - position
        m64, t, kind = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.uint8)
        flat = self._flat(symbols)
        ffi = self._ffi
        error = self._lib.pnc_coder_survey(
            self._model,
            ffi.from_buffer("uint8_t[]", flat),
            position,
            end,
            ffi.from_buffer("int32_t[]", m64, require_writable=True),
            ffi.from_buffer("int32_t[]", t, require_writable=True),
            ffi.from_buffer("uint8_t[]", kind, require_writable=True),
        )
        if error:
            raise ValueError(f"{position}..{end} is not inside the picture")
        return m64, t, kind

    def _flat(self, symbols: np.ndarray) -> np.ndarray:
        flat = np.ascontiguousarray(symbols, dtype=np.uint8).reshape(-1)
        if len(flat) != self.total:
            raise ValueError(f"{len(flat)} symbols; a picture has {self.total}")
        return flat
