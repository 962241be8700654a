"""A simulated desk: recorded lists of ports, tools that only log, and boards with scripted answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from host.devices.host_system import HostSystem
from host.link.frames import FrameReader, write_frame
from host.transport.transport import Transport, TransportError
from host.wire import VERSION, Capability, Control, Hello, Kind, Picture, Role, parse

FIRMWARE = b"\x00\x01\x00"


@dataclass
class Record:
    """A serial port in pyserial's list."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    location: str | None = None
    product: str | None = None


def kit(serial: str = "000683123456", port: str = "/dev/ttyACM0", location: str = "1-2") -> Record:
    """Return the port of a development kit's debugger."""
    return Record(port, 0x1366, 0x1015, serial, f"{location}:1.0", "J-Link")


def dongle(serial: str = "E1D2C3B4A5968778", port: str = "/dev/ttyACM5") -> Record:
    """Return the port of a board with our firmware on its own USB."""
    return Record(port, 0x1915, 0x520F, serial, "1-3:1.0", "PNC Link")


def bootloader(serial: str = "E1D2C3B4A596", port: str = "/dev/ttyACM6") -> Record:
    """Return the port of a dongle that waits for firmware."""
    return Record(port, 0x1915, 0x521F, serial, "1-3:1.0", "Open DFU Bootloader")


def hello(role: Role = Role.CAMERA, *, version: int = VERSION, firmware: bytes = FIRMWARE, can: int = 0) -> Hello:
    """Return a board's hello."""
    return Hello(
        version=version,
        kind=Kind.BOARD,
        role=role,
        capabilities=can,
        firmware=firmware,
        slots=64,
        in_flight=4,
        session=7,
        board_id=0x1234,
        name=b"board",
    )


Answer = Callable[[Control], Sequence[Control]]


@dataclass
class Scripted:
    """A board's port with scripted answers. ``heard`` keeps the packets; ``missing`` is the error of opening it."""

    name: str
    answer: Answer
    missing: str = ""
    heard: list[Picture | Control] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.opened = 0
        self._reader = FrameReader()
        self._seq = 0
        self._out: asyncio.Queue[bytes] | None = None

    async def open(self) -> None:
        if self.missing:
            raise TransportError(f"{self.name}: {self.missing}")
        self._out = asyncio.Queue()
        self.opened += 1

    def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            packet = parse(frame.packet)
            assert not hasattr(packet, "type")
            self.heard.append(packet)  # type: ignore[arg-type]
            for answer in self.answer(packet):  # type: ignore[arg-type]
                self.say(answer)

    def say(self, packet: Control) -> None:
        """Send a packet of the board to the host."""
        assert self._out is not None
        self._out.put_nowait(write_frame(self._seq, packet.pack()))
        self._seq = (self._seq + 1) % 256

    def vanish(self) -> None:
        """Unplug the port; it may be opened again."""
        self._out = asyncio.Queue()
        self._out.put_nowait(b"")

    async def read(self) -> bytes:
        assert self._out is not None
        data = await self._out.get()
        if not data:
            self._out.put_nowait(b"")  # until it is opened again
            raise TransportError(f"{self.name}: the port went away (unplugged?)")
        return data

    async def close(self) -> None:
        pass


def greeting(greets: Hello, *others: Control) -> Answer:
    """Return the answers of a board that answers a hello only."""
    return lambda packet: [greets, *others] if isinstance(packet, Hello) else []


def silent(_packet: Control) -> Sequence[Control]:
    """Return the answers of a device that is not a board."""
    return []


