"""The host computer: its serial ports, tools and folders. Tests use another one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serial.tools import list_ports

from ..transport.serial_port import SerialTransport
from ..transport.transport import Transport
from .usb import PortRecord, UsbDevice, attached


def _environment() -> dict[str, str]:
    return dict(os.environ)


@dataclass(frozen=True, slots=True)
class HostSystem:
    """Serial ports, environment, tools and the kernel's view of USB.

    ``root`` is where programs run; ``folder`` has the user's ``boards.toml``.
    """

    records: Callable[[], Sequence[PortRecord]] = list_ports.comports
    open_port: Callable[[str], Transport] = SerialTransport
    environment: Mapping[str, str] = field(default_factory=_environment)
    root: Path = field(default_factory=Path.cwd)
    sysfs: Path = Path("/sys")
    udev_rules: Path = Path("/etc/udev/rules.d")
    platform: str = sys.platform
    folder: Path = field(default_factory=Path.cwd)

    def boards(self) -> list[UsbDevice]:
        """Return the boards that are attached now."""
        return attached(self.records())

    def tool(self, *names: str) -> str | None:
        """Return the first of these programs that is on PATH, None if none is."""
        return next((name for name in names if shutil.which(name, path=self.environment.get("PATH", ""))), None)

    def run(self, command: Sequence[str]) -> int:
        """Run a program with its output on ours; return its exit status. Raises OSError if it cannot be started."""
        return subprocess.run(self._full(command), env=dict(self.environment), cwd=self.root, check=False).returncode

    def run_heard(self, command: Sequence[str], hear: Callable[[str], None]) -> int:
        """Run a program and pass on each line that it prints on either stream; return its exit status.

        Raises OSError if it cannot be started.
        """
        with subprocess.Popen(
            self._full(command),
            env=dict(self.environment),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as program:
            assert program.stdout is not None
            for line in program.stdout:
                hear(line.rstrip("\n"))
        return program.returncode

    def output(self, command: Sequence[str], *, limit_s: float = 10.0) -> str:
        """Return what a program prints on both streams, nothing if it cannot be run or does not end in time."""
        try:
            done = subprocess.run(
                self._full(command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout

    def _full(self, command: Sequence[str]) -> list[str]:
        program = shutil.which(command[0], path=self.environment.get("PATH", ""))
        return [program or command[0], *command[1:]]
