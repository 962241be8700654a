"""``host.boards update``: what it refuses before it sends anything. tests/bsim/test_update.py updates a board."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from host.boards.exit_status import ExitStatus
from host.boards.update import UpdateError, update
from host.cli.command import USAGE, CommandError
from host.cli.hints import with_hint
from host.devices.survey import survey
from host.wire import Reset
from tests.boards.desk import Answer, Desk, Record, Scripted, dongle, greeting, hello, kit

pytest.importorskip("smpclient")
pytest.importorskip("imgtool")

SLOT = ["--header-size", "0x200", "--pad-header", "--slot-size", "0x10000", "--align", "4"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Firmware of version 1.2.3, signed."""
    folder = tmp_path_factory.mktemp("image")
    program, key, signed = folder / "zephyr.bin", folder / "key.pem", folder / "zephyr.signed.bin"
    program.write_bytes(bytes(range(256)) * 8)
    imgtool = [sys.executable, "-m", "imgtool.main"]
    subprocess.run([*imgtool, "keygen", "--type", "ecdsa-p256", "--key", str(key)], check=True)
    sign = ["sign", "--key", str(key), "--version", "1.2.3", *SLOT, str(program), str(signed)]
    subprocess.run([*imgtool, *sign], check=True)
    return signed


def failure(desk: Desk, record: Record, answer: Answer, file: Path | str) -> tuple[Scripted, CommandError]:
    """Update the board, which fails; return its port and the error."""
    board = desk.add(record, answer)

    async def run() -> None:
        system = desk.system()
        [info] = await survey(system, {})
        await update(system, info, str(file), lambda _text: None)

    with pytest.raises(CommandError) as error:
        asyncio.run(run())
    assert "\n" not in str(error.value)
    return board, error.value


def test_the_version_of_an_image_is_that_of_its_header(image: Path) -> None:
    from host.boards import mcuboot

    found = mcuboot.read_image(image)
    assert found.version == (1, 2, 3)
    assert found.data == image.read_bytes()


def test_firmware_that_was_not_written_with_mcuboot_is_left_running(desk: Desk, image: Path) -> None:
    board, error = failure(desk, kit(), greeting(hello()), image)
    assert str(error) == (
        "/dev/ttyACM0: its firmware was not written with MCUboot: `make flash MCUBOOT=KEY` writes both"
    )
    assert error.status == ExitStatus.NO_BOARD
    assert not any(isinstance(packet, Reset) for packet in board.heard)


def test_a_dongle_is_sent_to_make_flash(desk: Desk, image: Path) -> None:
    board, error = failure(desk, dongle(), greeting(hello(can=0xFF)), image)
    assert str(error) == "/dev/ttyACM5: a board at its own USB has another bootloader: `make flash` writes it"
    assert not any(isinstance(packet, Reset) for packet in board.heard)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "no firmware for MCUboot"),
        (lambda _data: b"GIF89a" * 100, "no firmware for MCUboot"),
        (lambda _data: b"", "no firmware for MCUboot"),
        (lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:], "the file is damaged"),
    ],
)
def test_a_file_that_is_no_intact_firmware_is_not_sent(desk: Desk, image: Path, tmp_path: Path, damage, said) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "file.bin"
    file.write_bytes(damage(image.read_bytes()))
    board, error = failure(desk, kit(), greeting(hello(can=0xFF)), file)
    assert str(error) == f"{file}: {said}: `make firmware MCUBOOT=KEY` builds zephyr.signed.bin"
    assert error.status == USAGE
    assert not any(isinstance(packet, Reset) for packet in board.heard)


def test_a_file_that_does_not_exist_is_one_line(desk: Desk) -> None:
    _, error = failure(desk, kit(), greeting(hello(can=0xFF)), "/nowhere/zephyr.signed.bin")
    assert str(error) == "/nowhere/zephyr.signed.bin: No such file or directory"
    assert error.status == USAGE


def test_without_its_package_it_says_how_to_install_it(
    desk: Desk, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smpclient", None)
    monkeypatch.delitem(sys.modules, "host.boards.mcuboot", raising=False)
    import host.boards

    monkeypatch.delattr(host.boards, "mcuboot", raising=False)
    desk.add(kit(), greeting(hello()))

    async def run() -> None:
        system = desk.system()
        [info] = await survey(system, {})
        await update(system, info, str(image), lambda _text: None)

    with pytest.raises(UpdateError) as error:
        asyncio.run(run())
    assert with_hint(error.value) == "an update needs the package smpclient: pip install 'pnc-link[update]'"
