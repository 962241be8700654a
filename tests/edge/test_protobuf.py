"""The reader of protocol buffers: it reads what any writer writes, and any other bytes are refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.edge.protobuf import fields, read_varint

NUMBERS = st.integers(0, 2**64 - 1)
#: A field: its number, its kind and its value.
FIELD = st.one_of(
    st.tuples(st.integers(1, 2**29 - 1), st.just(0), NUMBERS),
    st.tuples(st.integers(1, 2**29 - 1), st.just(1), NUMBERS),
    st.tuples(st.integers(1, 2**29 - 1), st.just(2), st.binary(max_size=300)),
    st.tuples(st.integers(1, 2**29 - 1), st.just(5), st.integers(0, 2**32 - 1)),
)


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def written(message: list[tuple[int, int, int | bytes]]) -> bytes:
    """The fields one after the other."""
    parts = []
    for number, kind, value in message:
        parts.append(varint(number << 3 | kind))
        if isinstance(value, bytes):
            parts.append(varint(len(value)) + value)
        else:
            parts.append(varint(value) if kind == 0 else value.to_bytes(8 if kind == 1 else 4, "little"))
    return b"".join(parts)


@given(st.lists(FIELD, max_size=12))
def test_what_was_written_is_read(message: list[tuple[int, int, int | bytes]]) -> None:
    expected = [(number, value) for number, _, value in message]
    assert list(fields(written(message))) == expected
    viewed = [
        (number, bytes(value) if isinstance(value, memoryview) else value)
        for number, value in fields(memoryview(written(message)))
    ]
    assert viewed == expected


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert all(number >= 0 for number, _ in fields(data))


@given(st.lists(FIELD, min_size=1, max_size=5), st.data())
def test_a_message_cut_inside_a_field_is_refused(
    message: list[tuple[int, int, int | bytes]], data: st.DataObject
) -> None:
    whole = written(message)
    start = len(written(message[:-1]))
    cut = data.draw(st.integers(start + 1, len(whole) - 1)) if len(whole) - start > 1 else start + 1
    if cut < len(whole):
        with pytest.raises(ValueError, match="truncated"):
            list(fields(whole[:cut]))


@given(st.binary(min_size=10, max_size=14).map(lambda data: bytes(byte | 0x80 for byte in data)))
def test_a_number_of_more_than_64_bits_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        read_varint(data + b"\x7f", 0)
