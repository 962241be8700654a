"""The transport to a board with a known serial number: its port is looked up at every opening."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import numpy as np
import pytest

from host.camera.camera import Camera
from host.cli.board_choice import chosen_port
from host.codec import load
from host.devices.board_transport import BoardTransport
from host.devices.choice import port_named
from host.edge.classifier import DEFAULT_CLASSIFIER
from host.edge.classifier import load as load_classifier
from host.edge.server import EdgeServer
from host.link.events import Answer
from host.recv import parser
from host.sim.world import WorldSettings
from host.transport.driver import now_us
from host.transport.serial_port import SerialTransport
from host.transport.transport import TransportError
from host.wire import Hello
from tests.boards.desk import Desk, Record, Scripted, dongle, greeting, hello, kit
from tests.sim.realtime_scene import BAUD, live, running, running_world


def second(port: str = "/dev/ttyACM1") -> Record:
    """Return the second port of a development kit."""
    record = kit(port=port)
    record.location = "1-2:1.2"
    return record


def opened(desk: Desk, port: BoardTransport) -> str:
    """Open the transport; return the name of its port."""
    asyncio.run(port.open())
    assert port.name in desk.ports
    return port.name


def hellos(port: Scripted) -> int:
    return sum(isinstance(packet, Hello) for packet in port.heard)


def test_a_board_that_comes_back_under_another_name_is_found_there(desk: Desk) -> None:
    desk.add(kit("7", "/dev/ttyACM3"))
    desk.add(kit())
    port = BoardTransport(desk.system(), desk.system().boards()[0])
    assert opened(desk, port) == "/dev/ttyACM0"
    del desk.records[1]
    with pytest.raises(TransportError, match=r"^the board \(serial 683123456\) is not attached$"):
        asyncio.run(port.open())
    desk.add(kit(port="/dev/ttyACM9"))
    assert opened(desk, port) == "/dev/ttyACM9"


def test_a_board_without_a_serial_number_is_found_at_its_socket(desk: Desk) -> None:
    desk.add(kit("", "/dev/ttyACM0", "1-2"))
    port = BoardTransport(desk.system(), desk.system().boards()[0])
    desk.records.clear()
    desk.add(kit("", "/dev/ttyACM0", "1-7"))
    desk.add(kit("", "/dev/ttyACM4", "1-2"))
    assert opened(desk, port) == "/dev/ttyACM4"


def test_a_boards_only_port_is_opened_without_a_greeting(desk: Desk) -> None:
    only = desk.add(kit(), greeting(hello()))
    assert opened(desk, BoardTransport(desk.system(), desk.system().boards()[0])) == "/dev/ttyACM0"
    assert (only.opened, only.heard) == (1, [])


def test_of_a_kits_two_ports_the_one_that_answers_is_taken_and_asked_first_from_then_on(desk: Desk) -> None:
    silent, board = desk.add(kit()), desk.add(second(), greeting(hello()))
    port = BoardTransport(desk.system(), desk.system().boards()[0])
    assert opened(desk, port) == "/dev/ttyACM1"
    assert hellos(silent) > 0
    asked = hellos(silent)
    assert opened(desk, port) == "/dev/ttyACM1"
    assert hellos(silent) == asked
    assert hellos(board) == 2


def test_where_no_port_of_a_kit_answers_its_first_is_opened(desk: Desk) -> None:
    desk.add(kit(), missing="in use by another program; close that one first")
    desk.add(second())
    port = BoardTransport(desk.system(), desk.system().boards()[0])
    with pytest.raises(TransportError, match="/dev/ttyACM0: in use by another program"):
        asyncio.run(port.open())


def test_a_name_leads_to_the_port_that_answers(desk: Desk) -> None:
    (desk.folder / "project" / "boards.toml").write_text('camera = "683123456"\n')
    desk.add(dongle())
    desk.add(kit())
    desk.add(second(), greeting(hello()))
    assert asyncio.run(port_named(desk.system(), "camera")) == "/dev/ttyACM1"
    arguments = parser().parse_args(["--port", "camera"])
    chosen = chosen_port(arguments, "edge", desk.system())
    assert isinstance(chosen, BoardTransport)
    assert opened(desk, chosen) == "/dev/ttyACM1"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
@pytest.mark.parametrize("wanted", ["edge", "auto"])
def test_a_server_serves_again_when_its_board_is_back_under_another_name(desk: Desk, wanted: str) -> None:
    (desk.folder / "project" / "boards.toml").write_text('edge = "683123456"\n')
    system = replace(desk.system(), open_port=lambda name: SerialTransport(name, BAUD))
    codec = load()
    packets = codec.encode(np.full((224, 224, 3), 90, np.uint8))
    notices: list[str] = []

    async def is_served(path: str) -> None:
        async with Camera(SerialTransport(path, BAUD)) as camera:
            await camera.connect(10)
            assert isinstance(await camera.send(packets, now_us() + 5_000_000), Answer)

    async def test() -> None:
        async with running_world(WorldSettings()) as world:
            desk.records = [kit(port=world.paths[-1])]
            port = chosen_port(parser().parse_args(["--port", wanted]), "edge", system)
            assert port is not None
            server = EdgeServer(
                port,
                codec,
                load_classifier(DEFAULT_CLASSIFIER),
                archive=None,
                on_served=lambda _: None,
                on_notice=notices.append,
            )
            async with running(server.run()) as serving:
                await is_served(world.paths[0])
                async with running_world(WorldSettings(seed=2)) as later:
                    assert later.paths[-1] != world.paths[-1]
                    desk.records.clear()
                    world.unplug(1)
                    while not notices:
                        await asyncio.sleep(0.02)
                    desk.records = [kit(port=later.paths[-1])]
                    await is_served(later.paths[0])
                assert not serving.done()
        assert "waiting for it to come back" in notices[0]

    live(test())
