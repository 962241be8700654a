"""A camera sends pictures: from files and from memory, each decoded once, its deadline counted from then on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host import send as command
from host.camera import camera as module
from host.camera import source
from host.camera.camera import Camera, CameraError
from host.codec import PictureError, load, load_picture
from host.edge.classifier import Classifier
from host.edge.classifier import load as load_classifier
from host.edge.server import EdgeServer
from host.errors import Reason
from host.link.sender import DeadlineInfeasibleError
from host.sim.virtual_boards import virtual_boards
from host.transport.driver import now_us
from tests.commands.conftest import SAMPLE
from tests.edge.tiny_models import colour_classifier

LIMIT_S = 60
CODEC = load()
SLOW_DISK_S = 0.4


def live(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, LIMIT_S))


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return load_classifier(str(colour_classifier(tmp_path / "colours.onnx")))


class Reader:
    """Reads pictures as ``load_picture`` does, from a slow disk, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: str | Path, on_notice: Callable[[str], None], *, centre: bool = False) -> np.ndarray:
        self.count += 1
        time.sleep(SLOW_DISK_S)
        return load_picture(path, on_notice, centre=centre)


def test_pixels_and_files_are_sent_and_reading_does_not_count(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    monkeypatch.setattr(module, "load_picture", reader)

    async def test() -> None:
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier),
            Camera(camera_board) as camera,  # without a codec: it loads the shipped one
        ):
            await camera.connect(20)
            from_memory = await camera.send_picture(np.full((224, 224, 3), 90, np.uint8), deadline_ms=20_000)
            assert (from_memory.status, from_memory.file, reader.count) == ("ok", "", 0)
            start = time.monotonic()
            from_file = await camera.send_picture(SAMPLE, deadline_ms=20_000)
            took_ms = (time.monotonic() - start) * 1000
            assert (from_file.status, from_file.file, reader.count) == ("ok", str(SAMPLE), 1)
            assert from_file.answer_ms is not None
            assert from_file.answer_ms <= took_ms - SLOW_DISK_S * 1000
            with pytest.raises(PictureError, match=r"nothing\.jpg"):
                await camera.send_picture("nothing.jpg", deadline_ms=20_000)

    live(test())


def test_the_time_of_a_picture_counts_from_when_it_was_taken(classifier: Classifier) -> None:
    async def test() -> None:
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier),
            Camera(camera_board, CODEC) as camera,
        ):
            await camera.connect(20)
            pixels = np.full((224, 224, 3), 90, np.uint8)
            report = await camera.send_picture(pixels, deadline_ms=20_000, taken_us=now_us() - 1_500_000)
            assert report.status == "ok"
            assert report.answer_ms is not None
            assert report.last_useful_ms is not None
            assert 1500 < report.last_useful_ms < report.answer_ms
            assert report.encode_ms < 1500
            with pytest.raises(DeadlineInfeasibleError):
                await camera.send_picture(pixels, deadline_ms=1000, taken_us=now_us() - 1_500_000)
            later = await camera.send_picture(pixels, deadline_ms=20_000, taken_us=now_us() + 10**9)
            assert later.answer_ms is not None
            assert later.answer_ms > 0, "no picture is from the future"

    live(test())


@pytest.mark.parametrize("files", [1, 2])
def test_the_command_decodes_every_picture_once(
    files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader()
    monkeypatch.setattr(source, "load_picture", reader)
    monkeypatch.chdir(tmp_path)
    classifier = colour_classifier(tmp_path / "colours.onnx")
    options = ["--port", "sim", "--deadline", "20s", "--classifier", str(classifier)]
    arguments = command.parser().parse_args([*[str(SAMPLE)] * files, *options])
    assert asyncio.run(command.send(arguments)) == 0
    assert reader.count == files
    assert str(SAMPLE) in capsys.readouterr().out


@pytest.fixture
def thermal(tmp_path: Path) -> Path:
    """A picture of a thermal camera, about which there is a notice."""
    (tmp_path / "day").mkdir()
    values = 7000 + np.arange(224 * 224).reshape(224, 224) // 100
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "day" / "thermal.png")
    return tmp_path / "day" / "thermal.png"


NOTICE = "thermal.png: 16-bit grey: its own range of values, 7,000 to 7,501, became black to white"


def test_what_was_done_to_a_file_is_reported_to_programs(classifier: Classifier, thermal: Path) -> None:
    async def test() -> None:
        notices: list[str] = []
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier),
            Camera(camera_board, CODEC, on_notice=notices.append) as camera,
        ):
            await camera.connect(20)
            report = await camera.send_picture(thermal, deadline_ms=20_000)
            plain = await camera.send_picture(SAMPLE, deadline_ms=20_000)
        assert report.status == "ok"
        assert report.notices == tuple(notices) == (f"{thermal.parent}/{NOTICE}",)
        assert report.as_json()["notices"] == report.notices
        assert plain.notices == ()

    live(test())


@pytest.mark.parametrize("way", ["a file", "two files", "a folder", "a folder of folders"])
def test_what_was_done_to_a_file_is_printed_and_in_the_json(
    way: str, thermal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    named = {
        "a file": [thermal],
        "two files": [thermal, SAMPLE],
        "a folder": [thermal.parent],
        "a folder of folders": [tmp_path, "--recursive"],
    }
    classifier = colour_classifier(tmp_path / "colours.onnx")
    options = ["--port", "sim", "--deadline", "20s", "--classifier", str(classifier), "--json"]
    assert asyncio.run(command.send(command.parser().parse_args([*map(str, named[way]), *options]))) == 0
    out, err = capsys.readouterr()
    report = next(each for each in map(json.loads, out.splitlines()) if each["file"] == str(thermal))
    assert report["notices"] == [f"{thermal.parent}/{NOTICE}"]
    assert f"send: {thermal.parent}/{NOTICE}" in err.splitlines()


def test_a_single_file_that_is_no_picture_is_refused_before_a_board_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    monkeypatch.setattr(command, "Camera", None)
    monkeypatch.setattr(command, "_testbed", None)
    arguments = command.parser().parse_args([str(tmp_path / "bad.jpg"), "--port", "sim"])
    with pytest.raises(PictureError, match=r"bad\.jpg"):
        asyncio.run(command.send(arguments))


@pytest.mark.parametrize(
    ("air", "reason"),
    [({}, Reason.NO_EDGE_SERVER), ({"trace": "dead.csv"}, Reason.NO_EDGE_BOARD)],
    ids=["no program at the edge board", "no radio"],
)
def test_what_is_missing_is_a_reason(
    air: dict[str, Any], reason: Reason, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dead.csv").write_text("time_s,rate_kbps,loss\n0,50,1\n")
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with virtual_boards(**air) as (camera_board, _), Camera(camera_board) as camera:
            with pytest.raises(CameraError) as error:
                await camera.connect(0.8)
            assert error.value.reason is reason
            assert str(error.value).startswith(f"{camera_board.name}: no edge ")

    live(test())
