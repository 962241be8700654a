"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), and the masked form in which tables and checkpoints keep it."""

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
    """The checksum of ``data``, 32 bits. About 0.1 s a megabyte."""
    crc = 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as it is stored: turned right by 15 bits, plus a constant (LevelDB, ``util/crc32c.h``), so that the
    checksum of data that hold checksums is no special case."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
