"""Reads Huffman tables from pickles that the Python package dahuffman wrote, without executing anything in them.

A pickle is a program: it may name any function of any module and have it called. Two barriers keep that out. The
instructions are listed first, and a pickle with any instruction that a table does not need, or with too many of them,
is refused unread. Then a restricted ``pickle.Unpickler`` resolves the few names that a table mentions, each to a
stand-in of this module that can do nothing but be read; any other name ends the reading before anything is called.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..codec.errors import CodecError
from ..files import read_file
from .huffman import END, HuffmanTable

#: The published tables have 2 kB.
MAX_BYTES = 1 << 16
#: A table of 65 codes takes some 900 instructions. The limit also bounds how deep the unpickler can nest.
MAX_INSTRUCTIONS = 4096
#: The unpickler allocates its memo up to the highest index in use.
MAX_MEMO = 1 << 16
_INTEGERS = {"u1": 1, "i1": 1, "u2": 2, "i2": 2, "u4": 4, "i4": 4, "u8": 8, "i8": 8}
_INSTRUCTIONS = {
    *("PROTO", "FRAME", "STOP"),
    *("MARK", "NONE", "NEWTRUE", "NEWFALSE"),
    *("BININT", "BININT1", "BININT2", "LONG1"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"),
    *("EMPTY_DICT", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("SETITEM", "SETITEMS"),
    *("MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
}


class _End:
    """Stand-in for dahuffman's end symbol."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        # Also what keeps a pickle from setting attributes of this class: found there, it lacks an argument.
        raise pickle.UnpicklingError("it changes an end symbol")


class _Constant:
    """Stand-in for a name that a table mentions and never calls."""

    __slots__ = ()


class _IntegerType(NamedTuple):
    """Stand-in for numpy's dtype of an integer; ``kind`` is a key of ``_INTEGERS``."""

    kind: str

    def __setstate__(self, state: object) -> None:
        """Accept the state of a little-endian dtype, which changes nothing."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", "|", "="):
            raise pickle.UnpicklingError("its numbers are not little-endian")


class _MakeType:
    """Stand-in for ``numpy.dtype``; has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, kind: object, *_: object) -> _IntegerType:
        if not isinstance(kind, str) or kind not in _INTEGERS:
            raise pickle.UnpicklingError(f"its numbers are of type {kind!a:.40}, not integers")
        return _IntegerType(kind)


class _MakeScalar:
    """Stand-in for numpy's function that makes a scalar; has no attribute that a pickle could set."""

    __slots__ = ()

    def __call__(self, kind: object, content: object) -> int:
        if not isinstance(kind, _IntegerType) or not isinstance(content, bytes):
            raise pickle.UnpicklingError("a number is not an integer of numpy's")
        if len(content) != _INTEGERS[kind.kind]:
            raise pickle.UnpicklingError(f"a number of type {kind.kind} has {len(content)} bytes")
        return int.from_bytes(content, "little", signed=kind.kind[0] == "i")


_CODEC, _CONTAINER = _Constant(), _Constant()
_ALLOWED: dict[tuple[str, str], Callable[..., Any] | _Constant] = {
    ("numpy", "dtype"): _MakeType(),
    ("numpy.core.multiarray", "scalar"): _MakeScalar(),
    ("numpy._core.multiarray", "scalar"): _MakeScalar(),
    ("dahuffman.huffmancodec", "_EndOfFileSymbol"): _End,
    ("dahuffman.huffmancodec", "HuffmanCodec"): _CODEC,
    ("dahuffman.huffmancodec", "PrefixCodec"): _CODEC,
    ("builtins", "list"): _CONTAINER,
    ("builtins", "bytes"): _CONTAINER,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            words = f"{module}.{name}"[:80]
            raise pickle.UnpicklingError(f"it asks for {words!a}, which no table needs") from None


def read_table(path: Path) -> HuffmanTable:
    """Return the Huffman table in ``path``. Raises CodecError, in one line that names the file, for anything else."""
    content = read_file(path, MAX_BYTES, "a Huffman table", CodecError)
    try:
        _check_instructions(content)
        return HuffmanTable.from_codes(_codes(_load(content)))
    except (ValueError, CodecError) as error:
        raise CodecError(f"{path}: not a Huffman table that dahuffman wrote: {error}") from None


def _check_instructions(program: bytes) -> None:
    """Raise ValueError for a pickle with an instruction that no table needs, or with too many."""
    instructions = pickletools.genops(program)
    for count in range(MAX_INSTRUCTIONS):
        try:
            instruction, argument, _ = next(instructions)
        except StopIteration:
            return
        except Exception as error:  # what broken arguments raise is not documented
            raise ValueError(f"it is not a pickle ({str(error)[:80]})") from None
        if instruction.name not in _INSTRUCTIONS:
            raise ValueError(f"it has the instruction {instruction.name}, which no table needs")
        if instruction.name.endswith("BINPUT") and not (isinstance(argument, int) and argument <= MAX_MEMO):
            raise ValueError(f"its instruction {count} remembers more than a table does")
    raise ValueError(f"it has more than {MAX_INSTRUCTIONS} instructions")


def _load(content: bytes) -> Any:
    """Return what the pickle holds, made of stand-ins. Raises ValueError where it cannot be unpickled."""
    try:
        return _Unpickler(io.BytesIO(content)).load()
    # A damaged pickle may raise nearly anything (the pickle module's documentation says so).
    except Exception as error:
        words = str(error).partition("\n")[0][:120] or type(error).__name__
        raise ValueError(f"it is not a valid pickle: {words}") from None


def _codes(saved: Any) -> dict[int, tuple[int, int]]:
    """Return symbol -> (bits, code) from what HuffmanCodec.save writes."""
    if not isinstance(saved, dict) or not isinstance(saved.get("code_table"), dict):
        raise ValueError("it holds no code table")
    if saved.get("type") is not _CODEC:
        raise ValueError("it holds no codec of dahuffman")
    codes: dict[int, tuple[int, int]] = {}
    for symbol, code in saved["code_table"].items():
        if not (isinstance(code, tuple) and len(code) == 2 and all(type(part) is int for part in code)):
            raise ValueError("a code is not a pair of whole numbers")
        place = END if isinstance(symbol, _End) else symbol
        if type(place) is not int or (place == END and place is symbol) or place in codes:
            raise ValueError("a symbol is no whole number from 0 to 63, or occurs twice")
        codes[place] = code
    return codes
