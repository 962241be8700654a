"""Packets and their fields."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from host.wire import (
    CONTROL,
    MAX_PACKET,
    VERSION,
    Configure,
    Control,
    Credit,
    Error,
    Flush,
    Hello,
    Link,
    Log,
    Pair,
    Pairing,
    Ping,
    Pong,
    Repeat,
    Reset,
    Result,
    Statistics,
    StatisticsRequest,
)

EXAMPLES: list[tuple[str, Control, str]] = [
    ("hello_of_a_host", Hello(version=2, kind=0), "0100" "02" + "00" * 25),
    (
        "hello_of_a_board",
        Hello(
            version=2, kind=1, role=2, boot=3, capabilities=0x08070605, firmware=b"\x01\x02\x03", slots=64, in_flight=4,
            sessions=254, session=0xA1B2C3D4, board_id=0x1122334455667788, name="Küche".encode(),
        ),
        "0100" "02" "01" "02" "03" "05060708" "010203" "40" "04" "fe" "d4c3b2a1" "8877665544332211" "4bc3bc636865",
    ),
    (
        "configure",
        Configure(role=1, phy=2, tx_power_dbm=-8, address_type=1, address=bytes(range(1, 7)), interval_us=7500),
        "0200" "01" "02" "f8" "01" "010203040506" "4c1d0000",
    ),
    (
        "credit",
        Credit(
            next_seq=200, damaged=3, missing=0x80000006, taken=65535, waiting=12, free=52, in_radio=4, link=1,
            acked_packets=700, acked_bytes=165900, busy_us=0xFFFFFFFF,
        ),
        "0300" "c8" "03" "06000080" "ffff" "0c" "34" "04" "01" "bc02" "0c880200" "ffffffff",
    ),
    ("flush_one_image", Flush(image=0xF00D, all=0), "0400" "0df0" "00"),
    ("flush_all_of_a_camera", Flush(image=0, all=1, peer=3), "0403" "0000" "01"),
    ("statistics_request", StatisticsRequest(peer=7), "0507"),
    (
        "statistics",
        Statistics(
            uptime_ms=1, accepted=2, sent=3, expired=4, evicted=5, flushed=6, acked=7, lost=8, damaged=9, missed=10,
            unknown=11, control_dropped=12, waiting=13, links=14, link=1, phy=2, rssi_dbm=-70, mtu=247,
            interval_us=15000, goodput_bps=1_250_000, peer=2,
        ),
        "0602" + "".join(f"{n:02x}000000" for n in range(1, 13))
        + "0d" "0e" "01" "02" "ba" "f700" "983a0000" "d0121300",
    ),
    ("ping", Ping(hop=2, token=0xDEADBEEF, origin_us=1), "0700" "02" "efbeadde" "01000000"),
    (
        "ping_with_seal",
        Ping(hop=2, token=1, seal=bytes(range(16))),
        "0700" "02" "01000000" "00000000" + bytes(range(16)).hex(),
    ),
    (
        "pong",
        Pong(hop=2, token=0xDEADBEEF, origin_us=1, held_us=20, service_us=35000, clock_us=0x04030201),
        "0800" "02" "efbeadde" "01000000" "14000000" "b8880000" "01020304",
    ),
    (
        "pong_with_seal",
        Pong(hop=2, token=1, clock_us=2, seal=bytes(range(16))),
        "0800" "02" "01000000" "00000000" "00000000" "00000000" "02000000" + bytes(range(16)).hex(),
    ),
    (
        "result",
        Result(
            image=0x1205, program=3, more=1, margin_ms=-3, service_us=0x10000, clock_us=0xFFFEFDFC,
            ranks=b"\x07" + bytes(31), text=b"\x01\x00\xff\x7f\x03cat",
        ),
        "0900" "0512" "03" "00" "01" "fdff" "00000100" "fcfdfeff" "07" + "00" * 31 + "0100" "ff7f" "03" "636174",
    ),
    ("result_without_text", Result(status=1), "0900" "0000" "00" "01" "00" "0000" "00000000" "00000000" + "00" * 32),
    ("link", Link(state=1, phy=4, mtu=247, interval_us=4_000_000, peer=15), "0a0f" "01" "04" "00" "f700" "00093d00"),
    ("link_lost", Link(state=0, phy=2, reason=8, mtu=247, interval_us=7500), "0a00" "00" "02" "08" "f700" "4c1d0000"),
    ("log", Log(level=2, text=b"low power"), "0b00" "02" "6c6f7720706f776572"),
    ("error", Error(code=4, detail=200, text=b"queue full"), "0c00" "04" "c8000000" "71756575652066756c6c"),
    ("error_without_text", Error(code=1, detail=1), "0c00" "01" "01000000"),
    (
        "pair",
        Pair(
            action=1, method=1, window_s=300, address_type=1, address=bytes(range(1, 7)),
            random=bytes(range(16)), confirm=bytes(range(240, 256)),
        ),
        "0d00" "01" "01" "2c01" "01" "010203040506" "000102030405060708090a0b0c0d0e0f"
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    ),
    ("pair_forget_all", Pair(action=3), "0d00" "03" + "00" * 42),
    (
        "pairing",
        Pairing(
            open=1, method=1, left_s=59, bonds=8, paired=255, failed=2, address_type=1, address=bytes(range(1, 7)),
            random=bytes(range(16)), confirm=bytes(range(240, 256)),
        ),
        "0e00" "01" "01" "3b00" "08" "ff" "02" "01" "010203040506" "000102030405060708090a0b0c0d0e0f"
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    ),
    ("reset", Reset(kind=1), "0f00" "01"),
    ("repeat", Repeat(next_seq=3, missing=0x8000000A), "1000" "03" "0a000080"),
]  # fmt: skip

PICTURE: dict[str, Any] = {
    "source": 0, "program": 0, "last": 0, "image": 0x0107, "rank": 3, "position": 0x1234, "remaining_ms": 300,
}  # fmt: skip
PICTURE_HEX = "8007010334122c01"


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    return [*_control(), *_pictures(), *_short(), *_long(), *_unknown()]


def name_of(packet: type[Control]) -> str:
    """Return the packet's name in wire.toml."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", packet.__name__).lower()


