"""Valid packets with hostile fields: any value that a field can hold, most often the edges."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from host.wire import CONTROL, MAX_CODEC_BYTES, MAX_PACKET, Control, Picture, Ping, Pong, Result, parse
from tests.link.desk import PROGRAM, Packet

_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64, "b": 8, "h": 16}


def integers(code: str) -> st.SearchStrategy[int]:
    """Return any value of a struct format character, most often one at its edges."""
    bits, lowest = _BITS[code], -(1 << _BITS[code] - 1) if code.islower() else 0
    highest = lowest + (1 << bits) - 1
    edges = [lowest, 0, 1, 2, 3, 7, highest // 2, highest // 2 + 1, highest - 1, highest]
    return st.sampled_from(edges) | st.integers(lowest, highest)


@st.composite
def control_packets(draw: st.DrawFn, kind: type[Control]) -> Control:
    """Draw a control packet of a kind."""
    raw = bytes([kind.TYPE])
    for count, code in _codes(kind.LAYOUT.format)[1:]:
        if code == "s":
            raw += draw(st.sampled_from([bytes(count), b"\xff" * count]) | st.binary(min_size=count, max_size=count))
        else:
            raw += draw(integers(code)).to_bytes(_BITS[code] // 8, "little", signed=code.islower())
    if any(each.name in ("text", "name") for each in fields(kind)):
        raw += draw(st.binary(max_size=MAX_PACKET - len(raw)))
    packet = parse(raw)
    assert isinstance(packet, kind)
    return packet


PICTURES = st.builds(
    Picture,
    image=integers("H"),
    rank=integers("B"),
    position=integers("H"),
    remaining_ms=integers("H"),
    data=st.integers(1, MAX_CODEC_BYTES).map(bytes),
    last=st.booleans(),
    program=st.integers(0, 3),
    source=st.integers(0, 15),
)
PACKETS = st.one_of(PICTURES, *(control_packets(kind) for kind in CONTROL.values()))


def aimed(packet: Packet, numbers: list[int], ping: Ping | None) -> Packet:
    """Return the packet as an answer to what the sender really sent, so that it is looked at."""
    changes: dict[str, Any] = {}
    if isinstance(packet, Result) and numbers:
        changes = {"image": numbers[packet.image % len(numbers)], "program": PROGRAM, "peer": 0}
    if isinstance(packet, Pong) and ping is not None:
        changes = {"hop": ping.hop, "token": ping.token, "peer": 0}
        changes |= {"origin_us": ping.origin_us} if packet.origin_us % 2 else {}
    return replace(packet, **changes)


def _codes(layout: str) -> list[tuple[int, str]]:
    """Return the items of a struct format, ``<BI32s`` as [(1, B), (1, I), (32, s)]."""
    found, count = [], ""
    for each in layout.lstrip("<"):
        if each.isdigit():
            count += each
        else:
            found.append((int(count or 1), each))
            count = ""
    return found
