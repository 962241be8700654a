"""Instructions that the whole firmware takes for a packet: ``python -m tests.bsim.cpu_time``.

Two boards on emulated processors (``tests.bsim.emulated_radio``) carry packets; QEMU writes the address of every
instruction, and the image's map says to which part it belongs. The time without packets, with its ticks, is taken off.
What a real board does otherwise is its controller, its serial port and its flash.
"""

from __future__ import annotations

import asyncio
import bisect
import re
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from host.transport.serial_port import SerialTransport
from host.wire import Role
from tests import goal
from tests.ble.air import Air
from tests.bsim.emulated_radio import build_with_bluetooth, emulated_board, missing_for_emulation
from tests.hil.host import Host, picture

PACKETS = 100
HZ = 64_000_000
#: The link at its best: packets of 244 bytes at 1,301 kbit/s (docs/firmware.md).
PACKETS_PER_S = 1_301_000 / (244 * 8)
#: Parts of the image by what their files are called in the map; the first that fits.
PARTS = {
    "serial port": r"app/libapp\.a\(serial|drivers/serial|lib/utils|ring_buffer",
    "HCI over a serial port": r"drivers/bluetooth",
    "core": r"app/libapp\.a\((board|board_\w+|cobs|completion|control|crc|event_loss|frame|goodput|phy_choice|queue"
    r"|sent_frames|tx_window)\.c",
    "sender and radio": r"app/libapp\.a\((radio|hci_watch|security)",
    "other threads of ours": r"app/libapp\.a",
    "Bluetooth host": r"subsys/bluetooth|net_buf",
    "": r".",  # kernel, C library and other parts that serve those
}
_IN_MAP = re.compile(r"^(?: \.text\S*)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+\.(?:a\(\S+\)|obj|o))$")
_TRACE = re.compile(rb"^Trace 0: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.MULTILINE)
_SETTLE_S = 3.0
_ROLES = (Role.CAMERA, Role.EDGE)


@dataclass(frozen=True)
class _Window:
    """A time on a board: milliseconds on its clock, and which bytes of its log."""

    ms: int
    start: int
    end: int


class Map:
    """The parts of an image by address."""

    def __init__(self, text: str) -> None:
        ranges = []
        for line in text.splitlines():
            if (found := _IN_MAP.match(line)) is not None and int(found[2], 16):
                part = next(name for name, pattern in PARTS.items() if re.search(pattern, found[3]))
                ranges.append((int(found[1], 16), int(found[1], 16) + int(found[2], 16), part))
        self._ranges = sorted(ranges)

    def part(self, address: int) -> str:
        """Return the part to which an instruction belongs."""
        at = bisect.bisect_right(self._ranges, (address, sys.maxsize, "")) - 1
        start, end, part = self._ranges[at]
        return part if start <= address < end else ""

    def count(self, trace: bytes) -> Counter[str]:
        """Return the instructions of each part in QEMU's log.

        What kernel and C library do counts for the part that ran last before them, as a rule the one that called them.
        """
        counted: Counter[str] = Counter()
        parts: dict[bytes, str] = {}
        part = ""
        for address in _TRACE.findall(trace):
            if address not in parts:
                parts[address] = self.part(int(address, 16))
            if parts[address]:
                part = parts[address]
            counted[part] += 1
        return counted


def _read_until(monitor: socket.socket, end: bytes) -> None:
    answer = b""
    while not answer.endswith(end):
        if not (data := monitor.recv(4096)):
            raise ConnectionError("QEMU's monitor has closed")
        answer += data


class Monitor:
    """QEMU's monitor, which starts and stops the log of a board."""

    def __init__(self, folder: Path) -> None:
        self._path, self._log = folder / "monitor", folder / "log"
        monitor = f"unix:{self._path},server=on,wait=off"
        self.options = ["-singlestep", "-D", str(self._log), "-monitor", monitor]

    def log(self, what: str) -> None:
        """Log executed instructions (``exec,nochain``) or nothing (``none``)."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(30)
            monitor.connect(str(self._path))
            _read_until(monitor, b"(qemu) ")  # a command that comes before the prompt may be lost
            monitor.sendall(f"log {what}\n".encode())
            _read_until(monitor, b"\n(qemu) ")

    def size(self) -> int:
        """Return how much was logged so far, in bytes."""
        return self._log.stat().st_size

    def read(self, start: int, end: int) -> bytes:
        """Return what was logged between two sizes."""
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read(end - start)


async def _window(hosts: Sequence[Host], monitors: Sequence[Monitor], packets: int) -> list[_Window]:
    """Log what both boards do while packets are carried; without packets, for a while."""
    camera, edge = hosts
    before = [
        ((await host.statistics()).uptime_ms, monitor.size()) for host, monitor in zip(hosts, monitors, strict=True)
    ]
    for monitor in monitors:
        monitor.log("exec,nochain")
    heard = len(edge.pictures())
    await camera.offer([picture(1, rank) for rank in range(packets)])
    await edge.until(lambda: len(edge.pictures()) == heard + packets)
    if not packets:
        await asyncio.sleep(_SETTLE_S)
    for monitor in monitors:
        monitor.log("none")
    after = [(await host.statistics()).uptime_ms for host in hosts]
    return [
        _Window(end - start, at, monitor.size())
        for (start, at), end, monitor in zip(before, after, monitors, strict=True)
    ]


async def _run(program: Path, folders: Sequence[Path], monitors: Sequence[Monitor]) -> list[list[_Window]]:
    """Run two boards, quiet and with packets. Nothing else may keep this program busy: it is their controllers, too."""
    air = Air()
    async with AsyncExitStack() as stack:
        hosts = []
        for role, folder, monitor in zip(_ROLES, folders, monitors, strict=True):
            board = await stack.enter_async_context(emulated_board(air, folder, program, monitor.options))
            hosts.append(Host(SerialTransport(str(board.port)), role))
            await hosts[-1].open()
            stack.push_async_callback(hosts[-1].close)
        for host in hosts:
            await host.linked()
        return [await _window(hosts, monitors, packets) for packets in (0, PACKETS)]


def measure(program: Path, folder: Path) -> dict[Role, dict[str, float]]:
    """Return the instructions for a packet by role and part of the image."""
    image = Map((program.parent / "zephyr.map").read_text())
    folders = [folder / role.name.lower() for role in _ROLES]
    for each in folders:
        each.mkdir()
    monitors = [Monitor(each) for each in folders]
    quiet, busy = asyncio.run(_run(program, folders, monitors))
    measured = {}
    for role, monitor, idle, full in zip(_ROLES, monitors, quiet, busy, strict=True):
        counted, without = (image.count(monitor.read(each.start, each.end)) for each in (full, idle))
        if not counted or not without:
            raise RuntimeError(f"QEMU has logged nothing of the {role.name.lower()}'s board")
        measured[role] = {part: (counted[part] - without[part] * full.ms / idle.ms) / PACKETS for part in PARTS}
    return measured


def main() -> int:
    """Run the command and return its exit status: 2 if something is missing."""
    why = missing_for_emulation()
    if why is not None:
        print(f"cpu_time: {why}; docs/firmware.md says what it needs", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(build_with_bluetooth(), Path(folder))
    print("instructions for a packet    camera     edge   at 667 packets a second, of 64 million")
    for part in filter(None, PARTS):
        counts = [measured[role][part] for role in _ROLES]
        shares = " ".join(f"{count * PACKETS_PER_S / HZ:8.1%}" for count in counts)
        print(f"{part:25} {counts[0]:9,.0f} {counts[1]:8,.0f}   {shares}")
    return 0


if __name__ == "__main__":
    goal.run("cpu_time", main)
