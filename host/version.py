"""The version of this package: the only place that defines it. ``firmware/VERSION`` repeats it in Zephyr's format."""

from __future__ import annotations

__version__ = "0.1.0"
