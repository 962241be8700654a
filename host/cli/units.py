"""Numbers with units on a command line."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z/]*)\s*")
_MS = {"ms": 1.0, "s": 1000.0, "": 1.0}
_BPS = {"bps": 1.0, "kbps": 1e3, "mbps": 1e6, "bit/s": 1.0, "kbit/s": 1e3, "mbit/s": 1e6}


def milliseconds(text: str) -> float:
    """Parse ``300ms``, ``0.3s`` or ``300`` (ms). Raises ValueError, which shows how to write a time."""
    value = _read(text, _MS)
    if value is None:
        raise ValueError(f"{text!r} is not a time: write it as 300ms or 0.3s")
    return value


def bits_per_second(text: str) -> float:
    """Parse ``50kbps``, ``1.2Mbps`` or ``800bps``. Raises ValueError, which shows how to write a rate."""
    value = _read(text, _BPS)
    if value is None or value <= 0:
        raise ValueError(f"{text!r} is not a rate: write it as 50kbps or 1Mbps")
    return value


def _read(text: str, units: dict[str, float]) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None or match[2].lower() not in units:
        return None
    return float(match[1]) * units[match[2].lower()]