def values(packet: Control) -> dict[str, Any]:
    """Return the packet's fields; bytes as hex."""
    found = {f.name: getattr(packet, f.name) for f in fields(packet)}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in found.items()}


def _control() -> list[dict[str, Any]]:
    found = []
    for name, packet, spelled in EXAMPLES:
        if packet.pack().hex() != spelled:
            raise SystemExit(f"packet_cases: {name} packs to {packet.pack().hex()}, spelled {spelled}")
        found.append({"name": name, "packet": spelled, "is": name_of(type(packet)), "fields": values(packet)})
    return found


def _picture(name: str, data: bytes, **changed: int) -> dict[str, Any]:
    said = {**PICTURE, **changed}
    flags = 0x80 | (0x40 if said["last"] else 0) | said["program"] << 4 | said["source"]
    return {
        "name": name,
        "packet": f"{flags:02x}" + PICTURE_HEX[2:] + data.hex(),
        "is": "picture",
        "fields": {**said, "data": data.hex()},
    }


def _pictures() -> list[dict[str, Any]]:
    return [
        _picture("picture_of_one_byte", b"\0"),
        _picture("picture_full", bytes(range(236))),
        _picture("picture_last", b"abc", last=1),
        _picture("picture_of_camera_15", b"abc", source=15),
        _picture("picture_of_program_1", b"abc", program=1),
        _picture("picture_of_program_2", b"abc", program=2, source=9),
        {
            "name": "picture_with_largest_numbers",
            "packet": "ff" + "ff" * 7 + "00",
            "is": "picture",
            "fields": {"source": 15, "program": 3, "last": 1, "image": 65535, "rank": 255, "position": 65535,
                       "remaining_ms": 65535, "data": "00"},
        },
        {"name": "picture_without_codec_bytes", "packet": PICTURE_HEX, "is": "malformed"},
        {"name": "picture_of_one_byte_in_all", "packet": "80", "is": "malformed"},
        {"name": "picture_too_long", "packet": PICTURE_HEX + "00" * 237, "is": "malformed"},
    ]  # fmt: skip


def _short() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"name": "empty", "packet": "", "is": "malformed"}]
    for _, packet in sorted(CONTROL.items()):
        whole = packet.LAYOUT.size
        for length in sorted({1, whole - 1}):
            spelled = (Hello(version=VERSION) if packet is Hello else packet()).pack()[:length].hex()
            found.append({"name": f"{name_of(packet)}_of_{length}", "packet": spelled, "is": "malformed"})
    return found


def _long() -> list[dict[str, Any]]:
    found = []
    for name, packet, spelled in EXAMPLES:
        if not any(f.name in ("name", "text", "seal") for f in fields(packet)):
            said = {"is": name_of(type(packet)), "fields": values(packet), "written": spelled}
            found.append({"name": f"{name}_longer_than_known", "packet": spelled + "0102030405", **said})
    return [*found, {"name": "log_too_long", "packet": "0b0001" + "61" * (MAX_PACKET - 2), "is": "malformed"}]


def _unknown() -> list[dict[str, Any]]:
    kinds = {"type_0": "00", "first_type_not_used": f"{max(CONTROL) + 1:02x}00", "last_control_type": "7f" + "00" * 243}
    return [{"name": name, "packet": spelled, "is": "unknown"} for name, spelled in kinds.items()]
