"""Tables come out of dahuffman's pickles without anything in them being executed."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import CodecError
from host.reference.huffman import END
from host.reference.pickles import MAX_BYTES, read_table
from tests.reference.savedmodels import complaint

dahuffman = pytest.importorskip("dahuffman", reason="the comparison needs the extra pnc-link[test]")
RNG = np.random.default_rng(5)
COUNTS = RNG.integers(1, 10**6, 64).tolist()


def codec(kind: Callable[[int], Any] = int) -> dahuffman.HuffmanCodec:
    return dahuffman.HuffmanCodec.from_frequencies({kind(symbol): count for symbol, count in enumerate(COUNTS)})


def saved(path: Path, content: Any, protocol: int | None = None) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def as_saved(made: dahuffman.HuffmanCodec) -> dict[str, Any]:
    """What HuffmanCodec.save pickles."""
    return {"code_table": made.get_code_table(), "type": type(made), "concat": list}


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.int32])
def test_tables_that_dahuffman_saved_are_read(tmp_path: Path, kind: Callable[[int], Any]) -> None:
    made = codec(kind)
    made.save(tmp_path / "table", metadata=None)
    table = read_table(tmp_path / "table")
    for symbol, (bits, code) in made.get_code_table().items():
        place = int(symbol) if isinstance(symbol, (int, np.integer)) else END
        assert (table.bits[place], table.codes[place]) == (bits, code)
    symbols = RNG.integers(0, 64, 1024)
    assert table.encode(symbols) == made.encode(symbols)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_version_that_python_3_wrote_is_read(tmp_path: Path, protocol: int) -> None:
    path = saved(tmp_path / "table", as_saved(codec(np.int64)), protocol)
    assert read_table(path).bits.min() > 0


def test_names_of_numpy_before_2_are_read(tmp_path: Path) -> None:
    content = pickle.dumps(as_saved(codec(np.int64)), 3)
    old = content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert old != content
    (tmp_path / "table").write_bytes(old)
    assert read_table(tmp_path / "table").bits.min() > 0


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, what: Callable[..., Any], *given: Any) -> None:
        self._call = (what, given)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("what", [os.system, eval, exec, open, __import__, getattr])
def test_nothing_is_called(tmp_path: Path, what: Callable[..., Any], protocol: int) -> None:
    mark = tmp_path / "called"
    hostile = Calls(what, f"touch {mark}" if what is os.system else f"__import__('os').mkdir({str(mark)!r})")
    path = saved(tmp_path / "table", as_saved(codec()) | {"concat": hostile}, protocol)
    with pytest.raises(CodecError, match=r"asks for|which no table needs") as raised:
        read_table(path)
    assert not mark.exists()
    assert "\n" not in str(raised.value)


def deep(levels: int) -> bytes:
    """A tuple in a tuple in a tuple, as the key of a dictionary."""
    return b"\x80\x04}(" + b")" + b"\x85" * levels + b"K\x00u."


END_NAME = b"cdahuffman.huffmancodec\n_EndOfFileSymbol\n"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "truncated|not a pickle"),
    "text": (b"code_table", "not a pickle|which no table needs"),
    "no STOP": (b"\x80\x04}", "not a pickle|truncated"),
    "a list": (pickle.dumps([1, 2]), "which no table needs"),
    "a number": (pickle.dumps(7), "no code table"),
    "an empty dictionary": (pickle.dumps({}), "no code table"),
    "another codec": (pickle.dumps({"code_table": {}, "type": list}), "no codec of dahuffman"),
    "no table": (pickle.dumps({"code_table": 3, "type": dahuffman.HuffmanCodec}), "no code table"),
    "a huge memo": (b"\x80\x04}r" + struct.pack("<I", 0xFFFFFFFF) + b".", "remembers more than a table does"),
    "a memo that is not there": (b"\x80\x04j" + struct.pack("<I", 0xFFFFFFFF) + b".", "not a valid pickle"),
    "a huge string": (b"\x80\x04X" + struct.pack("<I", 0xFFFFFFF0) + b"a.", "not a pickle"),
    "a huge number": (b"\x80\x04\x8b" + struct.pack("<i", 0x7FFFFFF0) + b"a.", "not a pickle"),
    "a huge frame": (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f}.", "not a valid pickle"),
    "deep nesting": (deep(60_000), "more than 4096 instructions"),
    "many marks": (b"\x80\x04" + b"(" * 60_000 + b".", "more than 4096 instructions"),
    "pops beyond the bottom": (b"\x80\x04\x87.", "not a valid pickle"),
    "a tuple without a mark": (b"\x80\x04t.", "not a valid pickle"),
    "fills a number": (b"\x80\x04K\x01(K\x01K\x02u.", "not a valid pickle"),
    "half an item": (b"\x80\x04}(K\x01u.", "not a valid pickle"),
    "a name of numbers": (b"\x80\x04K\x01K\x02\x93.", "not a valid pickle"),
    "a name with line ends": (b"\x80\x04X\x03\x00\x00\x00a\nbX\x01\x00\x00\x00c\x93.", r"asks for 'a\\nb\.c'"),
    "changes a dictionary": (b"\x80\x04}}b.", "not a valid pickle"),
    "calls a number": (b"\x80\x04K\x01)R.", "not a valid pickle"),
    "nesting within the limit": (deep(4000), "no code table"),
    "marks within the limit": (b"\x80\x04" + b"(" * 4000 + b".", "not a valid pickle"),
    "changes an end symbol": (b"\x80\x04%s)\x81}b." % END_NAME, "it changes an end symbol"),
    "changes the class of end symbols": (
        b"\x80\x04%sN}X\x01\x00\x00\x00aK\x01s\x86b." % END_NAME,
        "not a valid pickle",
    ),
    "changes a type of numbers": (
        b"\x80\x04cnumpy\ndtype\nX\x02\x00\x00\x00i8\x85R(K\x03X\x01\x00\x00\x00>tb.",
        "not little-endian",
    ),
    "calls the type of all types": (b"\x80\x04cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R.", "of type 'O', not integers"),
    "a number of another size": (
        b"\x80\x04cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00i8\x85RC\x01a\x86R.",
        "a number of type i8 has 1 bytes",
    ),
    "a number of no type": (
        b"\x80\x04cnumpy._core.multiarray\nscalar\nK\x01C\x01a\x86R.",
        "a number is not an integer of numpy's",
    ),
    "calls list": (b"\x80\x04cbuiltins\nlist\n)R.", "not a valid pickle"),
    "a persistent object": (b"\x80\x04K\x01Q.", "which no table needs"),
    "an extension": (b"\x80\x04\x82\x01.", "which no table needs"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_pickle_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, words = HOSTILE[case]
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(CodecError, match=words) as raised:
        read_table(tmp_path / "table")
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "table"))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({0: (1, 0)}, "its end has one"),
        ({0: (1, 0), 64: (1, 1)}, "no whole number from 0 to 63"),
        ({0: (1, 0), 99: (1, 1)}, "a code for 99"),
        ({"a": (1, 0)}, "no whole number from 0 to 63"),
        ({True: (1, 0)}, "no whole number from 0 to 63"),
        ({0: (1, 0, 0)}, "not a pair"),
        ({0: (True, False)}, "not a pair"),
        ({0: (1 << 200, 1 << 300)}, "does not fit"),
        ({0: 3}, "not a pair"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: dict[Any, Any], words: str) -> None:
    path = saved(tmp_path / "table", {"code_table": table, "type": dahuffman.HuffmanCodec, "concat": list})
    with pytest.raises(CodecError, match=words):
        read_table(path)


def test_numbers_of_another_byte_order_are_refused(tmp_path: Path) -> None:
    made = codec(np.dtype(">i8").type)
    content = pickle.dumps(as_saved(made), 3).replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00>")
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(CodecError, match="not little-endian"):
        read_table(tmp_path / "table")


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="table: no such file"):
        read_table(tmp_path / "table")
    (tmp_path / "table").write_bytes(bytes(MAX_BYTES + 1))
    with pytest.raises(CodecError, match="table: larger than 64 kB"):
        read_table(tmp_path / "table")
    with pytest.raises(CodecError, match="cannot be read"):
        read_table(tmp_path)


SOUND = pickle.dumps(as_saved(codec(np.int64)))
OPCODES = b"".join(step.code.encode("latin1") for step in pickletools.opcodes)


@settings(max_examples=150, deadline=None)
@given(
    cut=st.integers(0, len(SOUND)),
    place=st.integers(0, len(SOUND) - 1),
    put=st.binary(max_size=8) | st.lists(st.sampled_from(list(OPCODES)), max_size=8).map(bytes),
)
def test_any_damage_gives_a_table_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int, place: int, put: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    content = SOUND[:place] + put + SOUND[place + len(put) :]
    path.write_bytes(content if cut % 2 else content[:cut])
    said = complaint(lambda: read_table(path))
    assert said is None or (str(path) in said and "\n" not in said)
