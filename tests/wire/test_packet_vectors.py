"""The packet vectors, read and written by the generated module."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from host.wire import CONTROL, MalformedError, Picture, Unknown, parse
from tests.wire import vector_files
from tests.wire.packet_cases import name_of

CASES = vector_files.cases("packets")
BROKEN = ("malformed", "unknown")
SOUND = [case for case in CASES if case["is"] not in BROKEN]


def _cases(kind: str) -> pytest.MarkDecorator:
    chosen = [case for case in CASES if case["is"] == kind]
    assert chosen
    return pytest.mark.parametrize("case", chosen, ids=[case["name"] for case in chosen])


@pytest.mark.parametrize("case", SOUND, ids=[case["name"] for case in SOUND])
def test_a_sound_packet_reads_as_its_fields_and_writes_as_its_bytes(case: dict[str, Any]) -> None:
    packet = parse(bytes.fromhex(case["packet"]))
    assert not isinstance(packet, Unknown)
    assert case["is"] == ("picture" if isinstance(packet, Picture) else name_of(type(packet)))
    values = {f.name: getattr(packet, f.name) for f in fields(packet)}
    assert {name: value.hex() if isinstance(value, bytes) else value for name, value in values.items()} == case[
        "fields"
    ]
    assert packet.pack().hex() == case.get("written", case["packet"])


@_cases("malformed")
def test_a_malformed_packet_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        parse(bytes.fromhex(case["packet"]))


@_cases("unknown")
def test_an_unknown_packet_is_known_to_be_unknown(case: dict[str, Any]) -> None:
    packet = bytes.fromhex(case["packet"])
    assert parse(packet) == Unknown(packet[0])


def test_the_vectors_hold_every_packet() -> None:
    assert {case["is"] for case in SOUND} == {"picture", *(name_of(packet) for packet in CONTROL.values())}
