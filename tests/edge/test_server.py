"""The edge server as programs use it: a callback, or an asynchronous iterator of answered pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.camera.camera import Camera
from host.codec import load
from host.edge.answered import AnsweredPicture
from host.edge.archive import Archive
from host.edge.classifier import Classifier
from host.edge.classifier import load as load_classifier
from host.edge.errors import ServerError
from host.edge.server import MAX_WAITING, EdgeServer
from host.errors import Reason
from host.link.events import Event, ImageCollected, LinkChanged, Opened
from host.sim.virtual_boards import virtual_boards
from host.transport.transport import TransportError
from tests.edge.tiny_models import colour_classifier

COLOURS = {"red": (210, 40, 40), "green": (40, 190, 60), "blue": (40, 60, 200)}
LIMIT_S = 60
CODEC = load()


def live(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, LIMIT_S))


def painted(colour: str) -> np.ndarray:
    return np.full((224, 224, 3), COLOURS[colour], np.uint8)


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return load_classifier(str(colour_classifier(tmp_path / "colours.onnx")))


class Memory:
    """A transport without a board, that fails when the test wants it to."""

    name = "memory"

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.closed = 0

    async def open(self) -> None:
        if self.lost.is_set():
            raise TransportError("memory: gone", reason=Reason.PORT_LOST)

    def write(self, data: bytes) -> None:
        """Nothing answers."""

    async def read(self) -> bytes:
        await self.lost.wait()
        raise TransportError("memory: gone", reason=Reason.PORT_LOST)

    async def close(self) -> None:
        self.closed += 1


def test_answered_pictures_come_in_order_with_their_pixels(classifier: Classifier) -> None:
    async def test() -> None:
        events: list[Event] = []
        found: list[AnsweredPicture] = []
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier, on_event=events.append) as server,
            Camera(camera_board, CODEC) as camera,
        ):
            await camera.connect(20)
            for colour in COLOURS:
                report = await camera.send_picture(painted(colour), deadline_ms=20_000)
                assert report.status == "ok"
            async for picture in server:
                found.append(picture)
                if len(found) == len(COLOURS):
                    break
        assert [picture.top[0][0] for picture in found] == [0, 1, 2]
        for picture, colour in zip(found, COLOURS.values(), strict=True):
            assert picture.whole
            assert picture.pixels is not None
            assert picture.pixels.shape == (224, 224, 3)
            assert np.abs(picture.pixels.mean(axis=(0, 1)) - colour).max() < 12
            assert not {"pixels", "cells"} & picture.as_json().keys()
            assert picture.used_bytes == picture.bytes
            assert picture.cells is not None
            assert picture.interpolated == pytest.approx(float(picture.cells.mean()), abs=1e-4)
        assert {type(event) for event in events} >= {Opened, LinkChanged, ImageCollected}

    live(test())


def test_a_program_that_does_not_iterate_gets_every_picture_by_callback(classifier: Classifier, tmp_path: Path) -> None:
    count = MAX_WAITING + 3

    async def test() -> None:
        found: list[AnsweredPicture] = []
        archive = Archive(tmp_path / "kept")
        async with virtual_boards() as (camera_board, edge_board):
            server = EdgeServer(edge_board, CODEC, classifier, archive=archive, on_picture=found.append)
            async with server, Camera(camera_board, CODEC) as camera:
                await camera.connect(20)
                for _ in range(count):
                    await camera.send_picture(painted("red"), deadline_ms=20_000)
            # What was answered is also recorded, though the server stopped right after the last answer.
            assert len(found) == count
        archive.close()
        assert len((tmp_path / "kept" / "pictures.jsonl").read_text().splitlines()) == count
        assert all(picture.picture is not None and Path(picture.picture).is_file() for picture in found)

    live(test())


def test_a_server_that_failed_ends_the_iteration_with_its_error(classifier: Classifier) -> None:
    async def test() -> None:
        transport = Memory()
        async with EdgeServer(transport, CODEC, classifier, reopen=False) as server:
            transport.lost.set()
            with pytest.raises(ServerError, match="memory: gone") as error:
                await anext(server)
            assert error.value.reason is Reason.PORT_LOST
            with pytest.raises(ServerError, match="memory: gone"):  # and again, as long as one asks
                await anext(server)
            server_closes = transport.closed == 0
        assert server_closes

    live(test())


def test_a_server_that_failed_ends_its_context_with_its_error(classifier: Classifier) -> None:
    async def test() -> None:
        transport = Memory()
        server = await EdgeServer(transport, CODEC, classifier, reopen=False).__aenter__()
        transport.lost.set()
        await asyncio.sleep(0.2)
        with pytest.raises(ServerError, match="memory: gone"):
            await server.__aexit__(None, None, None)
        assert transport.closed == 1

    live(test())


def test_a_server_that_is_sure_enough_ends_a_picture_early(classifier: Classifier) -> None:
    async def test() -> None:
        found: list[AnsweredPicture] = []
        noise = np.random.default_rng(1).integers(0, 256, (28, 28, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        async with virtual_boards(rate_bps=4_000) as (camera_board, edge_board):
            server = EdgeServer(edge_board, CODEC, classifier, on_picture=found.append, sure=0.01)
            async with server, Camera(camera_board, CODEC) as camera:
                await camera.connect(20)
                start_s = asyncio.get_running_loop().time()
                report = await camera.send_picture(noise, deadline_ms=30_000)
                took_s = asyncio.get_running_loop().time() - start_s
        assert report.status == "ok"
        assert report.packets_delivered < report.packets_encoded
        assert took_s < 7  # all of it would take 8 s
        assert [picture.enough for picture in found] == [True]

    live(test())


def test_what_the_callback_raises_ends_the_server(classifier: Classifier) -> None:
    async def test() -> None:
        def full(_: AnsweredPicture) -> None:
            raise BrokenPipeError("the program that reads our output ended")

        async with virtual_boards() as (camera_board, edge_board), Camera(camera_board, CODEC) as camera:
            serving = asyncio.create_task(EdgeServer(edge_board, CODEC, classifier, on_picture=full).run())
            await camera.connect(20)
            await camera.send_picture(painted("red"), deadline_ms=20_000)
            with pytest.raises(BrokenPipeError):
                await serving

    live(test())


def test_too_many_hanging_workers_end_the_server_with_their_error(classifier: Classifier) -> None:
    async def test() -> None:
        server = EdgeServer(Memory(), CODEC, classifier)
        async with server:
            server._answering.fail(ServerError("3 runs hang"))
            with pytest.raises(ServerError, match="3 runs hang"):
                await anext(server)

    live(test())


def test_a_transport_that_cannot_be_opened_is_reported_with_its_reason(classifier: Classifier) -> None:
    async def test() -> None:
        transport = Memory()
        transport.lost.set()
        with pytest.raises(ServerError, match="memory: gone") as error:
            await EdgeServer(transport, CODEC, classifier).run()
        assert error.value.reason is Reason.PORT_LOST

    live(test())


def test_a_server_encodes_and_measures_one_picture_before_it_serves(classifier: Classifier) -> None:
    async def test() -> None:
        async with (
            virtual_boards() as (camera_board, edge_board),
            EdgeServer(edge_board, CODEC, classifier),
            Camera(camera_board) as camera,
        ):
            ready = await camera.connect(20)
            assert ready.service_us > 0

    live(test())
