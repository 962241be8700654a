"""C and Python read and write the same bytes: CRC, COBS, frames, and the naming of gaps."""

from __future__ import annotations

import ctypes
import zlib

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.frames import FrameReader, write_frame
from host.wire import MAX_FRAME, MAX_PACKET
from tests.core.core_build import HERE, Workshop, filled


@pytest.fixture(scope="module")
def c(workshop: Workshop) -> ctypes.CDLL:
    """The core as a library."""
    library = ctypes.CDLL(str(workshop.shared_library(HERE / "shim.c", "agreement.so")))
    for name in ("pnc_cobs_encode", "pnc_frame_write", "shim_reader_bytes", "shim_feed"):
        getattr(library, name).restype = ctypes.c_size_t
    library.pnc_crc32.restype = ctypes.c_uint32
    return library


def size(n: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(n)


class CoreReader:
    """The frame reader in C, with the face of the one in Python."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._c = library
        self._reader = ctypes.create_string_buffer(library.shim_reader_bytes())
        self._c.pnc_frame_reader_init(self._reader)

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        out = ctypes.create_string_buffer(len(data) + MAX_FRAME)
        log = filled(out, self._c.shim_feed(self._reader, data, size(len(data)), out))
        frames = []
        while log:
            end = 2 + log[1]
            frames.append((log[0], log[2:end]))
            log = log[end:]
        return frames

    @property
    def state(self) -> tuple[int, ...]:
        out = (ctypes.c_uint32 * 4)()
        self._c.shim_reader_state(self._reader, out)
        return tuple(out)


RUNS = st.builds(lambda byte, n: bytes([byte]) * n, st.sampled_from([0, 1, 0xFF]), st.integers(0, 300))
PIECES = st.binary(max_size=40) | RUNS
BLOBS = st.lists(PIECES, max_size=6).map(b"".join)
PACKETS = BLOBS.map(lambda blob: (blob or b"x")[:MAX_PACKET])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=BLOBS, more=BLOBS)
def test_crc_is_the_one_of_zlib(c: ctypes.CDLL, data: bytes, more: bytes) -> None:
    crc = c.pnc_crc32(ctypes.c_uint32(0), data, size(len(data)))
    assert crc == zlib.crc32(data)
    assert c.pnc_crc32(ctypes.c_uint32(crc), more, size(len(more))) == zlib.crc32(data + more)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=BLOBS)
def test_cobs_is_the_one_of_the_package(c: ctypes.CDLL, data: bytes) -> None:
    out = ctypes.create_string_buffer(2 * len(data) + 2)
    assert filled(out, c.pnc_cobs_encode(data, size(len(data)), out)) == cobs.encode(data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seq=st.integers(0, 255), packet=PACKETS)
def test_both_write_the_same_frame(c: ctypes.CDLL, seq: int, packet: bytes) -> None:
    out = ctypes.create_string_buffer(MAX_FRAME + 1)
    written = c.pnc_frame_write(ctypes.c_uint8(seq), packet, size(len(packet)), out)
    assert filled(out, written) == write_frame(seq, packet)


FRAMES = st.builds(write_frame, st.integers(0, 255), PACKETS)


@st.composite
def damaged_frames(draw: st.DrawFn) -> bytes:
    """A frame with one byte changed, cut out or put in."""
    frame = bytearray(draw(FRAMES))
    at = draw(st.integers(0, len(frame) - 1))
    frame[at : at + draw(st.integers(0, 1))] = draw(st.binary(max_size=1))
    return bytes(frame)


STREAMS = st.lists(st.one_of(FRAMES, FRAMES, damaged_frames(), PIECES, st.just(b"\0")), max_size=12)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(stream=STREAMS, cut=st.integers(1, 300))
def test_both_find_the_same_frames_in_any_stream(c: ctypes.CDLL, stream: list[bytes], cut: int) -> None:
    data = b"".join(stream)
    core, host = CoreReader(c), FrameReader()
    for at in range(0, len(data), cut):
        piece = data[at : at + cut]
        assert core.feed(piece) == [(frame.seq, frame.packet) for frame in host.feed(piece)]
        assert core.state == (host.next_seq, host.missing, host.damaged, host.missed)
