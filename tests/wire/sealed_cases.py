"""Vectors of sealed packets, written with a second implementation of protocol/SPEC.md's "Sealed pictures"."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from host.wire import Picture, Ping, Pong, Result

KEY = bytes(range(16))
CAMERA_SALT, SERVER_SALT = bytes.fromhex("a0a1a2a3a4a5a6a7"), bytes.fromhex("b0b1b2b3b4b5b6b7")


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return HKDF with SHA-256 (RFC 5869)."""
    extracted = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    found, block, number = b"", b"", 1
    while len(found) < length:
        block = hmac.new(extracted, block + info + bytes([number]), hashlib.sha256).digest()
        found, number = found + block, number + 1
    return found[:length]


def _aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def ccm(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    """Return data sealed with AES-CCM, L = 2 and M = 8, and its tag (RFC 3610)."""
    blocks = bytes([0x40 | 3 << 3 | 1]) + nonce + len(data).to_bytes(2, "big")
    head = len(associated).to_bytes(2, "big") + associated
    for part in (head, data):
        blocks += part + bytes(-len(part) % 16)
    mac = bytes(16)
    for at in range(0, len(blocks), 16):
        mac = _aes(key, _xor(mac, blocks[at : at + 16]))
    stream = [_aes(key, b"\x01" + nonce + count.to_bytes(2, "big")) for count in range(1 + -(-len(data) // 16))]
    return _xor(data, b"".join(stream[1:])) + _xor(mac[:8], stream[0])


class Session:
    """What both ends derive from the key and the two salts."""

    def __init__(self, key: bytes = KEY, camera_salt: bytes = CAMERA_SALT, server_salt: bytes = SERVER_SALT) -> None:
        self.key, self.camera_salt, self.server_salt = key, camera_salt, server_salt
        derived = hkdf(key, camera_salt + server_salt, b"PNC Link 2 session", 58)
        self.picture_key, self.picture_salt = derived[:16], derived[16:29]
        self.result_key, self.result_salt = derived[29:45], derived[45:]
        self.proof_key = hkdf(key, b"", b"PNC Link 2 proof", 32)

    def ping(self, plain: bytes) -> bytes:
        """Return a ping with its seal."""
        return plain + self.camera_salt + self._proof(b"ping" + _peerless(plain) + self.camera_salt)

    def pong(self, plain: bytes) -> bytes:
        """Return a pong with its seal."""
        proof = self._proof(b"pong" + _peerless(plain) + self.camera_salt + self.server_salt)
        return plain + self.server_salt + proof

    def picture(self, plain: bytes, counter: int) -> bytes:
        """Return a picture packet, sealed."""
        header, data, rank = plain[:8], plain[8:], plain[3]
        associated = bytes([header[0] & 0xF0]) + header[1:6]
        nonce = _xor(self.picture_salt, counter.to_bytes(8, "little") + bytes([rank]) + bytes(4))
        sealed = ccm(self.picture_key, nonce, data, associated)
        return header + (counter.to_bytes(8, "little") if rank == 0 else b"") + sealed

    def result(self, plain: bytes, counter: int, number: int) -> bytes:
        """Return a result, sealed."""
        fields, text = plain[:49], plain[49:] + b"\x80"
        text = text.ljust(next(size for size in (64, 128, 185) if len(text) <= size), b"\0")
        nonce = _xor(self.result_salt, counter.to_bytes(8, "little") + number.to_bytes(2, "little") + bytes(3))
        return fields + number.to_bytes(2, "little") + ccm(self.result_key, nonce, text, _peerless(fields))

    def _proof(self, data: bytes) -> bytes:
        return hmac.new(self.proof_key, data, hashlib.sha256).digest()[:8]


def _peerless(packet: bytes) -> bytes:
    return packet[:1] + b"\0" + packet[2:]


def session() -> dict[str, str]:
    """Return the key, the salts and what is derived from them, in hex."""
    each = Session()
    names = (
        "key",
        "camera_salt",
        "server_salt",
        "proof_key",
        "picture_key",
        "picture_salt",
        "result_key",
        "result_salt",
    )
    return {name: getattr(each, name).hex() for name in names}


def cases() -> list[dict[str, Any]]:
    """Return the cases: of every kind of packet, and what must not be opened."""
    each = Session()
    ping, pong = Ping(hop=2, token=7, origin_us=8, peer=3), Pong(hop=2, token=7, origin_us=8, clock_us=9, peer=3)
    found: list[dict[str, Any]] = [
        {"name": "ping", "plain": ping.pack().hex(), "sealed": each.ping(ping.pack()).hex()},
        {"name": "pong", "plain": pong.pack().hex(), "sealed": each.pong(pong.pack()).hex()},
    ]
    for name, packet, counter in PICTURES:
        sealed = each.picture(packet.pack(), counter).hex()
        found.append({"name": name, "counter": counter, "plain": packet.pack().hex(), "sealed": sealed})
    for name, result, counter, number in RESULTS:
        sealed = each.result(result.pack(), counter, number).hex()
        found.append(
            {"name": name, "counter": counter, "number": number, "plain": result.pack().hex(), "sealed": sealed}
        )
    return found + [
        {"name": name, "counter": counter, "refused": bytes_.hex()} for name, counter, bytes_ in _refused(each)
    ]


PICTURES = [
    ("first_packet", Picture(0x1234, 0, 0, 250, b"codec bytes"), 0),
    ("full_first_packet", Picture(0x1234, 0, 0, 250, bytes(range(220)), program=2, source=5), 1),
    ("later_packet", Picture(0x1234, 1, 0x0102, 200, b"\0", program=3), 1),
    ("full_last_packet", Picture(0xFFFF, 255, 0xFFFF, 65535, bytes(228), last=True, source=15), (1 << 64) - 1),
]
RESULTS = [
    (
        "answer",
        Result(image=0x1234, program=3, more=1, margin_ms=-3, ranks=b"\3" + bytes(31), text=b"\1\0\0\x80\3cat"),
        1,
        0,
    ),
    ("final_answer", Result(image=0x1234, status=2, clock_us=5, text=b"b" * 64, peer=4), 1, 1),
    ("longest_answer", Result(image=1, text=b"x" * 184), (1 << 64) - 1, 65535),
    ("answer_without_text", Result(image=1, status=1), 2, 0),
]


def _refused(each: Session) -> list[tuple[str, int, bytes]]:
    plain = PICTURES[2][1]
    sealed = bytearray(each.picture(plain.pack(), 1))
    cut, altered, moved = sealed[:-1], sealed.copy(), sealed.copy()
    altered[-9] ^= 1
    moved[1] ^= 1  # to another image
    other = Session(server_salt=bytes(8)).picture(plain.pack(), 1)
    return [
        ("not_sealed", 1, plain.pack()),
        ("cut", 1, bytes(cut)),
        ("altered", 1, bytes(altered)),
        ("moved_to_another_image", 1, bytes(moved)),
        ("of_another_counter", 2, bytes(sealed)),
        ("of_another_session", 1, other),
        ("only_a_tag", 1, bytes(sealed[:16])),
    ]
