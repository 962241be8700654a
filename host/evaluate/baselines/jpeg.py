"""JPEG: baseline with optimized tables, and progressive, which may be cut at any byte."""

from __future__ import annotations

from ..subject import Picture
from .pillow import PillowRival

# Markers, ITU-T T.81 table B.1.
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_STUFFED_OR_RESTART = {0x00, *range(0xD0, 0xD8)}


def baseline() -> PillowRival:
    return PillowRival(
        "jpeg", "JPEG", tuple(range(1, 46)), (1, 3, 5, 8, 12, 18, 26, 36), {"optimize": True}, library="libjpeg_turbo"
    )


class ProgressiveJpeg(PillowRival):
    """One stream at the quality 30, as PNC's authors sent it; its tables are always optimized."""

    progressive = True

    def __init__(self) -> None:
        options = {"progressive": True, "optimize": True}
        super().__init__("pjpeg", "JPEG", (30,), (30,), options, library="libjpeg_turbo")

    def decode(self, data: bytes) -> Picture:
        return super().decode(whole_segments(data) + bytes([0xFF, _END]))


def whole_segments(data: bytes) -> bytes:
    """The beginning of a JPEG stream without a header that was cut: the scan before it still decodes.

    Scans themselves may end anywhere: what an end mark leaves open the decoder fills.
    """
    at = 0
    while at + 1 < len(data):
        if data[at] != 0xFF:
            return data[:at]  # no JPEG stream goes on like this
        marker = data[at + 1]
        if marker == _END:
            return data[:at]
        if marker == _START:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 4 > len(data) or end > len(data) or end < at + 4:
            return data[:at]
        at = _end_of_scan(data, end) if marker == _SCAN else end
    return data[:at]


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the coded data from ``at`` on stop: at the next marker or the end of the data."""
    while True:
        at = data.find(0xFF, at)
        if at < 0:
            return len(data)
        if at + 1 == len(data):
            return at
        if data[at + 1] not in _STUFFED_OR_RESTART:
            return at
        at += 2
