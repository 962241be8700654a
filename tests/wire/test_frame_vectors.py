"""The frame vectors, read by the host's frame reader."""

from __future__ import annotations

from typing import Any

import pytest

from host.link.frames import FrameReader, write_frame
from tests.wire import vector_files

CASES = vector_files.cases("frames")
by_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def _state(reader: FrameReader) -> dict[str, int]:
    return {key: getattr(reader, key) for key in ("damaged", "missed", "missing", "next_seq")}


@by_case
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_the_reader_finds_what_the_vector_says_however_the_stream_is_cut(case: dict[str, Any], piece: int) -> None:
    stream = bytes.fromhex(case["stream"])
    reader = FrameReader()
    found = [frame for at in range(0, len(stream), piece) for frame in reader.feed(stream[at : at + piece])]
    assert [{"seq": f.seq, "packet": f.packet.hex()} for f in found] == case["packets"]
    assert _state(reader) == {key: case[key] for key in _state(reader)}


@by_case
def test_sound_frames_are_written_as_they_stand_in_the_stream(case: dict[str, Any]) -> None:
    stream = bytes.fromhex(case["stream"])
    for packet in case["packets"]:
        assert write_frame(packet["seq"], bytes.fromhex(packet["packet"])) in stream


def test_the_vectors_hold_sound_and_broken_streams() -> None:
    assert sum(case["damaged"] > 0 for case in CASES) >= 15
    assert sum(case["missed"] > 0 for case in CASES) >= 10
    assert sum(len(case["packets"]) for case in CASES) >= 300
