"""The code of ``host.recv --ble`` from arguments to printed lines, without an adapter."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest

from host import recv
from host.board.core import PEERS
from host.camera.camera import Camera
from host.cli.command import USAGE, CommandError
from host.codec import load
from host.link.events import Answer
from host.transport.driver import now_us
from host.transport.transport import Transport
from tests import pace
from tests.ble.air import Air
from tests.ble.scene import adapter, camera_on, live
from tests.ble.serving import printed_by_recv
from tests.commands.conftest import run
from tests.edge.tiny_models import colour_classifier

COLOURS = {"red": (210, 40, 40), "green": (40, 190, 60), "blue": (40, 60, 200)}
PICTURES = 200


def test_200_coloured_pictures_are_all_recognised_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classifier = colour_classifier(tmp_path / "colours.onnx")
    arguments = recv.parser().parse_args(["--ble", "--pair", "--classifier", str(classifier)])
    codec = load()
    coded = [codec.encode(np.full((224, 224, 3), colour, np.uint8)) for colour in COLOURS.values()]

    async def send_all(transport: Transport) -> list[Answer]:
        answers = []
        async with Camera(transport) as camera:
            await camera.connect(pace.seconds(20))
            for index in range(PICTURES):
                answer = await camera.send(coded[index % 3], now_us() + pace.deadline_us(5_000_000))
                assert isinstance(answer, Answer)
                answers.append(answer)
        return answers

    async def test() -> list[Answer]:
        air = Air(loss=0.02)
        async with camera_on(air) as board:
            serving = asyncio.create_task(recv.recv(arguments, await adapter(air)))
            sending = asyncio.create_task(send_all(board.transport))
            try:
                await asyncio.wait({serving, sending}, return_when=asyncio.FIRST_COMPLETED)
                assert not serving.done(), f"recv ended: {serving}"
                return await sending
            finally:
                for task in (serving, sending):
                    task.cancel()
                await asyncio.gather(serving, sending, return_exceptions=True)

    answers = live(test())
    assert [answer.classes[0][0] for answer in answers] == [index % 3 for index in range(PICTURES)]
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [int(re.search(r"image +([0-9]+)", line)[1]) for line in lines] == [answer.image for answer in answers]  # type: ignore[index]
    assert "recv: serving on Bluetooth; Ctrl-C stops" in printed.err
    assert "recv: connected to camera (C0:00:00:00:00:01), MTU 247" in printed.err


def test_a_port_and_bluetooth_together_are_wrong_usage() -> None:
    arguments = recv.parser().parse_args(["--ble", "--port", "/dev/ttyACM0"])
    with pytest.raises(CommandError, match="--ble uses this computer's own Bluetooth") as error:
        asyncio.run(recv.recv(arguments))
    assert error.value.status == USAGE


@pytest.mark.parametrize(
    ("cameras", "said"),
    [
        (["--ble", "--ble", "attic"], "name each of several"),
        (["--ble", "Attic", "--ble", "attic"], "it is named twice"),
        ([word for number in range(9) for word in ("--ble", str(number))], "9 cameras given, at most 8 are possible"),
    ],
)
def test_cameras_that_cannot_be_told_apart_or_are_too_many_are_wrong_usage(cameras: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as error:
        asyncio.run(recv.recv(recv.parser().parse_args(cameras)))
    assert error.value.status == USAGE


def test_there_are_as_many_cameras_as_the_core_has_connections() -> None:
    config = Path(__file__).parents[2] / "firmware" / "core" / "include" / "pnc" / "config.h"
    connections = re.search(r"#define PNC_PEERS ([0-9]+)u", config.read_text())
    assert connections is not None
    assert int(connections[1]) == PEERS


def test_without_bleak_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bleak.py").write_text("raise ImportError('not here')\n")
    ended = run("host.recv", "--ble", cwd=tmp_path)
    assert ended.status == 1
    assert ended.err == "recv: Bluetooth of this computer needs the package bleak: pip install 'pnc-link[ble]'\n"


def test_a_name_that_is_advertised_is_shown_and_obeyed_by_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test() -> str:
        air = Air()
        async with camera_on(air, name="a\x1b[2J\n"):
            bluetooth = await adapter(air)
            return await printed_by_recv(bluetooth, tmp_path, capsys, options=["--pair"], until="connected to")

    assert "recv: connected to a\\x1b[2J\\n (C0:00:00:00:00:01), MTU 247" in live(test()).splitlines()
