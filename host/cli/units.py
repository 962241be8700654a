"""Numbers on a command line, also with units. Each parser raises ValueError: give it to ``command.argument``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z/]*)\s*")
_MS = {"ms": 1.0, "s": 1000.0, "": 1.0}
_BPS = {"bps": 1.0, "kbps": 1e3, "mbps": 1e6, "bit/s": 1.0, "kbit/s": 1e3, "mbit/s": 1e6}


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what parses a whole number between two others, in digits alone."""

    def parse(text: str) -> int:
        digits = text.lstrip("0") or text[-1:]
        if not (text.isascii() and text.isdigit() and len(digits) <= len(str(most)) and least <= int(digits) <= most):
            raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
        return int(digits)

    return parse


def seconds(text: str) -> float:
    """Parse a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"{text!r} is not a number of seconds above 0")
    return value


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
    value = float(match[1]) * units[match[2].lower()]
    return value if math.isfinite(value) else None
