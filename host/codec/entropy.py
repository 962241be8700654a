"""Python interface of the bit-plane coder in C: coefficients to packets and back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import CodecError
from .layout import GRID, PLANES
from .library import library

#: Arrays of a coder's model by their names in the weights file; ``native/planes.h`` has their shapes and rules.
ARRAYS = {
    "order": np.uint8,
    "top": np.uint8,
    "mean": np.int16,
    "spread": np.int16,
    "base": np.int32,
    "zero": np.uint16,
    "more": np.uint16,
}
#: First pass with the table of blank streams. Of the passes before it, a plain picture takes few bytes anyway.
BLANK_FROM = 16
NEAR, LEADS, SIDES, FAR, SHIFTS, SPREADS = 8, 5, 4, 7, 9, 16
_TYPES = {np.uint8: "uint8_t[]", np.int16: "int16_t[]", np.int32: "int32_t[]", np.uint16: "uint16_t[]"}


def context_size(channels: int) -> int:
    """Return the number of inputs of a symbol's context."""
    return NEAR + channels + LEADS * SIDES


@dataclass(frozen=True, slots=True)
class _Scratch:
    state: Any
    intervals: Any


class BitPlaneCoder:
    """Codes coefficients int8 [channels, side, side] pass by pass, as packets that each need the ones before."""

    def __init__(
        self, arrays: dict[str, np.ndarray], side: int = GRID, planes: int = PLANES, blank_from: int = BLANK_FROM
    ) -> None:
        """Build a coder from ``ARRAYS``; planes.h describes ``blank_from`` (``blank``).

        Raises CodecError if one is missing or violates a rule of planes.h.
        """
        module = library()
        self._ffi, self._lib = module.ffi, module.lib
        try:
            self.arrays = {key: np.ascontiguousarray(arrays[key]) for key in ARRAYS}
        except KeyError as error:
            raise CodecError(f"the entropy coder's tables lack {error}") from None
        passes, channels = len(self.arrays["order"]), len(self.arrays["top"])
        shapes = {
            "order": (passes, 2),
            "top": (channels,),
            "mean": (passes, context_size(channels)),
            "spread": (passes, context_size(channels)),
            "base": (passes,),
            "zero": (passes, FAR, SPREADS, 2),
            "more": (passes, SHIFTS, SPREADS),
        }
        self._model = self._ffi.new("struct pnc_planes_model *")
        self._model.channels, self._model.side = channels, side
        self._model.planes, self._model.passes, self._model.blank = planes, passes, blank_from
        self._buffers = []
        for key, dtype in ARRAYS.items():
            if self.arrays[key].dtype != dtype or self.arrays[key].shape != shapes[key]:
                raise CodecError(f"the entropy coder's tables are broken: {key} has another shape or type")
            self._buffers.append(self._ffi.from_buffer(_TYPES[dtype], self.arrays[key]))
            setattr(self._model, key, self._buffers[-1])
        if self._lib.pnc_planes_check(self._model) != 0:
            raise CodecError("the entropy coder's tables are broken: they break a rule of planes.h")
        self.channels, self.side, self.planes, self.passes = channels, side, planes, passes
        #: Channel and plane of each coding pass, uint8 [passes, 2].
        self.order: np.ndarray = self.arrays["order"]
        #: Number of bit-planes of each channel, uint8 [channels].
        self.plane_counts: np.ndarray = self.arrays["top"]
        #: Pass rows of a whole stream.
        self.rows = passes * side
        #: Fewest bytes of a packet: any pass row fits into them.
        self.least_room: int = self._lib.pnc_planes_least_room(self._model)
        self._local = threading.local()

    def _scratch(self) -> _Scratch:
        """Return this thread's scratch memory. It is reused: allocating it costs more than filling it."""
        if not hasattr(self._local, "scratch"):
            size = self._lib.pnc_planes_state_size(self._model)
            symbols = self.rows * self.side
            self._local.scratch = _Scratch(
                self._ffi.new("int16_t[]", size), self._ffi.new("struct pnc_planes_interval[]", symbols)
            )
        scratch: _Scratch = self._local.scratch
        return scratch

    def new_state(self) -> np.ndarray:
        """Return the decoder's state at the start of a stream."""
        return np.zeros(self._lib.pnc_planes_state_size(self._model), np.int16)

    def _state(self, state: np.ndarray) -> Any:
        return self._ffi.from_buffer("int16_t[]", state, require_writable=True)

    def encode(self, coefficients: np.ndarray, row: int, room: int) -> tuple[bytes, int]:
        """Encode one packet of at most ``room`` bytes from pass row ``row`` on.

        Returns its bytes and the number of whole rows that they hold. Raises ValueError if ``room`` is below
        ``least_room``.
        """
        flat, scratch = self._flat(coefficients), self._scratch()
        out = self._ffi.new("uint8_t[]", room + 8)
        length = self._ffi.new("size_t *")
        rows = self._lib.pnc_planes_encode(self._model, flat, row, scratch.state, scratch.intervals, out, room, length)
        if rows < 0:
            raise ValueError(f"{room} bytes at pass row {row} of {self.rows}: no row can be coded")
        return bytes(self._ffi.buffer(out, length[0])), rows

    def packetize(
        self, coefficients: np.ndarray, room: int, most: int, row: int = 0, rest: int = 0, head: int = 0
    ) -> tuple[list[tuple[int, bytes]], int]:
        """Encode a stream from pass row ``row`` on, as packets of at most ``room`` bytes.

        Args:
            coefficients: of a whole picture.
            room: most bytes of a packet.
            most: most packets.
            row: where to begin: 0, or the row that an earlier call returned.
            rest: how many bytes of the packet after these to make, fewer than ``room``. They do not count as rows.
            head: how many bytes fewer the packet at row 0 has.

        Returns:
            The first pass row and the bytes of each packet; and the row after the last whole one.

        Raises:
            ValueError: a packet has less room than ``least_room``, or there is no such row.
        """
        flat, scratch, ffi = self._flat(coefficients), self._scratch(), self._ffi
        out = ffi.new("uint8_t[]", (most + 1) * room + 8)
        packets = ffi.new("struct pnc_planes_packet[]", most + 1)
        count = self._lib.pnc_planes_packetize(
            self._model, flat, row, most, rest, scratch.state, scratch.intervals, room, head, out, packets
        )
        if count < 0:
            raise ValueError(f"{room} bytes at pass row {row} of {self.rows}: no row can be coded")
        data, fields = ffi.buffer(out), ffi.unpack(ffi.cast("int32_t *", packets), 3 * count)  # row, rows, length
        starts = [i * room + (0 if fields[3 * i] else head) for i in range(count)]
        coded = [(fields[3 * i], data[at : at + fields[3 * i + 2]]) for i, at in enumerate(starts)]
        return coded, row + sum(fields[1::3])

    def decode(self, data: bytes, row: int, rows: int | None, state: np.ndarray) -> int | None:
        """Decode one packet into ``state`` and return the number of symbols.

        Args:
            data: the packet's bytes.
            row: the pass row at which the packet begins.
            rows: the number of whole rows that the packet must hold; None to decode every symbol that is decided.
            state: the state at ``row``; becomes that at ``row + rows``.

        Returns:
            The number of symbols; None if no encoder writes these bytes at this row. ``state`` is then undefined.
        """
        if rows is not None and rows < 0:
            return None
        count = self._lib.pnc_planes_decode(
            self._model, data, len(data), row, -1 if rows is None else rows, self._state(state)
        )
        return count if count >= 0 else None

    def state_at(self, coefficients: np.ndarray, row: int) -> np.ndarray:
        """Return the state at the start of pass row ``row``, as a decoder has it there."""
        state = self.new_state()
        if self._lib.pnc_planes_state_at(self._model, self._flat(coefficients), row, self._state(state)) != 0:
            raise ValueError(f"there is no pass row {row} of {self.rows}")
        return state

    def reconstruction(self, state: np.ndarray) -> np.ndarray:
        """Return the partial reconstruction in ``state``, int16 [channels, side, side].

        A value is four times the middle of the interval that the decoded planes leave for a coefficient.
        """
        return state.reshape(self.channels, self.side + 2, self.side + 2)[:, 1:-1, 1:-1]

    def missing_planes(self, row: int, more: int = 0) -> np.ndarray:
        """Count each coefficient's missing planes ``more`` symbols after ``row``: uint8 [channels, side, side]."""
        area = self.side * self.side
        whole, part = divmod(row * self.side + more, area)
        missing = np.repeat(self.plane_counts[:, None], area, axis=1)
        for channel, plane in self.order[:whole]:
            missing[channel] = plane
        if part:
            channel, plane = self.order[whole]
            missing[channel, :part] = plane
        return missing.reshape(self.channels, self.side, self.side)

    def contexts(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return context and symbol of all symbols of a stream, uint8 [passes, side * side] each; see planes.h."""
        contexts = np.empty((self.passes, self.side**2), np.uint8)
        symbols = np.empty_like(contexts)
        ffi = self._ffi
        self._lib.pnc_planes_contexts(
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
