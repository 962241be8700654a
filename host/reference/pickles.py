"""Huffman tables out of pickles that the Python package dahuffman wrote, executing nothing in them.

A pickle is a program for a stack machine that may call anything. Here the few instructions that such a table needs are
interpreted, on stand-ins: a name is a pair of words, and what calls of the handful of known names give is worked out
here. Everything else is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..codec.errors import CodecError
from .huffman import END, HuffmanTable

#: The published tables have 2 kB.
MAX_BYTES = 1 << 16
_CODEC = "dahuffman.huffmancodec"
_INTEGERS = {"u1": 1, "i1": 1, "u2": 2, "i2": 2, "u4": 4, "i4": 4, "u8": 8, "i8": 8}


@dataclass(frozen=True)
class _Name:
    """Something in a module; never looked up."""

    module: str
    name: str


@dataclass
class _IntegerType:
    """numpy's dtype of an integer."""

    kind: str
    order: str = "="


class _End:
    """The end symbol."""


class _Mark:
    """Where on the stack the items of a container begin."""


_NAMES = {
    _Name("numpy", "dtype"),
    _Name("numpy.core.multiarray", "scalar"),
    _Name("numpy._core.multiarray", "scalar"),
    _Name(_CODEC, "_EndOfFileSymbol"),
    _Name(_CODEC, "HuffmanCodec"),
    _Name(_CODEC, "PrefixCodec"),
    _Name("builtins", "list"),
    _Name("builtins", "bytes"),
}
_CODECS = (_Name(_CODEC, "HuffmanCodec"), _Name(_CODEC, "PrefixCodec"))


