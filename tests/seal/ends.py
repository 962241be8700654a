"""A camera's and a server's side of a key, without a link between them."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")

from host.link.border import Flaw
from host.link.sealing import Proof
from host.seal.camera_seal import KeyedCamera, SealedPicture
from host.seal.key import Key
from host.seal.server_seal import KeyedServer
from host.wire import Hop, Picture, Ping, Pong

KEY = Key(bytes(range(16)), "test")


def plain(image: int = 7, rank: int = 0, *, last: bool = False, source: int = 0, data: bytes = b"") -> Picture:
    """Return a picture packet that is not sealed."""
    return Picture(image, rank, 3 * rank, 400, data or bytes([image % 256, rank, 77]), last, 2, source)


class Pair:
    """A camera and a server that know each other, unless their keys differ."""

    def __init__(self, camera: Key = KEY, *server: Key, source: int = 0) -> None:
        self.camera, self.server = KeyedCamera(camera), KeyedServer(server or [camera])
        self.source = source
        self.flaws: Counter[Flaw] = Counter()
        self.proofs = self.greet()

    def greet(self) -> tuple[Proof, Proof]:
        """Exchange a ping and a pong; return what the server and the camera found."""
        ping = self.camera.ping(Ping(hop=Hop.PEER_HOST, token=5, origin_us=6, peer=self.source))
        at_server, pong = self.server.pong(ping, Pong(hop=Hop.PEER_HOST, token=5, origin_us=6, peer=self.source))
        return at_server, self.camera.pong(pong)

    def picture(self, image: int = 7, ranks: int = 3) -> list[Picture]:
        """Return the sealed packets of a new picture."""
        return self.sealed(image, ranks)[1]

    def sealed(self, image: int = 7, ranks: int = 3) -> tuple[SealedPicture, list[Picture]]:
        """Return the seal of a new picture, and its packets."""
        seal = self.camera.picture()
        last = ranks - 1
        return seal, [seal.seal(plain(image, rank, last=rank == last, source=self.source)) for rank in range(ranks)]

    def open(self, *packets: Picture, now_us: int = 0) -> list[Picture]:
        """Return what the server opens."""
        opened = []
        for packet in packets:
            opened += self.server.open(now_us, packet, lambda flaw: self.flaws.update([flaw]))
        return opened
