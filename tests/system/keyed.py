"""The system with a key at each camera and at the server: the same events, the same oracle."""

from __future__ import annotations

import random
from collections.abc import Callable

from host.link.events import Event, KeyMismatch
from host.link.receiver import Receiver
from host.link.sender import Sender
from host.seal.camera_seal import KeyedCamera
from host.seal.cipher import FIRST_ROOM, ROOM
from host.seal.key import Key
from host.seal.server_seal import KeyedServer
from host.wire import MAX_CODEC_BYTES, Picture
from tests.system.oracle import DeviationError, Oracle, Sent
from tests.system.program import Program
from tests.system.rules import Rules
from tests.system.system import System


class KeyedOracle(Oracle):
    """On the air it sees of a packet what is not sealed. What the server opens must be what was sent."""

    def is_of(self, sent: Sent, packet: Picture) -> bool:
        if packet.rank >= len(sent.packets):
            return False
        plain = sent.packets[packet.rank]
        taken = MAX_CODEC_BYTES - _room(packet.rank)
        return (plain.position, len(plain.data) + taken) == (packet.position, len(packet.data))


class KeyedSystem(System):
    """Each camera has a key of its own, and keeps it when its program starts again. Salts are the same for a seed."""

    def __init__(self, cameras: int, seed: int) -> None:
        self._salts = random.Random(seed).randbytes
        self._keys = [Key(bytes([number + 1]) * 16, f"camera {number}") for number in range(cameras)]
        super().__init__(cameras, seed)

    def new_oracle(self, cameras: int) -> Oracle:
        return KeyedOracle(cameras)

    def new_sender(self, camera: int, nonce: int) -> Sender:
        return Sender(nonce=nonce, seal=KeyedCamera(self._keys[camera], self._salts))

    def new_receiver(self, nonce: int) -> Receiver:
        return Receiver(nonce=nonce, service_us=self.service_us, seal=KeyedServer(self._keys, self._salts))

    def room(self, rank: int) -> int:
        return _room(rank)

    def _at_camera(self, camera: int, event: Event) -> None:
        self._check_key(event)
        super()._at_camera(camera, event)

    def _at_server(self, server: Callable[[], Program], event: Event) -> None:
        self._check_key(event)
        super()._at_server(server, event)

    def _check_key(self, event: Event) -> None:
        if isinstance(event, KeyMismatch):
            raise DeviationError(f"of ends with the same key it is said: {event}")


class KeyedRules(Rules):
    """Histories of cameras and a server with keys."""

    def new_system(self, cameras: int, seed: int) -> System:
        return KeyedSystem(cameras, seed)


def _room(rank: int) -> int:
    return ROOM if rank else FIRST_ROOM
