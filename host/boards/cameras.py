"""Problems that keep this computer's cameras from ``send --camera``."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from ..devices.host_system import HostSystem
from .diagnostic import Diagnostic, Severity

#: Where Debian's python3-picamera2 is installed.
PICAMERA2 = Path("/usr/lib/python3/dist-packages/picamera2")
_SEES_SYSTEM = "python3 -m venv --system-site-packages .venv, and install into that (docs/send.md)"


def camera_diagnostics(host_system: HostSystem, picamera2: Path = PICAMERA2) -> Iterator[Diagnostic]:
    """Yield warnings only: pictures may come from files. Linux alone; without a camera there are none."""
    if not host_system.platform.startswith("linux"):
        return
    devices = sorted((host_system.sysfs / "class" / "video4linux").glob("video*"))
    if devices and not any(importlib.util.find_spec(name) for name in ("av", "cv2")):
        yield _warning("a package that reads cameras is missing", "pip install 'pnc-link[camera]'")
    denied = [path for device in devices if os.path.exists(path := f"/dev/{device.name}") and not _may_read(path)]
    if denied:
        yield _warning(
            f"no permission to use {', '.join(denied)}",
            "sudo usermod -aG video $USER, then log out and in again",
        )
    if _is_raspberry_pi(host_system):
        yield from _of_raspberry_pi(host_system, picamera2)


def _of_raspberry_pi(host_system: HostSystem, picamera2: Path) -> Iterator[Diagnostic]:
    """Yield why picamera2, without which a camera at the Pi's own connector cannot be read, cannot be imported."""
    python = shlex.quote(sys.executable)
    said = host_system.output([sys.executable, "-c", "import picamera2"], limit_s=30.0).strip()
    last = said.splitlines()[-1] if said else ""
    if not last:
        return
    if "No module named 'picamera2'" in last:
        if picamera2.is_dir():
            problem = f"{python} does not see the system's packages, of which picamera2 is one"
            yield _warning(problem, _SEES_SYSTEM)
        else:
            problem = "picamera2 is missing"
            yield _warning(problem, f"sudo apt install --no-install-recommends python3-picamera2, then {_SEES_SYSTEM}")
    elif "numpy" in last and ("size changed" in last or "NumPy" in last):
        # https://github.com/raspberrypi/picamera2/issues/1211
        problem = "the system's picamera2 does not fit this environment's numpy"
        yield _warning(problem, "pip uninstall numpy simplejpeg: the system's own are then used")
    else:
        yield _warning(f"picamera2 cannot be imported ({last})", _SEES_SYSTEM)


def _is_raspberry_pi(host_system: HostSystem) -> bool:
    try:
        return "Raspberry Pi" in (host_system.sysfs / "firmware/devicetree/base/model").read_text(errors="replace")
    except OSError:
        return False


def _may_read(path: str) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def _warning(problem: str, fix: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, f"for send --camera: {problem}", fix)
