"""Streams of serial frames, intact and damaged."""

from __future__ import annotations

import zlib
from typing import Any

from cobs import cobs

from host.wire import Ping, StatisticsRequest

PING = Ping(hop=1, token=0x00FF0001, origin_us=0).pack()
SHORT = StatisticsRequest().pack()
FULL = bytes([0x80, 7, 1, 3, 0x34, 0x12, 0x2C, 0x01]) + bytes(range(1, 237))
FULL_OF_FF = bytes([0xFF]) * 244
FULL_OF_ZEROS = bytes(244)


def frame(seq: int, packet: bytes, crc_flip: int = 0) -> bytes:
    """Return the frame of a packet; ``crc_flip`` damages its CRC."""
    body = bytes([seq]) + packet
    crc = zlib.crc32(body) ^ crc_flip
    return bytes(cobs.encode(body + crc.to_bytes(4, "little"))) + b"\0"


def stuffed(body: bytes) -> bytes:
    """Return bytes with COBS and a closing zero, but without sequence number and CRC."""
    return bytes(cobs.encode(body)) + b"\0"


def case(
    name: str,
    stream: bytes,
    packets: list[tuple[int, bytes]],
    damaged: int = 0,
    missed: int = 0,
    missing: int = 0,
    next_seq: int | None = None,
) -> dict[str, Any]:
    """Return a case; ``next_seq`` defaults to one past the last packet."""
    expected = (packets[-1][0] + 1) % 256 if packets else 0
    return {
        "name": name,
        "stream": stream.hex(),
        "packets": [{"seq": seq, "packet": packet.hex()} for seq, packet in packets],
        "damaged": damaged,
        "missed": missed,
        "missing": missing,
        "next_seq": expected if next_seq is None else next_seq,
    }


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    good = frame(0, PING)
    after = frame(1, SHORT)
    return [*_sound(good, after), *_broken(good, after), *_gaps()]


def _sound(good: bytes, after: bytes) -> list[dict[str, Any]]:
    both = [(0, PING), (1, SHORT)]
    return [
        case("one_frame", good, [(0, PING)]),
        case("two_frames", good + after, both),
        case("shortest_packet", frame(0, b"\x0b"), [(0, b"\x0b")]),
        case("packet_of_one_zero", frame(0, b"\0"), [(0, b"\0")]),
        case("full_packet", frame(0, FULL), [(0, FULL)]),
        case("full_packet_of_0xff", frame(0, FULL_OF_FF), [(0, FULL_OF_FF)]),
        case("full_packet_of_zeros", frame(0, FULL_OF_ZEROS), [(0, FULL_OF_ZEROS)]),
        case("run_of_0xff_in_frames_in_a_row", b"".join(frame(i, b"\xff" * (236 + i)) for i in range(9)),
             [(i, b"\xff" * (236 + i)) for i in range(9)]),
        case("zeros_before_between_and_after", b"\0\0" + good + b"\0\0\0" + after + b"\0", both),
        case("empty_stream", b"", []),
        case("nothing_but_zeros", bytes(20), []),
        case("frame_not_yet_ended", good[:-1], []),
    ]  # fmt: skip


def _broken(good: bytes, after: bytes) -> list[dict[str, Any]]:
    first_lost = {"missed": 1, "missing": 2}
    flipped = bytearray(good)
    flipped[5] ^= 0x10
    # COBS knows blocks of 254 bytes; no frame is that long, so each of these is one frame too long.
    too_long = [(f"body_of_{n}_bytes_without_zero", stuffed(bytes([0xAA]) * n)) for n in (253, 254, 255)]
    return [
        case("truncated_then_ended", good[:8] + b"\0" + after, [(1, SHORT)], damaged=1, **first_lost),
        case("truncated_and_joined_with_the_next", good[:-3] + after + frame(2, PING), [(2, PING)],
             damaged=1, missed=2, missing=6),
        case("joined_by_a_lost_zero", good[:-1] + after + frame(2, PING), [(2, PING)], damaged=1, missed=2, missing=6),
        case("first_byte_lost", good[1:] + after, [(1, SHORT)], damaged=1, **first_lost),
        case("byte_doubled", good[:4] + good[3:] + after, [(1, SHORT)], damaged=1, **first_lost),
        case("one_bit_flipped", bytes(flipped) + after, [(1, SHORT)], damaged=1, **first_lost),
        case("bad_crc", frame(0, PING, crc_flip=1) + after, [(1, SHORT)], damaged=1, **first_lost),
        case("last_bit_of_the_crc", frame(0, PING, crc_flip=1 << 31) + after, [(1, SHORT)], damaged=1, **first_lost),
        case("zero_in_the_middle", good[:6] + b"\0" + good[6:] + after, [(1, SHORT)], damaged=2, **first_lost),
        case("garbage_before_a_frame", bytes(range(255, 0, -1)) + b"\0" + good, [(0, PING)], damaged=1),
        case("garbage_that_runs_into_a_frame", b"\x41\x42\x43" + good + after, [(1, SHORT)], damaged=1, **first_lost),
        case("empty_body", b"\x01\0" + good, [(0, PING)], damaged=1),
        case("sequence_number_and_crc_alone", stuffed(b"\0" + zlib.crc32(b"\0").to_bytes(4, "little")) + good,
             [(0, PING)], damaged=1),
        case("four_bytes", stuffed(b"\1\2\3\4") + good, [(0, PING)], damaged=1),
        *(case(name, stream + good, [(0, PING)], damaged=1) for name, stream in too_long),
        case("sound_but_one_byte_too_long", frame(0, FULL + b"x") + after, [(1, SHORT)], damaged=1, **first_lost),
        case("packet_of_253_bytes", frame(0, bytes(253)) + after, [(1, SHORT)], damaged=1, **first_lost),
        case("thousand_0xff", b"\xff" * 1000 + b"\0" + good, [(0, PING)], damaged=1),
        case("block_that_claims_more_than_there_is", b"\xff\x01\x02\0" + good, [(0, PING)], damaged=1),
    ]  # fmt: skip


def _gaps() -> list[dict[str, Any]]:
    def run(*numbers: int) -> tuple[bytes, list[tuple[int, bytes]]]:
        return b"".join(frame(n, SHORT) for n in numbers), [(n, SHORT) for n in numbers]

    return [
        case("gap_of_one", *run(0, 2), missed=1, missing=0b10),
        case("gap_of_three_and_one_of_one", *run(0, 4, 5, 7), missed=4, missing=0b1110010),
        case("gap_of_thirty", *run(0, 31), missed=30, missing=0x7FFFFFFE),
        case("gap_of_thirty_one", *run(0, 32), missed=31, missing=0xFFFFFFFE),
        case("gap_wider_than_the_window", *run(0, 51), missed=50, missing=0xFFFFFFFE),
        case("gap_wider_than_the_window_moves_out_of_it", *run(0, 51, 52), missed=50, missing=0xFFFFFFFC),
        case("numbers_wrap_without_a_gap", *run(*range(256), 0, 1)),
        case("gap_across_the_wrap", *run(*range(255), 1), missed=2, missing=0b110),
    ]
