"""The C plane coder as Python sees it: coefficients to packets and back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from .library import library
from .errors import CodecError
from .layout import GRID, PLANES

#: Arrays that make up a model of the coder; see planes.h for their shapes and rules.
ARRAYS = {
    "order": np.uint8,
    "top": np.uint8,
    "mean": np.int16,
    "spread": np.int16,
    "base": np.int32,
    "zero": np.uint16,
    "more": np.uint16,
}
NEAR, LEADS, SIDES, FAR, SHIFTS, SPREADS = 8, 5, 4, 7, 9, 16
_TYPES = {np.uint8: "uint8_t[]", np.int16: "int16_t[]", np.int32: "int32_t[]", np.uint16: "uint16_t[]"}


def inputs(channels: int) -> int:
    """How many values a symbol's surroundings are."""
    return NEAR + channels + LEADS * SIDES


@dataclass(frozen=True, slots=True)
class _Scratch:
    state: Any
    steps: Any


class PlaneCoder:
    """Codes coefficients int8 [channels, side, side], piece after piece, as packets that follow each other."""

    def __init__(self, arrays: dict[str, np.ndarray], side: int = GRID, planes: int = PLANES) -> None:
        """Takes the arrays of ``ARRAYS``. Raises CodecError when one is missing or breaks a rule of planes.h."""
        module = library()
        self._ffi, self._lib = module.ffi, module.lib
        try:
            self.arrays = {key: np.ascontiguousarray(arrays[key]) for key in ARRAYS}
        except KeyError as error:
            raise CodecError(f"the entropy tables lack {error}") from None
        pieces, channels = len(self.arrays["order"]), len(self.arrays["top"])
        shapes = {
            "order": (pieces, 2),
            "top": (channels,),
            "mean": (pieces, inputs(channels)),
            "spread": (pieces, inputs(channels)),
            "base": (pieces,),
            "zero": (pieces, FAR, SPREADS, 2),
            "more": (pieces, SHIFTS, SPREADS),
        }
        self._model = self._ffi.new("struct pnc_planes_model *")
        self._model.channels, self._model.side = channels, side
        self._model.planes, self._model.pieces = planes, pieces
        self._buffers = []
        for key, dtype in ARRAYS.items():
            if self.arrays[key].dtype != dtype or self.arrays[key].shape != shapes[key]:
                raise CodecError(f"the entropy tables are broken: {key} has another shape or type")
            self._buffers.append(self._ffi.from_buffer(_TYPES[dtype], self.arrays[key]))
            setattr(self._model, key, self._buffers[-1])
        if self._lib.pnc_planes_check(self._model) != 0:
            raise CodecError("the entropy tables are broken: they break a rule of planes.h")
        self.channels, self.side, self.planes, self.pieces = channels, side, planes, pieces
        self.order: np.ndarray = self.arrays["order"]
        #: Rows of a whole stream.
        self.rows = pieces * side
        self._local = threading.local()

    def _scratch(self) -> _Scratch:
        """This thread's memory to encode in: kept, as fresh memory costs more than filling it."""
        if not hasattr(self._local, "scratch"):
            size = self._lib.pnc_planes_state_size(self._model)
            steps = self.rows * self.side
            self._local.scratch = _Scratch(self._ffi.new("int16_t[]", size), self._ffi.new("uint32_t[]", steps))
        scratch: _Scratch = self._local.scratch
        return scratch

    def new_state(self) -> np.ndarray:
        """What is known before the first packet."""
        return np.zeros(self._lib.pnc_planes_state_size(self._model), np.int16)

    def _state(self, state: np.ndarray) -> Any:
        return self._ffi.from_buffer("int16_t[]", state, require_writable=True)

    def encode(self, coefficients: np.ndarray, row: int, room: int) -> tuple[bytes, int]:
        """Rows from ``row`` on, as many as ``room`` bytes decide: the bytes, and how many whole rows they hold."""
        flat, scratch = self._flat(coefficients), self._scratch()
        out = self._ffi.new("uint8_t[]", room + 8)
        length = self._ffi.new("size_t *")
        rows = self._lib.pnc_planes_encode(self._model, flat, row, scratch.state, scratch.steps, out, room, length)
        if rows < 0:
            raise ValueError(f"{room} bytes at row {row} of {self.rows}: no row can be coded")
        return bytes(self._ffi.buffer(out, length[0])), rows

    def pack(self, coefficients: np.ndarray, room: int, most: int) -> list[tuple[int, bytes]]:
        """A whole stream as packets of at most ``room`` bytes, or its first ``most`` packets: first rows and bytes."""
        flat, scratch, ffi = self._flat(coefficients), self._scratch(), self._ffi
        out = ffi.new("uint8_t[]", most * room + 8)
        packets = ffi.new("struct pnc_planes_packet[]", most)
        count = self._lib.pnc_planes_pack(self._model, flat, most, scratch.state, scratch.steps, room, out, packets)
        if count < 0:
            raise ValueError(f"{room} bytes: no row can be coded")
        data = ffi.buffer(out)
        return [(packets[i].row, data[i * room : i * room + packets[i].length]) for i in range(count)]

    def decode(self, data: bytes, row: int, rows: int | None, state: np.ndarray) -> int | None:
        """Decode the packet that begins at ``row`` into ``state`` (what is known there), and count its symbols.

        It must hold ``rows`` whole rows, after which the state is that of the next packet; None: as many symbols as its
        bytes decide. The answer is None, and the state is of no use, when no encoder writes that there.
        """
        if rows is not None and rows < 0:
            return None
        count = self._lib.pnc_planes_decode(
            self._model, data, len(data), row, -1 if rows is None else rows, self._state(state)
        )
        return count if count >= 0 else None

    def known(self, state: np.ndarray) -> np.ndarray:
        """Four times the middle of what is known of each coefficient, int16 [channels, side, side]."""
        return state.reshape(self.channels, self.side + 2, self.side + 2)[:, 1:-1, 1:-1]

    def levels(self, row: int, more: int = 0) -> np.ndarray:
        """Unknown planes of coefficients ``more`` symbols after the start of ``row``, uint8 [channels, side, side]."""
        area = self.side * self.side
        whole, part = divmod(row * self.side + more, area)
        level = np.repeat(self.arrays["top"][:, None], area, axis=1)
        for channel, plane in self.order[:whole]:
            level[channel] = plane
        if part:
            channel, plane = self.order[whole]
            level[channel, :part] = plane
        return level.reshape(self.channels, self.side, self.side)

    def survey(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Context and symbol of each symbol of a whole stream, uint8 [pieces, side * side] each; see planes.h."""
        contexts = np.empty((self.pieces, self.side**2), np.uint8)
        symbols = np.empty_like(contexts)
        ffi = self._ffi
        self._lib.pnc_planes_survey(
            self._model,
            self._flat(coefficients),
            self._state(self.new_state()),
            ffi.from_buffer("uint8_t[]", contexts, require_writable=True),
            ffi.from_buffer("uint8_t[]", symbols, require_writable=True),
        )
        return contexts, symbols

    def _flat(self, coefficients: np.ndarray) -> Any:
        if coefficients.shape != (self.channels, self.side, self.side) or coefficients.dtype != np.int8:
            raise ValueError(f"coefficients are int8 {[self.channels, self.side, self.side]}")
        return self._ffi.from_buffer("int8_t[]", np.ascontiguousarray(coefficients))
