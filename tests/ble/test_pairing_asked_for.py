"""A server pairs with a board that it was told of, and with no other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from host import recv
from host.cli.command import USAGE, CommandError
from host.cli.hints import with_hint
from host.errors import PncError, Reason
from host.transport.ble import Bluetooth
from tests.ble.air import Air
from tests.ble.scene import CAMERA_ADDRESS, Edge, adapter, camera_on, live
from tests.ble.serving import printed_by_recv


async def served(bluetooth: Bluetooth, *selectors: str, pair: bool, text: str) -> str | PncError:
    """Serve until a notice has a text in it, and return that notice."""
    edge = Edge(bluetooth, *(selectors or ("",)), pair=pair)
    await edge.transport.open()
    running = asyncio.create_task(edge.run())
    try:
        return await edge.noticed(text)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await edge.transport.close()


def test_a_board_that_nobody_named_is_not_paired_with() -> None:
    async def test() -> tuple[str | PncError, bool]:
        air = Air()
        async with camera_on(air):
            bluetooth = await adapter(air)
            notice = await served(bluetooth, pair=False, text="not paired")
            return notice, bool(await bluetooth.client.bumble.keystore.get_all())

    notice, paired = live(test())
    assert isinstance(notice, PncError)
    assert notice.reason == Reason.NOT_PAIRED
    assert with_hint(notice) == (
        f"{CAMERA_ADDRESS} camera: this computer is not paired with it: if it is yours, give `--ble {CAMERA_ADDRESS}`, "
        "or --pair to pair with the only board in reach"
    )
    assert not paired


@pytest.mark.parametrize(("selectors", "pair"), [(("camera",), False), ((CAMERA_ADDRESS,), False), ((), True)])
def test_a_board_that_was_paired_once_is_served_without_being_named(selectors: tuple[str, ...], pair: bool) -> None:
    async def test() -> None:
        air = Air()
        async with camera_on(air) as camera:
            bluetooth = await adapter(air)
            await served(bluetooth, *selectors, pair=pair, text="connected to")
            camera.pairing_open = False
            await served(bluetooth, pair=False, text="connected to")

    live(test())


def test_the_command_says_how_to_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def test() -> str:
        air = Air()
        async with camera_on(air):
            bluetooth = await adapter(air)
            return await printed_by_recv(bluetooth, tmp_path, capsys, options=[], until="not paired")

    assert f"give `--ble {CAMERA_ADDRESS}`, or --pair" in live(test())


def test_pairing_without_this_computers_bluetooth_is_wrong_usage() -> None:
    with pytest.raises(CommandError, match="--pair is for --ble") as error:
        asyncio.run(recv.recv(recv.parser().parse_args(["--pair"])))
    assert error.value.status == USAGE
