"""This computer's Bluetooth as the edge board's radio, against a real ATT and GATT stack."""

from __future__ import annotations

import asyncio
import random

import pytest

from host.camera.camera import Camera
from host.errors import Reason
from host.link.events import Answer
from host.transport.ble import BleLink, choose, scan
from host.transport.driver import now_us
from host.transport.transport import TransportError
from host.wire import MAX_PACKET, VERSION, Hello, Kind, Picture
from tests import pace
from tests.ble.air import Air
from tests.ble.scene import CAMERA_ADDRESS, OTHER_ADDRESS, adapter, camera_on, edge_on, live, scan_s
from tests.link.desk import ranked

CONNECT_S = 20.0
IN_TIME_US = 30_000_000


async def send(camera: Camera, count: int, packets: int = 12) -> list[Answer]:
    """Send pictures one after the other; each must be answered."""
    answers = []
    for _ in range(count):
        answer = await camera.send(ranked(packets), now_us() + pace.deadline_us(IN_TIME_US))
        assert isinstance(answer, Answer)
        answers.append(answer)
    return answers


def test_over_a_lossy_link_no_picture_is_lost_and_the_order_of_ranks_is_kept() -> None:
    async def test() -> None:
        air = Air(loss=0.1)
        async with camera_on(air) as board, edge_on(air) as edge, Camera(board.transport) as camera:
            await camera.connect(pace.seconds(CONNECT_S))
            answers = await send(camera, 40)
        assert air.repeated > 20  # there was loss
        assert len({answer.image for answer in answers}) == 40
        assert [collected.image for collected in edge.collected] == [answer.image for answer in answers]
        for collected in edge.collected:
            assert collected.whole
            assert [packet.data for packet in collected.packets] == [packet.data for packet in ranked(12)]
            arrived = [collected.arrived_us[rank] for rank in range(12)]
            assert arrived == sorted(arrived)
        assert board.transport.totals.sent == board.transport.totals.accepted == 40 * 12

    live(test())


def test_a_camera_board_says_nothing_but_hello_before_it_has_heard_one() -> None:
    async def test() -> None:
        air = Air()
        got: list[bytes] = []
        async with camera_on(air) as board:
            bluetooth = await adapter(air)
            [found] = await scan(bluetooth, seconds=scan_s())
            link = BleLink(found, got.append, lambda: None, bluetooth)
            async with Camera(board.transport) as camera:
                sending = asyncio.create_task(camera.connect(pace.seconds(CONNECT_S)))
                assert await link.open() == MAX_PACKET + 3
                await asyncio.sleep(0.3)
                [hello] = got
                assert Hello.unpack(hello).kind == Kind.BOARD
                assert not sending.done()
                await link.write(Hello(version=VERSION, kind=Kind.HOST, session=1).pack())
                while len(got) < 2:
                    await asyncio.sleep(0.005)  # now its ping for the server comes
                sending.cancel()
            await link.close()

    live(test())


def test_a_lost_connection_is_made_again_and_pictures_go_on() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as board, edge_on(air) as edge, Camera(board.transport) as camera:
            await camera.connect(pace.seconds(CONNECT_S))
            await send(camera, 2)
            for connections in (2, 3):
                await board.drop()
                await edge.until(lambda: not board.transport.is_connected)
                await edge.until(lambda n=connections: board.connections == n and board.transport.is_connected)  # type: ignore[misc]
                await send(camera, 2)
        assert len(edge.collected) == 6
        assert sum("the connection ended" in str(notice) for notice in edge.notices) >= 2

    live(test())


def test_known_boards_need_no_pairing_window() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as board, edge_on(air) as edge:
            await edge.noticed("connected to")
            board.pairing_open = False
            await board.drop()
            await edge.until(lambda: board.connections == 2 and board.transport.is_connected)

    live(test())


def test_an_unknown_computer_outside_the_pairing_window_gets_no_data_and_the_reason() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as board:
            board.pairing_open = False
            async with edge_on(air) as edge:
                notice = await edge.noticed("pairing failed")
                assert isinstance(notice, TransportError)
                assert notice.reason is Reason.PAIRING
                assert not board.transport.is_connected
                assert board.writes == []
                board.pairing_open = True
                await edge.noticed("connected to")
                assert len([notice for notice in edge.notices if "pairing failed" in str(notice)]) == 1

    live(test())


def test_an_mtu_too_small_for_a_picture_packet_is_refused() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air, mtu=185) as board, edge_on(air) as edge:
            notice = await edge.noticed("MTU")
            assert isinstance(notice, TransportError)
            assert str(notice).endswith("ATT MTU 185, and a picture packet needs 247")
            assert notice.reason is Reason.SMALL_MTU
            assert not board.transport.is_connected

    live(test())


