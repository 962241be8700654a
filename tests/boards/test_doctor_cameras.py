"""``boards doctor``: what keeps cameras from ``send --camera``, on computers that the test describes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from host.boards import cameras
from host.boards.cameras import camera_diagnostics
from host.boards.diagnostic import Severity
from tests.boards.desk import Desk


def found(desk: Desk, picamera2: Path = Path("/nowhere"), platform: str = "linux") -> list[tuple[str, str]]:
    diagnostics = list(camera_diagnostics(desk.system(platform), picamera2))
    assert {each.severity for each in diagnostics} <= {Severity.WARNING}
    return [(each.problem.removeprefix("for send --camera: "), each.fix) for each in diagnostics]


def with_device(desk: Desk) -> None:
    (desk.sysfs / "class" / "video4linux" / "video0").mkdir(parents=True)


def raspberry_pi(desk: Desk, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the desk a Raspberry Pi whose Python says that when it imports picamera2."""
    model = desk.sysfs / "firmware" / "devicetree" / "base" / "model"
    model.parent.mkdir(parents=True)
    model.write_text("Raspberry Pi 5 Model B Rev 1.0\0")
    desk.tool("python", prints=says)
    monkeypatch.setattr(sys, "executable", str(desk.folder / "bin" / "python"))


def test_a_computer_without_a_camera_has_no_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert found(desk) == []
    with_device(desk)
    assert found(desk, platform="darwin") == []


def test_a_missing_package(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_device(desk)
    for installed in ("av", "cv2"):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, one=installed: name == one or None)
        assert found(desk) == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert found(desk) == [("a package that reads cameras is missing", "pip install 'pnc-link[camera]'")]


def test_a_device_that_may_not_be_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_device(desk)
    monkeypatch.setattr(cameras.os.path, "exists", lambda path: path == "/dev/video0" or Path(path).exists())
    monkeypatch.setattr(cameras, "_may_read", lambda _path: False)
    [(problem, fix)] = found(desk)
    assert problem == "no permission to use /dev/video0"
    assert "usermod -aG video" in fix


@pytest.mark.parametrize(
    ("says", "installed", "problem", "fix"),
    [
        ("", True, None, ""),
        ("ModuleNotFoundError: No module named 'picamera2'", False, "picamera2 is missing", "python3-picamera2"),
        (
            "ModuleNotFoundError: No module named 'picamera2'",
            True,
            "does not see the system's packages",
            "--system-site-packages",
        ),
        (
            "ValueError: numpy.dtype size changed, may indicate binary incompatibility.",
            True,
            "does not fit this environment's numpy",
            "pip uninstall numpy",
        ),
        ("ImportError: libcamera.so.0.3", True, "cannot be imported (ImportError: libcamera.so.0.3)", "--system-site"),
    ],
)
def test_picamera2_of_a_raspberry_pi(
    says: str, installed: bool, problem: str | None, fix: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    raspberry_pi(desk, says.replace("'", "'\\''"), monkeypatch)
    diagnostics = found(desk, desk.folder if installed else Path("/nowhere"))
    assert desk.log == ["python -c import picamera2"]
    if problem is None:
        assert diagnostics == []
    else:
        [(said, does)] = diagnostics
        assert problem in said
        assert fix in does
