"""``host.recv --ble --key`` over Bluetooth: the camera with the key is answered, another one is told why it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")

from host import recv
from host.camera.camera import Camera, CameraError
from host.codec import load
from host.seal.key import Key, make_key
from host.transport.transport import Transport
from tests import pace
from tests.ble.air import Air
from tests.ble.scene import adapter, camera_on, live
from tests.edge.tiny_models import colour_classifier

#: Red, green and blue, the classes of the test's network.
COLOURS = ((210, 40, 40), (40, 190, 60), (40, 60, 200))


def test_the_right_key_is_answered_and_a_wrong_or_missing_one_is_said_at_both_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, other = make_key(tmp_path / "one.key"), make_key(tmp_path / "other.key")
    classifier = colour_classifier(tmp_path / "colours.onnx")
    options = ["--ble", "--pair", "--classifier", str(classifier), "--key", f"file:{tmp_path / 'one.key'}"]
    arguments = recv.parser().parse_args(options)
    codec = load()
    refusals: list[str] = []

    async def send_all(transport: Transport, key: Key | None) -> list[int]:
        """Send a picture of each colour; return the classes of the answers, nothing if the server refuses the key."""
        try:
            async with Camera(transport, codec, key=key) as camera:
                await camera.connect(pace.seconds(20))
                pictures = [np.full((224, 224, 3), colour, np.uint8) for colour in COLOURS]
                reports = [await camera.send_picture(each, pace.seconds(5) * 1000) for each in pictures]
                return [report.top[0][0] for report in reports]
        except CameraError as error:
            refusals.append(str(error))
            return []

    async def test() -> list[list[int]]:
        air = Air()
        async with camera_on(air) as board:
            serving = asyncio.create_task(recv.recv(arguments, await adapter(air)))
            try:
                return [await send_all(board.transport, key) for key in (other, None, right)]
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    assert live(test()) == [[], [], [0, 1, 2]]
    assert refusals == [
        "camera: the edge server has another key",
        "camera: the edge server has a key, and this program has none",
    ]
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == len(COLOURS)
    said = [line for line in printed.err.splitlines() if "key" in line]
    assert [line.partition("camera 0 ")[2] for line in said] == [
        "has another key",
        "has no key, and this program has one",
    ]