def read_table(path: Path) -> HuffmanTable:
    """The Huffman table in ``path``. Raises CodecError, one line that names the file, for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CodecError(f"{path}: no such file") from None
    except OSError as error:
        raise CodecError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(content) > MAX_BYTES:
        raise CodecError(f"{path}: larger than {MAX_BYTES >> 10} kB, which no Huffman table is")
    try:
        return HuffmanTable.from_codes(_codes(_Machine().run(content)))
    except (ValueError, CodecError) as error:
        raise CodecError(f"{path}: no Huffman table that dahuffman wrote: {error}") from None


def _codes(saved: Any) -> dict[int, tuple[int, int]]:
    """Symbol -> (bits, code) from what HuffmanCodec.save writes."""
    if not isinstance(saved, dict) or not isinstance(saved.get("code_table"), dict):
        raise ValueError("it holds no code table")
    if saved.get("type") not in _CODECS:
        raise ValueError("it holds no codec of dahuffman")
    codes: dict[int, tuple[int, int]] = {}
    for symbol, code in saved["code_table"].items():
        if not (isinstance(code, tuple) and len(code) == 2 and all(type(part) is int for part in code)):
            raise ValueError("a code is not a pair of whole numbers")
        place = END if isinstance(symbol, _End) else symbol
        if type(place) is not int or (place == END and place is symbol) or place in codes:
            raise ValueError("a symbol is no whole number from 0 to 63, or stands twice")
        codes[place] = code
    return codes


class _Machine:
    """As much of pickle's machine as a table needs. Raises ValueError for everything beyond it."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._steps: dict[str, Callable[[Any], None]] = {
            **dict.fromkeys(("PROTO", "FRAME"), self._skip),
            **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), self._stack.append),
            **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINBYTES", "BINBYTES"), self._stack.append),
            "NONE": lambda _: self._stack.append(None),
            "NEWTRUE": lambda _: self._stack.append(True),
            "NEWFALSE": lambda _: self._stack.append(False),
            "MARK": lambda _: self._stack.append(_Mark()),
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "EMPTY_TUPLE": lambda _: self._stack.append(()),
            "TUPLE1": lambda _: self._stack.append(tuple(self._take(1))),
            "TUPLE2": lambda _: self._stack.append(tuple(self._take(2))),
            "TUPLE3": lambda _: self._stack.append(tuple(self._take(3))),
            "TUPLE": lambda _: self._stack.append(tuple(self._to_mark())),
            "SETITEM": lambda _: self._set(self._take(2)),
            "SETITEMS": lambda _: self._set(self._to_mark()),
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._remember),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), self._recall),
            "GLOBAL": lambda words: self._name(*words.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self._name(*self._take(2)),
            "REDUCE": lambda _: self._call(*self._take(2)),
            "NEWOBJ": lambda _: self._call(*self._take(2)),
            "BUILD": lambda _: self._build(*self._take(2)),
        }

    def run(self, program: bytes) -> Any:
        """What the pickle holds."""
        for name, argument in _instructions(program):
            if name == "STOP":
                (result,) = self._take(1)
                return result
            if name not in self._steps:
                raise ValueError(f"its instruction {name} is none that a table needs")
            self._steps[name](argument)
        raise ValueError("it is cut short")

    def _skip(self, _: Any) -> None:
        """Which version of pickle, and how long a part is: not needed."""

    def _take(self, count: int) -> list[Any]:
        taken = self._stack[len(self._stack) - count :] if count <= len(self._stack) else []
        if len(taken) != count or any(isinstance(item, _Mark) for item in taken):
            raise ValueError("it takes more than it has")
        del self._stack[-count:]
        return taken

    def _to_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if isinstance(self._stack[place], _Mark):
                items = self._stack[place + 1 :]
                del self._stack[place:]
                return items
        raise ValueError("it takes more than it has")

    def _set(self, items: list[Any]) -> None:
        if len(items) % 2 or not self._stack or not isinstance(self._stack[-1], dict):
            raise ValueError("it fills what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (int, str, _End)):
                raise ValueError("a key is neither a number nor a word")
            self._stack[-1][key] = value

    def _remember(self, place: int) -> None:
        if not self._stack:
            raise ValueError("it takes more than it has")
        self._memo[place] = self._stack[-1]

    def _recall(self, place: int) -> None:
        if place not in self._memo:
            raise ValueError("it takes more than it has")
        self._stack.append(self._memo[place])

    def _name(self, module: Any, name: Any = "") -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("a name is no word")
        if _Name(module, name) not in _NAMES:
            raise ValueError(f"it asks for {f'{module}.{name}'[:80]!a}, which no table needs")
        self._stack.append(_Name(module, name))

    def _call(self, what: Any, given: Any) -> None:
        self._stack.append(_called(what, given))

    def _build(self, what: Any, state: Any) -> None:
        """Sets the byte order of an integer type."""
        if not (isinstance(what, _IntegerType) and isinstance(state, tuple) and len(state) > 1):
            raise ValueError("it changes what no table has")
        if state[1] not in ("<", "|", "="):
            raise ValueError("its numbers are not little-endian")
        what.order = state[1]
        self._stack.append(what)


def _instructions(program: bytes) -> Iterator[tuple[str, Any]]:
    steps = pickletools.genops(program)
    while True:
        try:
            step, argument, _ = next(steps)
        except StopIteration:
            return
        except Exception as error:  # what broken arguments raise is not documented
            raise ValueError(f"it is no pickle ({str(error)[:80]})") from None
        yield step.name, argument


def _called(what: Any, given: Any) -> Any:
    """What a call in a table's pickle gives: an integer type, a whole number, or the end symbol."""
    if isinstance(what, _Name) and isinstance(given, tuple):
        if what.name == "_EndOfFileSymbol" and not given:
            return _End()
        if what.name == "dtype" and given and isinstance(given[0], str) and given[0] in _INTEGERS:
            return _IntegerType(given[0])
        if what.name == "scalar" and len(given) == 2 and isinstance(given[0], _IntegerType):
            kind, content = given[0].kind, given[1]
            if isinstance(content, bytes) and len(content) == _INTEGERS[kind]:
                return int.from_bytes(content, "little", signed=kind[0] == "i")
    raise ValueError("it makes what no table has")
