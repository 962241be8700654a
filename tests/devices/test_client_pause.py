"""A board is not called silent because this computer paused: it is asked once more."""

from __future__ import annotations

import asyncio
import time

import pytest

from host.camera.camera import Camera
from host.devices.client import BoardClient
from host.devices.errors import NoHelloError
from host.sim.virtual_boards import virtual_boards
from host.wire import Role
from tests import pace

LIMIT_S = 60


def test_a_board_that_answers_after_a_pause_is_heard() -> None:
    async def test() -> None:
        async with virtual_boards() as boards, BoardClient(boards[0]) as client:
            greeting = asyncio.create_task(client.greet(0.3))
            await asyncio.sleep(0)
            time.sleep(1)  # neither board nor program run: its time is over before anything was read
            assert (await greeting).role == Role.CAMERA

    asyncio.run(asyncio.wait_for(test(), pace.seconds(LIMIT_S)))


def test_one_that_answers_never_is_given_up_soon() -> None:
    async def test() -> None:
        async with virtual_boards() as boards, BoardClient(boards[0]) as client:
            boards[0].write = lambda _data: None  # type: ignore[method-assign]  # a cable that is cut
            start_s = time.monotonic()
            with pytest.raises(NoHelloError):
                await client.greet(0.3)
            assert time.monotonic() - start_s < pace.seconds(2)

    asyncio.run(asyncio.wait_for(test(), pace.seconds(LIMIT_S)))


@pytest.mark.parametrize("pause_s", [2, 7])
def test_a_camera_goes_on_after_a_pause(pause_s: float) -> None:
    async def test() -> None:
        async with virtual_boards() as boards, Camera(boards[0]) as camera:
            while camera.sender.session.hello is None:
                await asyncio.sleep(0.05)
            time.sleep(pause_s)
            await asyncio.sleep(1)
            assert camera._driving is not None
            assert not camera._driving.done()
            assert camera.sender.session.state.name == "OPEN"

    asyncio.run(asyncio.wait_for(test(), pace.seconds(LIMIT_S)))
