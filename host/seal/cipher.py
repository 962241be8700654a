"""The cryptography of sealed packets: keys of a session, proofs of a key, and the cipher (protocol/SPEC.md, "Sealed").

AES-128-CCM (RFC 3610) with a tag of 8 bytes and a nonce of 13, HKDF (RFC 5869) and HMAC with SHA-256. The construction
is that of SFrame (RFC 9605): a salt of the session, to which a counter is added, is the nonce; the header is associated
data. CCM is secure with a short tag; GCM with one loses strength with every packet (NIST SP 800-38D, appendix C).
"""

from __future__ import annotations

import hashlib
import hmac

from ..errors import PncError, Reason
from ..wire import MAX_CODEC_BYTES, MAX_PACKET, Ping, Pong, Result
from .key import Key

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    raise PncError(
        "a key needs the package cryptography", reason=Reason.MISSING_PACKAGE, subject="cryptography>=42"
    ) from None

SALT_BYTES = PROOF_BYTES = TAG_BYTES = COUNTER_BYTES = 8
#: Bytes of the seal of a ping or pong: a salt and a proof. Zeros are the server's answer when no key of its own fits.
SEAL_BYTES = SALT_BYTES + PROOF_BYTES
NO_KEY_FITS = bytes(SEAL_BYTES)
#: Most codec bytes of rank 0, which carries the counter, and of another packet.
FIRST_ROOM = MAX_CODEC_BYTES - COUNTER_BYTES - TAG_BYTES
ROOM = MAX_CODEC_BYTES - TAG_BYTES
#: Bytes of the number that a sealed text begins with, and most bytes of the text with its padding.
NUMBER_BYTES = 2
MOST_PADDED = MAX_PACKET - Result.LAYOUT.size - NUMBER_BYTES - TAG_BYTES

_KEY_BYTES, _NONCE_BYTES, _PROOF_KEY_BYTES = 16, 13, 32
_SESSION, _PROOF = b"PNC Link 2 session", b"PNC Link 2 proof"
_PEER_AT = 1


class Cipher:
    """Seals and opens in one direction of one session. A nonce must be used for one message only."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._aead = AESCCM(key, tag_length=TAG_BYTES)
        self._salt = int.from_bytes(salt, "little")

    def seal(self, counter: int, part: int, data: bytes, associated: bytes) -> bytes:
        """Return sealed data with its tag. ``counter`` and ``part`` make the nonce."""
        return self._aead.encrypt(self._nonce(counter, part), data, associated)

    def open(self, counter: int, part: int, data: bytes, associated: bytes) -> bytes | None:
        """Return what was sealed with these numbers and associated data; None if this is not it."""
        if len(data) <= TAG_BYTES:
            return None
        try:
            return self._aead.decrypt(self._nonce(counter, part), data, associated)
        except InvalidTag:
            return None

    def _nonce(self, counter: int, part: int) -> bytes:
        return (self._salt ^ (counter | part << 64)).to_bytes(_NONCE_BYTES, "little")


class SessionCiphers:
    """The ciphers of one camera program and one edge server: of the pictures, and of the results."""

    def __init__(self, key: Key, camera_salt: bytes, server_salt: bytes) -> None:
        length = 2 * (_KEY_BYTES + _NONCE_BYTES)
        material = _derive(key, camera_salt + server_salt, _SESSION, length)
        half = length // 2
        self.pictures = Cipher(material[:_KEY_BYTES], material[_KEY_BYTES:half])
        self.results = Cipher(material[half : half + _KEY_BYTES], material[half + _KEY_BYTES :])


class Prover:
    """Makes the proofs that show the other end of a ping or pong that this end has the key."""

    def __init__(self, key: Key) -> None:
        self._key = _derive(key, b"", _PROOF, _PROOF_KEY_BYTES)

    def of_ping(self, ping: Ping, camera_salt: bytes) -> bytes:
        """Return the proof in a ping."""
        return self._proof(b"ping", Ping.LAYOUT.size, ping, camera_salt)

    def of_pong(self, pong: Pong, camera_salt: bytes, server_salt: bytes) -> bytes:
        """Return the proof in a pong."""
        return self._proof(b"pong", Pong.LAYOUT.size, pong, camera_salt + server_salt)

    def _proof(self, what: bytes, size: int, packet: Ping | Pong, salts: bytes) -> bytes:
        data = bytearray(packet.pack()[:size])
        data[_PEER_AT] = 0  # an edge board writes it
        return hmac.new(self._key, what + data + salts, hashlib.sha256).digest()[:PROOF_BYTES]


def same(one: bytes, other: bytes) -> bool:
    """Return whether two proofs are the same, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)


def _derive(key: Key, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key.secret)
