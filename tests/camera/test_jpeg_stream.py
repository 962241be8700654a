"""Pictures in a stream of JPEG files, however the stream is cut into reads."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from host.camera import jpeg_stream
from host.camera.jpeg_stream import JpegStream
from tests.camera.films import grey, jpeg
from tests.codec.conftest import drawing

DRAWN = Image.fromarray(drawing(3))


def with_preview() -> bytes:
    """Return a JPEG file whose EXIF data hold another JPEG file, as those of cameras do."""
    data, preview = jpeg(DRAWN), jpeg(grey(3))
    segment = b"Exif\0\0" + preview
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def with_restarts() -> bytes:
    """Return a JPEG file with restart marks in its scan."""
    return jpeg(DRAWN, restart_marker_blocks=2)


PICTURES = {
    "baseline": jpeg(DRAWN),
    "progressive": jpeg(DRAWN, progressive=True),
    "with a preview": with_preview(),
    "with restarts": with_restarts(),
    "grey": jpeg(grey(7)),
}
BETWEEN = {
    "nothing": b"",
    "HTTP": b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1234\r\n\r\n",
    "a beginning": b"\xff\xd8 no picture \xff",
    "noise": bytes(range(256)) * 3,
}


def test_the_pictures_are_what_they_are_called() -> None:
    assert PICTURES["with a preview"].count(b"\xff\xd8\xff") == 2
    assert b"\xff\xd3" in PICTURES["with restarts"]
    assert PICTURES["progressive"].count(b"\xff\xda") > 3
    for data in PICTURES.values():
        Image.open(io.BytesIO(data)).load()


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("length", [1, 2, 3, 100, 65536])
def test_every_picture_is_found_whole_and_once(between: str, length: int) -> None:
    data = b"".join(BETWEEN[between] + picture for picture in PICTURES.values()) + BETWEEN[between]
    stream = JpegStream()
    found = [picture for at in range(0, len(data), length) for picture in stream.feed(data[at : at + length])]
    assert found == list(PICTURES.values())
    assert len(stream.rest()) <= len(BETWEEN[between])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(1, 400), max_size=30), st.booleans())
def test_after_any_bytes_pictures_are_found_again(noise: bytes, lengths: list[int], cut: bool) -> None:
    """Noise may swallow the picture after it, if it declares a length: never the second one after it."""
    good = PICTURES["grey"]
    data = (good[: len(good) // 2] if cut else good) + noise + good * 120
    stream, found, at = JpegStream(), [], 0
    for length in [*lengths, len(data)]:
        found += stream.feed(data[at : at + length])
        at += length
    assert found.count(good) >= 1
    assert found[-1] == good


def test_a_picture_that_is_cut_off_is_dropped_at_the_next_and_is_the_rest_at_the_end() -> None:
    stream = JpegStream()
    whole, other = PICTURES["baseline"], PICTURES["grey"]
    assert stream.feed(whole[:-400] + other) == [other]
    assert stream.feed(whole[:-1]) == []
    assert stream.rest() == whole[:-1]


def test_a_picture_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_stream, "MOST_BYTES", 10_000)
    stream = JpegStream()
    for _ in range(100):
        assert stream.feed(b"\xff\xd8\xff\xda\0\2" + bytes(1000)) == []
    assert len(stream.rest()) <= 10_000
    assert stream.feed(PICTURES["grey"])[-1:] == [PICTURES["grey"]]
