"""An edge server's side of its cameras' keys: opens their pictures and seals the answers."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..link.border import Flaw
from ..link.sealing import Proof
from ..wire import MAX_RANKS, Picture, Ping, Pong, Result
from .cipher import (
    COUNTER_BYTES,
    MOST_PADDED,
    NO_KEY_FITS,
    NUMBER_BYTES,
    SALT_BYTES,
    SEAL_BYTES,
    Prover,
    SessionCiphers,
    same,
)
from .key import Key
from .layout import of_picture, of_result, padded, with_data
from .replay import ReplayWindow

#: Programs of one camera that are remembered: the present one, and some whose packets may still be under way.
MOST_SESSIONS = 4
#: Pictures of one camera that are remembered, and for how long, us: no number comes back sooner.
MOST_PICTURES, REMEMBER_US = 256, 65_000_000
#: Pictures of one camera whose first packet is still to come, and packets that wait for it.
MOST_WAITING, MOST_PACKETS = 64, 2 * MAX_RANKS
#: Without its first packet, a picture's counter is looked for so far from the latest one.
REACH = 8
_MOST_NUMBER = (1 << 8 * NUMBER_BYTES) - 1

_Picture = tuple[int, int, int]  # source, image, program


class _Session:
    """One camera program as this server knows it. Its salt is new, so what was sealed for another session fails."""

    def __init__(self, key: Key, camera_salt: bytes, server_salt: bytes) -> None:
        self.salt = server_salt
        self.ciphers = SessionCiphers(key, camera_salt, server_salt)
        self.window = ReplayWindow()

    def open(self, counter: int, packet: Picture, data: bytes) -> Picture | None:
        """Return a packet with the codec bytes in ``data``, which are sealed; None if they are not this session's."""
        opened = self.ciphers.pictures.open(counter, packet.rank, data, of_picture(packet))
        return None if opened is None else with_data(packet, opened)


class _OpenedPicture:
    """A picture of which a packet was opened."""

    def __init__(self, session: _Session, counter: int, opened_us: int) -> None:
        self.session, self.counter, self.opened_us = session, counter, opened_us
        self.ranks: set[int] = set()  # that were opened
        self.answers = 0


