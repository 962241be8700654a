"""The examples for an application of one's own, run as programs of a user (see ``test_examples.py``)."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from tests import pace
from tests.api.test_examples import ENVIRONMENT, EXAMPLES, WATCHED, example, project  # noqa: F401
from tests.commands.conftest import LIMIT_S, SAMPLE, Boards, boards, line_with, run  # noqa: F401

ROOT = Path(__file__).parents[2]
#: Debian installs it where a user's PATH does not look.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def program(name: str, *arguments: object, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run an example in the background."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", WATCHED, str(EXAMPLES / f"{name}.py"), *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = threading.Timer(pace.seconds(LIMIT_S), process.kill)
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def send(boards: Boards, *files: Path) -> None:  # noqa: F811
    """Send pictures until they are answered: the example may still load its networks."""
    options = ["--port", boards.camera, "--deadline", "5s", "--connect", f"{pace.seconds(30)}s"]
    ended = run("host.send", *files, *options, cwd=ROOT / "docs")
    assert ended.status == 0, ended.err


def test_a_sink_gets_arrays(project: Path, boards: Boards, tmp_path: Path) -> None:  # noqa: F811
    files = [tmp_path / "black.png", tmp_path / "half.png"]
    pixels = np.zeros((224, 224, 3), np.uint8)
    Image.fromarray(pixels).save(files[0])
    pixels[:, :112] = 255
    Image.fromarray(pixels).save(files[1])
    with program("sink", boards.edge, 2, folder=project) as process:
        send(boards, *files)
        said = re.fullmatch(r"camera 0: ([0-9]+)% changed\n", line_with(process, "changed", "stdout"))
        assert said is not None
        assert 47 <= int(said[1]) <= 53
        assert process.wait(pace.seconds(20)) == 0


@pytest.mark.parametrize("colour", ["red", "green", "blue", "grey"])
def test_an_own_classifier_answers(colour: str, project: Path) -> None:  # noqa: F811
    pytest.importorskip("onnx", reason="onnx is not installed (extra evaluate)")
    picture = project / "picture.png"
    Image.new("RGB", (300, 200), {"green": (20, 200, 20), "grey": (90, 90, 90)}.get(colour, colour)).save(picture)
    done = example("own_classifier", picture, folder=project)
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first.split()[-1] == colour or colour == "grey"
    assert {line.split()[-1] for line in [first, *others]} == {"red", "green", "blue", "grey"}
    assert (project / "colours.onnx").is_file()


def test_a_detector_says_where_something_is(project: Path) -> None:  # noqa: F811
    pixels = np.full((224, 224, 3), 30, np.uint8)
    pixels[40:120, 64:160] = (250, 220, 40)
    Image.fromarray(pixels).save(project / "picture.png")
    done = example("detector", project / "picture.png", folder=project)
    assert done.returncode == 0, done.stderr
    box = re.fullmatch(r"object at ([0-9]+),([0-9]+) to ([0-9]+),([0-9]+)\n", done.stdout)
    assert box is not None, done.stdout
    assert np.abs(np.array([int(each) for each in box.groups()]) - (64, 40, 160, 120)).max() <= 3
    Image.new("RGB", (224, 224), "navy").save(project / "empty.png")
    assert example("detector", project / "empty.png", folder=project).stdout == "nothing\n"


def test_a_camera_program_sends_a_film(project: Path, boards: Boards, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("av", reason="PyAV is not installed (extra camera)")
    from tests.camera.films import film

    path = film(tmp_path / "film.avi", 30 * 60, fps=15)
    with program("edge_server", boards.edge, folder=project):
        time.sleep(pace.seconds(4))  # its networks are loaded
        with program("live_camera", boards.camera, path, 2, folder=project) as process:
            for _ in range(2):
                line = line_with(process, f"camera {path}, picture ", "stdout")
                assert re.search(r": (ok|late), [0-9]+ bytes, |: (unanswered|unsent)", line), line
            assert process.wait(pace.seconds(20)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def broker(port: int, folder: Path) -> Iterator[None]:
    """Run Mosquitto on the loopback interface."""
    assert MOSQUITTO is not None
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + pace.seconds(10)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end_s
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def retained(port: int, count: int) -> dict[str, bytes]:
    """Return retained messages of the broker: as many as there should be."""
    import asyncio

    import aiomqtt

    async def read() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with asyncio.timeout(pace.seconds(20)), aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("#", qos=1)
            async for message in client.messages:
                found[str(message.topic)] = bytes(message.payload)  # type: ignore[arg-type]
                if len(found) == count:
                    break
        return found

    return asyncio.run(read())


def test_home_assistant_finds_the_camera_and_gets_its_pictures(
    project: Path,  # noqa: F811
    boards: Boards,  # noqa: F811
    tmp_path: Path,
) -> None:
    pytest.importorskip("aiomqtt", reason="aiomqtt is not installed")
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    port = free_port()
    with program("home_assistant", boards.edge, f"127.0.0.1:{port}", 2, folder=project) as process:
        assert "waiting for it" in line_with(process, f"127.0.0.1:{port}", "stdout"), "no broker yet"
        with broker(port, tmp_path):
            line_with(process, "connected to", "stdout")
            send(boards, SAMPLE, SAMPLE)
            assert process.wait(pace.seconds(20)) == 0
            found = retained(port, 5)
    image = json.loads(found["homeassistant/image/pnc_camera0_image/config"])
    sensor = json.loads(found["homeassistant/sensor/pnc_camera0_sensor/config"])
    assert found[image["image_topic"]][8:12] == b"WEBP"
    state = json.loads(found[sensor["state_topic"]])
    assert (state["label"], sensor["value_template"]) == ("espresso", "{{ value_json.label }}")
    assert image["device"]["identifiers"] == sensor["device"]["identifiers"]
    assert image["unique_id"] != sensor["unique_id"]
    assert found[sensor["availability_topic"]] == b"offline"