def test_a_board_that_says_nothing_is_connected_to_again() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as board:
            board.mute = True
            async with edge_on(air) as edge:
                await edge.noticed("it sent nothing")
                board.mute = False
                await edge.noticed("connected to camera")

    live(test())


def test_a_board_that_comes_later_is_waited_for() -> None:
    async def test() -> None:
        air = Air()
        async with edge_on(air) as edge:
            assert "a camera board is not in reach" in str(edge.notices[0])
            async with camera_on(air):
                await edge.noticed("connected to")

    live(test())


def test_of_two_boards_none_is_guessed() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as one, camera_on(air, name="second", address=OTHER_ADDRESS) as two:
            with pytest.raises(TransportError, match="several camera boards are in reach") as error:
                async with edge_on(air):
                    pass
            assert all(text in str(error.value) for text in (CAMERA_ADDRESS, "camera", OTHER_ADDRESS, "second"))
            assert error.value.reason is Reason.SEVERAL_CAMERAS
            assert one.connections == two.connections == 0

    live(test())


@pytest.mark.parametrize("selector", [OTHER_ADDRESS, OTHER_ADDRESS.lower(), "second"])
def test_a_board_is_chosen_by_address_or_name(selector: str) -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as one, camera_on(air, name="second", address=OTHER_ADDRESS) as two:
            async with edge_on(air, selector) as edge:
                assert OTHER_ADDRESS in str(await edge.noticed("connected to"))
            assert (one.connections, two.connections) == (0, 1)

    live(test())


def test_several_cameras_are_served_at_once_and_one_that_is_lost_does_not_hold_up_the_other() -> None:
    async def test() -> None:
        air = Air(loss=0.05)
        async with camera_on(air) as one, camera_on(air, name="second", address=OTHER_ADDRESS) as two:
            async with (
                edge_on(air, "second", CAMERA_ADDRESS) as edge,
                Camera(one.transport) as left,
                Camera(two.transport) as right,
            ):
                await asyncio.gather(left.connect(pace.seconds(CONNECT_S)), right.connect(pace.seconds(CONNECT_S)))
                await asyncio.gather(send(left, 15), send(right, 15))
                assert [c.source for c in edge.collected].count(0) == 15
                assert [c.source for c in edge.collected].count(1) == 15
                await two.drop()
                await send(left, 5)
                await edge.until(lambda: two.connections == 2 and two.transport.is_connected)
                await send(right, 5)
            assert one.connections == 1
            for board in (one, two):
                assert board.transport.totals.accepted == board.transport.totals.sent == 20 * 12
            assert [c.source for c in edge.collected].count(0) == 20
            assert all(collected.whole for collected in edge.collected)

    live(test())


def test_a_camera_that_is_not_there_yet_does_not_hold_up_the_other() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as one, edge_on(air, "second", "camera") as edge, Camera(one.transport) as left:
            await left.connect(pace.seconds(CONNECT_S))
            await send(left, 3)
            async with camera_on(air, name="second", address=OTHER_ADDRESS) as two, Camera(two.transport) as right:
                await right.connect(pace.seconds(CONNECT_S))
                await send(right, 3)
            assert {collected.source for collected in edge.collected} == {0, 1}

    live(test())


def test_a_camera_that_is_named_twice_is_an_error() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as board:
            with pytest.raises(TransportError, match=f"{CAMERA_ADDRESS} camera: it is named twice"):
                async with edge_on(air, "camera", CAMERA_ADDRESS):
                    pass
            assert board.connections == 0

    live(test())


def test_two_boards_of_one_name_are_no_choice() -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air), camera_on(air, address=OTHER_ADDRESS):
            found = await scan(await adapter(air), "camera", scan_s())
            with pytest.raises(TransportError, match="several camera boards"):
                choose(found, "camera")
            assert choose(found, "nobody") is None

    live(test())


def test_garbage_from_the_air_does_not_stop_the_service() -> None:
    async def test() -> None:
        air = Air()
        noise = random.Random(3)
        async with camera_on(air) as board, edge_on(air) as edge, Camera(board.transport) as camera:
            await camera.connect(pace.seconds(CONNECT_S))
            for length in [*range(1, 20), *[MAX_PACKET] * 50]:
                packet = bytearray(noise.randbytes(length))
                packet[0] &= 0x7F if length % 2 else 0xFF
                if packet[0] == Hello.TYPE:
                    continue  # a hello of another version rightly ends it
                await board.notify(bytes(packet))
            await board.notify(Picture(image=1, rank=0, position=0, remaining_ms=60_000, data=b"x").pack()[:7])
            answers = await send(camera, 3)
        assert {collected.image for collected in edge.collected} >= {answer.image for answer in answers}

    live(test())
