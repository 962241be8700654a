"""A camera's side of a key: seals its pictures and opens the answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from ..link.sealing import Proof
from ..wire import Picture, Ping, Pong, Result
from .cipher import (
    COUNTER_BYTES,
    FIRST_ROOM,
    NUMBER_BYTES,
    ROOM,
    SALT_BYTES,
    SEAL_BYTES,
    Prover,
    SessionCiphers,
    same,
)
from .key import Key
from .layout import of_picture, of_result, with_data, without_padding


class KeyedCamera:
    """Seals the pictures of one camera program. Implements ``link.sealing.CameraSeal``.

    Its salt is new for each object and so is the server's for each salt, so no two sessions have the same ciphers. In a
    session each picture has a counter of its own. So no nonce is used twice, also when the program starts again.
    """

    first_room, room = FIRST_ROOM, ROOM

    def __init__(self, key: Key, random: Callable[[int], bytes] = os.urandom) -> None:
        """Take the key. ``random`` returns so many random bytes."""
        self._key = key
        self._prover = Prover(key)
        self._salt = random(SALT_BYTES)
        self._server_salt = b""
        self.ciphers: SessionCiphers | None = None
        self._counter = 0

    @property
    def is_ready(self) -> bool:
        """Whether the edge server has proved that it has the key."""
        return self.ciphers is not None

    def ping(self, ping: Ping) -> Ping:
        """Return a ping with salt and proof."""
        return replace(ping, seal=self._salt + self._prover.of_ping(ping, self._salt))

    def pong(self, pong: Pong) -> Proof:
        """Take the salt of a server that proves the key. The proof covers this program's salt: it cannot be old."""
        if not pong.seal:
            return Proof.NO_KEY
        server_salt, proof = pong.seal[:SALT_BYTES], pong.seal[SALT_BYTES:SEAL_BYTES]
        if not same(proof, self._prover.of_pong(pong, self._salt, server_salt)):
            return Proof.OTHER_KEY
        if self._server_salt != server_salt:
            self._server_salt = server_salt
            self.ciphers = SessionCiphers(self._key, self._salt, server_salt)
        return Proof.SAME_KEY

    def picture(self) -> SealedPicture:
        """Return the seal of the next picture."""
        assert self.ciphers is not None, "the edge server has not proved the key yet"
        counter, self._counter = self._counter, self._counter + 1
        return SealedPicture(self, self.ciphers, counter)


class SealedPicture:
    """Seals the packets of one picture, and opens its answers. Implements ``link.sealing.PictureSeal``."""

    def __init__(self, camera: KeyedCamera, ciphers: SessionCiphers, counter: int) -> None:
        self._camera, self._ciphers, self._counter = camera, ciphers, counter
        self._sealed: dict[int, bytes] = {}  # by rank: a nonce is used once, however often a packet is sent

    @property
    def is_current(self) -> bool:
        """Whether the edge server is still in the session in which this picture is sealed."""
        return self._camera.ciphers is self._ciphers

    def seal(self, packet: Picture) -> Picture:
        """Return a packet with sealed codec bytes; before those of rank 0 goes the counter."""
        data = self._sealed.get(packet.rank)
        if data is None:
            data = self._ciphers.pictures.seal(self._counter, packet.rank, packet.data, of_picture(packet))
            if packet.rank == 0:
                data = self._counter.to_bytes(COUNTER_BYTES, "little") + data
            self._sealed[packet.rank] = data
        return with_data(packet, data)

    def open(self, result: Result) -> Result | None:
        """Return an answer with its text; None if it is not to this picture, or was altered."""
        number = int.from_bytes(result.text[:NUMBER_BYTES], "little")
        text = self._ciphers.results.open(self._counter, number, result.text[NUMBER_BYTES:], of_result(result))
        text = None if text is None else without_padding(text)
        return None if text is None else replace(result, text=text)
