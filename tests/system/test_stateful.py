"""The whole system under histories that hypothesis makes up, and that the oracle finds what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host.link import outgoing
from host.link.receiver import Receiver
from host.link.sealing import Proof
from host.link.sender import Sender
from host.link.session import Session
from host.wire import Picture
from tests.system.__main__ import run_batch
from tests.system.oracle import DeviationError
from tests.system.rules import Rules
from tests.system.system import System


def test_no_history_deviates() -> None:
    before = Rules.applied
    run_batch(7, histories=12)
    assert Rules.applied - before > 200


def test_no_history_with_keys_deviates() -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
    from tests.system.keyed import KeyedRules

    before = Rules.applied
    run_batch(8, histories=12, rules=KeyedRules)
    assert Rules.applied - before > 200


def test_pictures_with_keys_are_answered_and_what_is_wrong_with_them_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
    from host.seal.camera_seal import KeyedCamera, SealedPicture
    from host.seal.server_seal import KeyedServer
    from tests.system.keyed import KeyedSystem

    def history() -> None:
        system = KeyedSystem(cameras=2, seed=3)
        system.run(200_000)
        for camera in (0, 1):
            assert system.submit(camera, 6, 236, 400_000, lazily=camera == 1) is not None
            system.run(950_000)
            system.check()
        system.calm()
        assert (system.oracle.answered, system.oracle.unanswered) == (4, 0)

    history()
    opened = KeyedServer.open
    for place, name, broken, finding in (
        (SealedPicture, "open", lambda *_: None, "does not recover|not believed|unanswered"),
        (KeyedCamera, "pong", lambda *_: Proof.OTHER_KEY, "with the same key"),
        (
            KeyedServer,
            "open",
            lambda *given: [replace(packet, data=packet.data[::-1]) for packet in opened(*given)],
            "nobody sent",
        ),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, broken)
            with pytest.raises(DeviationError, match=finding):
                history()


def test_pictures_are_answered_while_things_happen() -> None:
    system = System(cameras=2, seed=3)
    system.run(200_000)
    for camera in (0, 1, 0, 1):
        assert system.submit(camera, 6, 236, 400_000, lazily=camera == 1) is not None
        system.run(450_000)
        system.disconnect(camera)
    system.calm()
    assert (system.oracle.answered, system.oracle.unanswered) == (6, 0)


def _wrong_packet(self: outgoing.OutgoingImage, now_us: int, program: int, transit_us: int) -> Picture:
    packet = _take(self, now_us, program, transit_us)
    return replace(packet, data=packet.data[::-1])


_take = outgoing.OutgoingImage.take


@pytest.mark.parametrize(
    ("place", "name", "broken", "finding"),
    [
        (outgoing.OutgoingImage, "take", _wrong_packet, "never sent"),
        (Session, "_on_error", lambda *_: [], "does not recover"),
        (Receiver, "_end", lambda self, _now_us, key: self._open[key].packets.clear(), "finished twice|not whole"),
        (Sender, "_ends_us", lambda _self, image: image.answer_by_us + 2_000_000, "has no outcome"),
    ],
)
def test_what_is_wrong_is_found(
    monkeypatch: pytest.MonkeyPatch, place: type, name: str, broken: object, finding: str
) -> None:
    monkeypatch.setattr(place, name, broken)
    system = System(cameras=1, seed=4)

    def history() -> None:
        system.run(200_000)
        for turn in range(4):
            system.submit(0, 8, 236, 300_000)
            system.run(20_000)
            if turn == 2:
                system.jam(0, 1.0, None)
            if turn == 3:
                system.reset(0)
            system.run(700_000)
            system.check()
        system.run(1_000_000)
        system.check()
        system.calm()
        system.check()

    with pytest.raises(DeviationError, match=finding):
        history()
