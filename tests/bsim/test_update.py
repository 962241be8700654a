"""``host.boards update`` against MCUboot itself, on an emulated Cortex-M3 whose flash is simulated.

MCUboot verifies the signature, starts the firmware, and receives an update when the firmware asks for it. What is not
that of a real board: the chip, its flash, the time that it takes, and its serial port, which mcuboot/level mends.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.boards import zephyr
from host.boards.exit_status import ExitStatus
from host.boards.update import update
from host.cli.command import CommandError
from host.devices.host_system import HostSystem
from host.devices.survey import survey
from host.wire import Boot, Capability
from tests.boards.desk import Record
from tests.bsim.emulator import QEMU, Emulator
from tests.bsim.simulation import BUILD, ROOT, build

pytest.importorskip("smpclient")
pytest.importorskip("imgtool")

HERE = Path(__file__).parent / "mcuboot"
FOLDER = BUILD / "update"
SIGNED = FOLDER / "firmware" / "zephyr" / "zephyr.signed.bin"


def _has_mcuboot() -> bool:
    base = os.environ.get("ZEPHYR_BASE", "")
    modules = [Path(path).name for path in os.environ.get("ZEPHYR_MODULES", "").split(";")]
    there = "mcuboot" in modules or (Path(base).parent / "bootloader" / "mcuboot").is_dir()
    return bool(base) and there and zephyr.zephyr_of(os.environ)[1] >= (4, 1)


pytestmark = [
    pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed"),
    pytest.mark.skipif(not _has_mcuboot(), reason="this Zephyr has no MCUboot, or is older than 4.1"),
]


def _imgtool(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "imgtool.main", *words], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The board's key, and another one."""
    BUILD.mkdir(parents=True, exist_ok=True)
    ours, other = BUILD / "update_key.pem", tmp_path_factory.mktemp("keys") / "other.pem"
    for key in (ours, other):
        if not key.exists():
            _imgtool("keygen", "--type", "ecdsa-p256", "--key", str(key))
    return ours, other


@pytest.fixture(scope="module")
def emulator(keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulated board with MCUboot and an empty slot."""
    image_options = {
        "firmware": [HERE / "firmware.conf"],
        "mcuboot": [ROOT / "firmware" / "sysbuild" / "mcuboot.conf", HERE / "mcuboot.conf"],
    }
    build(
        f"-DAPP_DIR={ROOT / 'firmware'}",
        "-DSB_CONFIG_BOOTLOADER_MCUBOOT=y",
        f'-DSB_CONFIG_BOOT_SIGNATURE_KEY_FILE="{keys[0]}"',
        *(f"-D{image}_EXTRA_CONF_FILE={';'.join(map(str, files))}" for image, files in image_options.items()),
        *(f"-D{image}_EXTRA_DTC_OVERLAY_FILE={HERE / image}.overlay" for image in image_options),
        f"-Dmcuboot_EXTRA_ZEPHYR_MODULES={HERE / 'level'}",
        source=Path(os.environ["ZEPHYR_BASE"]) / "share" / "sysbuild",
        name="update",
        board="mps2/an385",
    )
    program = FOLDER / "mcuboot" / "zephyr" / "zephyr"
    # The processor reads its first instruction's address at 0, where a kit has MCUboot.
    vectors = ["-device", f"loader,file={program}.bin,addr=0x0,force-raw=on"]
    folder = tmp_path_factory.mktemp("emulator")
    with Emulator(folder, program.with_suffix(".elf"), machine="mps2-an385", options=vectors) as running:
        yield running


def _system(emulator: Emulator) -> HostSystem:
    """The computer, which finds the emulated board as the port of a kit's debugger."""
    return HostSystem(records=lambda: [Record(str(emulator.port), 0x1366, 0x1015, "1", "1-1:1.0", "J-Link")])


def _update(emulator: Emulator, file: Path) -> list[str]:
    said: list[str] = []

    async def run() -> None:
        system = _system(emulator)
        [info] = await survey(system, {})
        await update(system, info, str(file), said.append)

    asyncio.run(run())
    return said


def _hello(emulator: Emulator):  # type: ignore[no-untyped-def]
    [info] = asyncio.run(survey(_system(emulator), {}))
    return info.hello


@pytest.fixture
def running(emulator: Emulator) -> Emulator:
    """The board with firmware, whichever test came before."""
    if _hello(emulator) is None:
        _update(emulator, SIGNED)
    return emulator


def test_a_board_without_firmware_waits_for_an_update_and_then_runs_it(emulator: Emulator) -> None:
    assert _hello(emulator) is None
    said = _update(emulator, SIGNED)
    assert said[-1] == f"{emulator.port}: firmware 0.1.0 answers"
    hello = _hello(emulator)
    assert hello.capabilities & Capability.BOOTLOADER
    assert hello.name.startswith(b"mps2")


def test_the_firmware_lets_itself_be_replaced(running: Emulator) -> None:
    said = _update(running, SIGNED)
    assert f"{running.port}: 100 % written" in said
    assert said[-1] == f"{running.port}: firmware 0.1.0 answers"
    assert _hello(running).boot == Boot.SOFTWARE


def test_firmware_of_another_key_is_not_started_and_the_next_one_is(
    emulator: Emulator, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    forged = tmp_path / "forged.bin"
    layout = ["--version", "0.1.0", "--header-size", "0x200", "--slot-size", "0x100000", "--align", "4"]
    _imgtool("sign", "--key", str(keys[1]), *layout, str(SIGNED.with_name("zephyr.bin")), str(forged))
    with pytest.raises(CommandError, match="MCUboot does not start this firmware, and waits for another") as error:
        _update(emulator, forged)
    assert error.value.status == ExitStatus.WRONG_FIRMWARE
    assert _update(emulator, SIGNED)[-1] == f"{emulator.port}: firmware 0.1.0 answers"


@pytest.mark.parametrize("damage", ["cut", "flipped", "none"])
def test_a_file_that_is_no_intact_firmware_is_not_sent(running: Emulator, damage: str, tmp_path: Path) -> None:
    data = bytearray(SIGNED.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
    else:
        data = bytearray(b"GIF89a") * 100
    file = tmp_path / "damaged.bin"
    file.write_bytes(data)
    with pytest.raises(CommandError, match=r"`make firmware MCUBOOT=KEY` builds zephyr\.signed\.bin") as error:
        _update(running, file)
    assert error.value.status == 2
    assert _hello(running) is not None
