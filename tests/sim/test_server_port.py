"""An edge server whose board is unplugged waits for it, and serves again when it is back at the same path."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from host.camera.camera import Camera
from host.codec import load
from host.edge.classifier import DEFAULT_CLASSIFIER
from host.edge.classifier import load as load_classifier
from host.edge.errors import ServerError
from host.edge.server import EdgeServer
from host.errors import Reason
from host.link.events import Answer
from host.transport.driver import now_us
from host.transport.serial_port import SerialTransport
from host.wire import ResultStatus
from tests import pace
from tests.sim.realtime_scene import BAUD, live, running, running_world
from tests.sim.scene import air

CODEC = load()
PACKETS = CODEC.encode(np.full((224, 224, 3), 90, np.uint8))


def server(path: Path, notices: list[str], *, reopen: bool, servings: list[None] | None = None) -> EdgeServer:
    return EdgeServer(
        SerialTransport(str(path), BAUD),
        CODEC,
        load_classifier(DEFAULT_CLASSIFIER),
        on_notice=notices.append,
        on_ready=lambda: servings.append(None) if servings is not None else None,
        reopen=reopen,
    )


def plug_in(path: Path, port: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(port)


async def is_served(port: str) -> None:
    async with Camera(SerialTransport(port, BAUD)) as camera:
        await camera.connect(pace.seconds(10))
        answer = await camera.send(PACKETS, now_us() + pace.deadline_us(5_000_000))
        assert isinstance(answer, Answer)
        assert answer.status is ResultStatus.OK


def test_a_server_serves_again_after_its_board_was_unplugged_and_came_back(tmp_path: Path) -> None:
    async def run() -> None:
        path, notices, servings = tmp_path / "edge-board", list[str](), list[None]()
        async with running_world(air()) as world:
            plug_in(path, world.paths[-1])
            async with running(server(path, notices, reopen=True, servings=servings).run()) as serving:
                await is_served(world.paths[0])
                world.unplug(1)
                while not notices:
                    await asyncio.sleep(0.02)
                async with running_world(air(seed=2)) as later:
                    plug_in(path, later.paths[-1])
                    await is_served(later.paths[0])
                assert not serving.done()
        assert "waiting for it to come back" in notices[0]
        assert str(path) in notices[0]
        assert len(servings) == 2

    live(run())


def test_without_reopen_the_server_ends_with_the_port_named(tmp_path: Path) -> None:
    async def run() -> None:
        path, notices = tmp_path / "edge-board", list[str]()
        async with running_world(air()) as world:
            plug_in(path, world.paths[-1])
            async with running(server(path, notices, reopen=False).run()) as serving:
                await is_served(world.paths[0])
                world.unplug(1)
                met_first = rf"{path}: (the port went away|cannot write)"
                with pytest.raises(ServerError, match=met_first) as error:
                    await serving
                assert error.value.reason is Reason.PORT_LOST

    live(run())


def test_a_server_without_its_port_ends_at_once_and_names_it(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=f"^{tmp_path / 'nothing'}: no such port$") as error:
        live(server(tmp_path / "nothing", [], reopen=True).run())
    assert error.value.reason is Reason.PORT_MISSING
