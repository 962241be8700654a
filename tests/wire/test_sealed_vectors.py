"""The vectors of sealed packets: what this program seals and opens is what a second implementation does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")

from host.link.border import Flaw
from host.link.sealing import Proof
from host.seal.camera_seal import KeyedCamera
from host.seal.key import Key
from host.seal.server_seal import KeyedServer
from host.wire import Picture, Ping, Pong, Result, parse
from tests.wire.vector_files import FOLDER, cases

FILE = json.loads((FOLDER / "sealed.json").read_text(encoding="utf-8"))
CASES = cases("sealed")
SEALED = {case["name"]: case for case in CASES if "sealed" in case}
REFUSED = [case for case in CASES if "refused" in case]
PICTURES = [case for case in SEALED.values() if isinstance(parse(bytes.fromhex(case["plain"])), Picture)]
RESULTS = [case for case in SEALED.values() if isinstance(parse(bytes.fromhex(case["plain"])), Result)]


def packet(case: dict[str, Any], of: str) -> Any:
    return parse(bytes.fromhex(case[of]))


class Ends:
    """A camera and a server in the session of the vectors. A picture has the counter that is asked for."""

    def __init__(self) -> None:
        key = Key(bytes.fromhex(FILE["key"]))
        self.camera = KeyedCamera(key, lambda _: bytes.fromhex(FILE["camera_salt"]))
        self.server = KeyedServer([key], lambda _: bytes.fromhex(FILE["server_salt"]))
        self.flaws: list[Flaw] = []
        ping = packet(SEALED["ping"], "plain")
        self.sealed_ping = self.camera.ping(ping)
        self.proof, self.sealed_pong = self.server.pong(self.sealed_ping, packet(SEALED["pong"], "plain"))
        assert self.camera.pong(self.sealed_pong) is Proof.SAME_KEY

    def picture(self, counter: int) -> Any:
        self.camera._counter = counter
        return self.camera.picture()

    def open(self, picture: Picture) -> list[Picture]:
        source = packet(SEALED["ping"], "plain").peer  # where the camera's session is
        return self.server.open(0, replace(picture, source=source), self.flaws.append)


def test_ping_and_pong_have_their_seals() -> None:
    ends = Ends()
    assert ends.proof is Proof.SAME_KEY
    assert ends.sealed_ping.pack().hex() == SEALED["ping"]["sealed"]
    assert ends.sealed_pong.pack().hex() == SEALED["pong"]["sealed"]
    assert isinstance(packet(SEALED["ping"], "sealed"), Ping)
    assert isinstance(packet(SEALED["pong"], "sealed"), Pong)


@pytest.mark.parametrize("case", PICTURES, ids=[case["name"] for case in PICTURES])
def test_a_picture_packet_is_sealed_and_opened(case: dict[str, Any]) -> None:
    ends = Ends()
    plain, sealed = packet(case, "plain"), packet(case, "sealed")
    picture = ends.picture(case["counter"])
    assert picture.seal(plain) == sealed
    opened = ends.open(sealed)
    if not opened:  # a later packet whose counter is far from the latest one waits for the first
        assert plain.rank
        first = picture.seal(Picture(plain.image, 0, 0, 9, b"first", program=plain.program))
        opened = ends.open(first)[1:]
    assert [each.data for each in opened] == [plain.data]
    assert ends.flaws == []


@pytest.mark.parametrize("case", RESULTS, ids=[case["name"] for case in RESULTS])
def test_a_result_is_sealed_and_opened(case: dict[str, Any]) -> None:
    ends = Ends()
    plain, sealed = packet(case, "plain"), packet(case, "sealed")
    picture = ends.picture(case["counter"])
    assert picture.open(sealed) == plain
    first = picture.seal(Picture(plain.image, 0, 0, 9, b"first", program=plain.program))
    source = plain.peer
    ends.server._sessions[source] = ends.server._sessions[packet(SEALED["ping"], "plain").peer]
    assert ends.server.open(0, replace(first, source=source), ends.flaws.append)
    ends.server._pictures[source][source, plain.image, plain.program].answers = case["number"]
    assert ends.server.result(plain) == sealed


@pytest.mark.parametrize("case", REFUSED, ids=[case["name"] for case in REFUSED])
def test_what_must_not_be_opened_is_refused(case: dict[str, Any]) -> None:
    ends = Ends()
    refused = packet(case, "refused")
    first = ends.picture(case["counter"]).seal(Picture(refused.image, 0, 0, 9, b"first", program=refused.program))
    assert len(ends.open(first)) == 1
    assert ends.open(refused) == []
    assert ends.flaws == [Flaw.SEALED_PICTURE]