class KeyedServer:
    """Opens the pictures of all cameras, and seals their answers. Implements ``link.sealing.ServerSeal``.

    Keep one for as long as the server runs, also when it opens its transport again: it knows which pictures were there.
    A camera's key is found by its proof.
    """

    text_room = MOST_PADDED - 1

    def __init__(self, keys: Sequence[Key], random: Callable[[int], bytes] = os.urandom) -> None:
        """Take the keys, of which each camera has one. ``random`` returns so many random bytes."""
        self._keys = [(key, Prover(key)) for key in keys]
        self._random = random
        self._sessions: dict[int, OrderedDict[bytes, _Session]] = {}  # by source and the camera's salt; last used last
        self._pictures: dict[int, OrderedDict[_Picture, _OpenedPicture]] = {}  # by source
        self._waiting: dict[int, OrderedDict[_Picture, deque[Picture]]] = {}  # by source

    def pong(self, ping: Ping, pong: Pong) -> tuple[Proof, Pong]:
        """Return what a ping proves of its camera, and the answer; one of the keys begins a session, if there is none.

        The answer has this server's salt and proof, or says that no key fits.
        """
        if not ping.seal:
            return Proof.NO_KEY, replace(pong, seal=NO_KEY_FITS)
        salt, proof = ping.seal[:SALT_BYTES], ping.seal[SALT_BYTES:SEAL_BYTES]
        for key, prover in self._keys:
            if same(proof, prover.of_ping(ping, salt)):
                session = self._session(ping.peer, salt, key)
                return Proof.SAME_KEY, replace(pong, seal=session.salt + prover.of_pong(pong, salt, session.salt))
        return Proof.OTHER_KEY, replace(pong, seal=NO_KEY_FITS)

    def _session(self, source: int, camera_salt: bytes, key: Key) -> _Session:
        sessions = self._sessions.setdefault(source, OrderedDict())
        if camera_salt not in sessions:
            sessions[camera_salt] = _Session(key, camera_salt, self._random(SALT_BYTES))
            if len(sessions) > MOST_SESSIONS:
                sessions.popitem(last=False)
        return sessions[camera_salt]

    def open(self, now_us: int, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        """Return the packets that can be opened now. Each packet of a picture is returned once."""
        key = (packet.source, packet.image, packet.program)
        pictures = self._pictures.setdefault(packet.source, OrderedDict())
        picture = pictures.get(key)
        if picture is not None and now_us - picture.opened_us > REMEMBER_US:
            del pictures[key]
            picture = None
        if packet.rank == 0:
            return self._open_first(now_us, key, packet, refuse)
        if picture is None:
            return self._open_without_first(now_us, key, packet)
        return self._open_next(picture, packet, refuse)

    def result(self, result: Result) -> Result | None:
        """Return a sealed answer to a picture that was opened; None for another."""
        pictures = self._pictures.setdefault(result.peer, OrderedDict())
        picture = pictures.get((result.peer, result.image, result.program))
        if picture is None or picture.answers > _MOST_NUMBER:
            return None
        number, picture.answers = picture.answers, picture.answers + 1
        sealed = picture.session.ciphers.results.seal(picture.counter, number, padded(result.text), of_result(result))
        return replace(result, text=number.to_bytes(NUMBER_BYTES, "little") + sealed)

    def _open_first(self, now_us: int, key: _Picture, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        """Open rank 0, and what waited for it."""
        counter, data = int.from_bytes(packet.data[:COUNTER_BYTES], "little"), packet.data[COUNTER_BYTES:]
        session, opened = self._session_of(packet, counter, data)
        if session is None or opened is None:
            refuse(Flaw.SEALED_PICTURE)
            return []
        pictures = self._pictures[packet.source]
        known = pictures.get(key)
        if known is not None and known.session is session and known.counter == counter:
            if 0 in known.ranks:
                return []  # the same packet again: a repair, or it is of no use to who sent it
            known.ranks.add(0)
            return [opened]
        if not session.window.take(counter):
            refuse(Flaw.SEALED_REPLAY)
            return []
        picture = self._begin(now_us, key, session, counter)
        picture.ranks.add(0)
        found = [opened]
        waits = self._waiting.get(packet.source)
        for waiting in waits.pop(key, ()) if waits else ():
            found += self._open_next(picture, waiting, refuse)
        return found

    def _begin(self, now_us: int, key: _Picture, session: _Session, counter: int) -> _OpenedPicture:
        """Return a new picture, whose counter was taken; the oldest of too many is forgotten."""
        pictures = self._pictures[key[0]]
        picture = pictures[key] = _OpenedPicture(session, counter, now_us)
        pictures.move_to_end(key)
        if len(pictures) > MOST_PICTURES:
            pictures.popitem(last=False)
        return picture

    def _open_without_first(self, now_us: int, key: _Picture, packet: Picture) -> list[Picture]:
        """Open a packet whose rank 0 is not there, or let it wait for that.

        A camera counts its pictures, so the counter is likely a certain few; the tag shows which. So a picture whose
        rank 0 is lost is answered, if only by saying so. Of those that wait, each picture is tried once.
        """
        waits, sessions = self._waiting.get(packet.source, ()), self._sessions.get(packet.source)
        if key not in waits and sessions:
            session = sessions[next(reversed(sessions))]
            for counter in session.window.likely(REACH):
                opened = session.open(counter, packet, packet.data)
                if opened is not None:
                    session.window.take(counter)
                    self._begin(now_us, key, session, counter).ranks.add(packet.rank)
                    return [opened]
        self._wait(key, packet)
        return []

    def _session_of(self, packet: Picture, counter: int, data: bytes) -> tuple[_Session | None, Picture | None]:
        """Return the session of rank 0, and what was in it; the session that was used last is tried first."""
        sessions = self._sessions.setdefault(packet.source, OrderedDict())
        for salt in reversed(sessions):
            session = sessions[salt]
            opened = session.open(counter, packet, data)
            if opened is not None:
                sessions.move_to_end(salt)
                return session, opened
        return None, None

    def _open_next(self, picture: _OpenedPicture, packet: Picture, refuse: Callable[[Flaw], None]) -> list[Picture]:
        opened = picture.session.open(picture.counter, packet, packet.data)
        if opened is None:
            refuse(Flaw.SEALED_PICTURE)
            return []
        if packet.rank in picture.ranks:
            return []
        picture.ranks.add(packet.rank)
        return [opened]

    def _wait(self, key: _Picture, packet: Picture) -> None:
        waiting = self._waiting.setdefault(packet.source, OrderedDict())
        waiting.setdefault(key, deque(maxlen=MOST_PACKETS)).append(packet)
        if len(waiting) > MOST_WAITING:
            waiting.popitem(last=False)
