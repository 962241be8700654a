"""The choice of a board: the one that fits, never a guess."""

from __future__ import annotations

import asyncio

import pytest

from host.devices.choice import AUTO, choose_for_role, choose_for_writing, choose_pair
from host.devices.errors import BoardError
from host.devices.survey import survey
from host.errors import Reason
from host.wire import Role
from tests.boards.desk import Desk, Record, bootloader, dongle, greeting, hello, kit

OTHER = Record("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "1-1:1.0", "FT232R USB UART")


def test_auto_is_the_only_board_with_firmware_and_of_two_none_is_guessed(desk: Desk) -> None:
    desk.records.append(OTHER)
    desk.add(bootloader())
    assert choose_for_role(desk.system(), AUTO, "camera") is None
    desk.add(kit())
    board = choose_for_role(desk.system(), AUTO, "camera")
    assert board is not None
    assert board.port == "/dev/ttyACM0"
    desk.add(dongle())
    with pytest.raises(BoardError) as error:
        choose_for_role(desk.system(), AUTO, "camera")
    assert error.value.reason is Reason.SEVERAL_BOARDS
    assert str(error.value) == (
        "several boards are attached: /dev/ttyACM0 (serial 683123456), /dev/ttyACM5 (serial E1D2C3B4A5968778)"
    )


def test_a_port_is_not_a_board_to_choose(desk: Desk) -> None:
    desk.add(kit())
    assert choose_for_role(desk.system(), "/dev/ttyACM0", "camera") is None


def test_a_pair_is_one_camera_and_one_edge_board(desk: Desk) -> None:
    desk.add(kit(), greeting(hello(Role.CAMERA)))
    desk.add(kit("2", "/dev/ttyACM1"), greeting(hello(Role.NONE)))
    boards = asyncio.run(survey(desk.system()))
    with pytest.raises(BoardError, match="attached are 1 of role camera, 0 of role edge") as error:
        choose_pair(boards)
    assert error.value.reason is Reason.UNKNOWN_BOARD
    desk.add(kit("3", "/dev/ttyACM2"), greeting(hello(Role.EDGE)))
    camera, edge = choose_pair(asyncio.run(survey(desk.system())))
    assert (camera.port, edge.port) == ("/dev/ttyACM0", "/dev/ttyACM2")


def test_no_board_is_greeted_to_be_written_unless_its_role_decides(desk: Desk) -> None:
    first = desk.add(kit(), greeting(hello(Role.CAMERA)))
    desk.add(kit("2", "/dev/ttyACM1"), greeting(hello(Role.EDGE)))
    system = desk.system()
    boards = system.boards()
    chosen = asyncio.run(choose_for_writing(system, boards, serial="0002"))
    assert chosen.port == "/dev/ttyACM1"
    assert first.opened == 0
    assert asyncio.run(choose_for_writing(system, boards, role="camera")).port == "/dev/ttyACM0"
    assert first.opened == 1
