"""Without pseudo-terminals, programs of this process use the boards' lines directly."""

from __future__ import annotations

import asyncio

import pytest

from host.camera.camera import Camera
from host.errors import Reason
from host.link.events import Answer, Event, ImageCollected
from host.link.receiver import Receiver
from host.ranked import RankedPacket
from host.sim.line import UART_BYTES_PER_S
from host.sim.realtime import RealTimeWorld
from host.sim.world import World
from host.transport.driver import Driver, now_us
from host.transport.transport import TransportError
from tests import pace
from tests.sim.realtime_scene import connected, live, running


def test_a_picture_crosses_without_pseudo_terminals() -> None:
    async def cross() -> tuple[Answer, list[ImageCollected]]:
        world = RealTimeWorld(World(now_us=now_us()), terminals=False)
        camera_transport, edge_transport = world.transport(0), world.transport(1)
        receiver = Receiver(nonce=5, service_us=1_000)
        collected: list[ImageCollected] = []

        def on_event(event: Event) -> None:
            if isinstance(event, ImageCollected):
                if event.final:
                    collected.append(event)
                used = [packet.rank for packet in event.packets]
                receiver.answer(now_us(), event, [(7, "cock", 1.0)], service_us=1_000, used=used)
                driver.wake()

        driver = Driver(receiver, edge_transport, on_event)
        await edge_transport.open()
        async with running(world.run()), running(driver.run()), Camera(camera_transport) as camera:
            await connected(camera)
            packets = [RankedPacket(rank, rank, bytes([rank]) * 100) for rank in range(5)]
            answer = await camera.send(packets, now_us() + pace.deadline_us(5_000_000))
            assert isinstance(answer, Answer)
            return answer, collected

    answer, [collected] = live(cross())
    assert answer.classes[0][1] == "cock"
    assert [packet.data for packet in collected.packets] == [bytes([rank]) * 100 for rank in range(5)]


def test_a_line_serves_one_transport_at_a_time() -> None:
    async def open_twice() -> None:
        world = RealTimeWorld(World(now_us=now_us()), terminals=False)
        first, second = world.transport(0), world.transport(0)
        await first.open()
        with pytest.raises(TransportError, match=r"^virtual camera board: in use$") as error:
            await second.open()
        assert error.value.reason is Reason.PORT_BUSY
        await second.close()
        await first.close()
        await second.open()
        await asyncio.sleep(0)

    live(open_twice())


def test_no_byte_reaches_a_board_before_it_was_written() -> None:
    """The model's clock stands at its last action, which may be long ago when a host writes."""

    async def write() -> None:
        world = World(now_us=now_us() - 1_000_000)
        line, heard = world.cameras[0].line, list[int]()

        class Board:
            def serial_rx(self, now_us: int, data: bytes) -> None:
                heard.extend([now_us] * len(data))

        line.board = Board()  # type: ignore[assignment]
        transport = RealTimeWorld(world, terminals=False).transport(0)
        written_us = now_us()
        transport.write(bytes(100))
        world.schedule.run_until(now_us() + 10_000)
        assert len(heard) == 100
        assert heard[0] >= written_us + 64 * 1_000_000 // UART_BYTES_PER_S
        assert heard[-1] >= written_us + 100 * 1_000_000 // UART_BYTES_PER_S

    live(write())
