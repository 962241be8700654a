"""What the other end says and cannot be true is reported to a person, in one line with the port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from host.camera.camera import Camera
from host.codec import load
from host.link.border import Flaw
from host.sim.virtual_boards import virtual_boards
from host.transport.driver import now_us
from host.wire import Hop, Picture, Pong

LINE = "virtual {} board: not used, since it cannot be true: {} (3 times)"


def test_by_the_camera() -> None:
    async def test() -> None:
        notices: list[str] = []
        async with virtual_boards() as boards, Camera(boards[0], on_notice=notices.append) as camera:
            for _ in range(3):
                camera.sender._on_packet(0, Pong(hop=Hop.PEER_HOST, token=camera.sender._nonce, origin_us=77))
            while not notices:
                await asyncio.sleep(0.05)
        assert notices == [LINE.format("camera", Flaw.PONG_ORIGIN)]

    asyncio.run(asyncio.wait_for(test(), 60))


def test_by_the_edge_server(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
    pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")
    from host.edge.classifier import Classifier
    from host.edge.server import EdgeServer
    from tests.edge.tiny_models import colour_classifier

    async def test() -> None:
        notices: list[str] = []
        classifier = Classifier("colours", colour_classifier(tmp_path / "colours.onnx"))
        async with (
            virtual_boards() as (camera, edge),
            EdgeServer(edge, load(), classifier, on_notice=notices.append),
            Camera(camera) as sender,
        ):
            await sender.connect(20)
            channel = sender.sender.session.channel
            for rank, last in ((7, False), (3, True), (8, False)):
                channel.write(now_us(), Picture(1, rank, 0, 5_000, b"\x24" * 9, last))
            sender._driver.wake()
            while not notices:
                await asyncio.sleep(0.05)
        assert notices[0].startswith(f"virtual edge board: not used, since it cannot be true: {Flaw.LAST}")

    asyncio.run(asyncio.wait_for(test(), 60))