class Desk:
    """A folder with PATH, Zephyr, sources and /sys of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[Record] = []
        self.ports: dict[str, Transport] = {}
        self.environment = {"PATH": str(folder / "bin"), "ZEPHYR_BASE": str(folder / "zephyr")}
        self._log = folder / "log"
        for name in ("bin", "zephyr/scripts/west_commands/runners", "source/firmware/boards", "project"):
            (folder / name).mkdir(parents=True)
        self.zephyr("4.1.0")
        self.sysfs = folder / "sys"
        self.rules = folder / "rules.d"
        version = "VERSION_MAJOR = 0\nVERSION_MINOR = 1\nPATCHLEVEL = 0\n"
        (self.root / "firmware" / "VERSION").write_text(version)

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.folder / "source"

    def system(self, platform: str = "linux") -> HostSystem:
        """Return this desk as the tools see it."""
        return HostSystem(
            records=lambda: self.records,
            open_port=self.ports.__getitem__,
            environment=self.environment,
            root=self.root,
            sysfs=self.sysfs,
            platform=platform,
            folder=self.folder / "project",
            udev_rules=self.rules,
        )

    def add(self, record: Record, answer: Answer | None = None, *, missing: str = "") -> Scripted:
        """Plug a board in."""
        self.records.append(record)
        port = Scripted(record.device, answer or silent, missing)
        self.ports[record.device] = port
        return port

    def zephyr(self, version: str, *runners: str) -> None:
        """Install that release of Zephyr, with these of west's runners."""
        major, minor, patch = version.split(".")
        base = self.folder / "zephyr"
        (base / "VERSION").write_text(f"VERSION_MAJOR = {major}\nVERSION_MINOR = {minor}\nPATCHLEVEL = {patch}\n")
        for runner in runners:
            (base / "scripts" / "west_commands" / "runners" / f"{runner}.py").touch()

    def runners_of(self, board: str, *runners: str) -> None:
        """Let this Zephyr write a board, named by its folder below ``boards``, by these of west's runners only."""
        folder = self.folder / "zephyr" / "boards" / board
        folder.mkdir(parents=True)
        lines = [f"include(${{ZEPHYR_BASE}}/boards/common/{runner}.board.cmake)\n" for runner in runners]
        (folder / "board.cmake").write_text("".join(lines))

    def west_flash(self, *options: str) -> None:
        """Give this Zephyr a ``west flash`` that defines these options."""
        lines = [f"    group.add_argument('{option}',\n" for option in options]
        (self.folder / "zephyr/scripts/west_commands/run_common.py").write_text("".join(lines))

    def cmake_needed(self, version: str) -> None:
        """Let this Zephyr accept only that CMake, or a later one."""
        modules = self.folder / "zephyr" / "cmake" / "modules"
        modules.mkdir(parents=True, exist_ok=True)
        text = f"# the minimum\ncmake_minimum_required(VERSION {version})\n"
        (modules / "zephyr_default.cmake").write_text(text)

    def tool(self, name: str, *, status: int = 0, prints: str = "", then: str = "") -> None:
        """Install a program that logs its arguments, prints, runs the shell commands ``then`` and ends."""
        path = self.folder / "bin" / name
        path.write_text(
            f"#!/bin/sh\necho \"{name} $*\" >> '{self._log}'\nprintf '%s\\n' '{prints}'\n{then}\nexit {status}\n"
        )
        path.chmod(0o755)

    def tools(self, *names: str) -> None:
        """Install programs that succeed."""
        for name in names:
            self.tool(name)

    @property
    def log(self) -> list[str]:
        """Programs that were run, with their arguments."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def configured(self, build: str, zephyr: str) -> None:
        """Make a build folder that cmake configured with that Zephyr."""
        folder = self.root / "build" / "firmware" / build
        folder.mkdir(parents=True)
        (folder / "build.ninja").touch()
        (folder / "CMakeCache.txt").write_text(f"BOARD:STRING=any\nZEPHYR_BASE:PATH={zephyr}\n")


BOOTS = Capability.BOOTLOADER
#: Output of Nordic's nrfutil if both of its commands that the tools use are installed.
NRFUTIL = "nrfutil 7.13.0\ndevice 2.6.4 Control of devices\nnrf5sdk-tools 1.1.0 Older tools"
#: Output of ``pyocd list`` if it reaches the debugger of a kit.
PYOCD = "  0   Segger J-Link OB-SAM3U128-V2-NordicSemi   683123456   n/a"
