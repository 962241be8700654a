"""A folder in which the pages' commands run: the checkout, an environment, and the files that the pages name."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "host" / "assets" / "sample.jpg"
#: The sample's class of ImageNet: espresso.
SAMPLE_CLASS = 967
#: Not shown to the commands: they write there, or a fresh clone does not have it.
LEFT_OUT = {".git", ".venv", "build", "out", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that commands may write to, with ``image.jpg``, ``folder/``, ``photos/`` and ``labels.csv``."""
    folder = tmp_path_factory.mktemp("checkout")
    for entry in ROOT.iterdir():
        if entry.name not in LEFT_OUT:
            (folder / entry.name).symlink_to(entry)
    _link_environment(folder / ".venv")
    shutil.copy(SAMPLE, folder / "image.jpg")
    for name in ("folder", "photos"):
        (folder / name).mkdir()
        for index in range(3):
            shutil.copy(SAMPLE, folder / name / f"{index}.jpg")
    rows = "".join(f"{index}.jpg,{SAMPLE_CLASS}\n" for index in range(3))
    (folder / "labels.csv").write_text(f"file,class_index\n{rows}")
    # Names that stand for a reader's own folder and table
    (folder / "DIR").symlink_to("photos")
    (folder / "CSV").symlink_to("labels.csv")
    return folder


def _link_environment(folder: Path) -> None:
    """Make ``.venv`` stand for the environment of this process, and for make a complete one."""
    folder.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    for goal in ("edge", "test", "train", "figures", "web", "release"):
        (folder / f".{goal}").touch()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of a shell whose ``python`` is this one, and which has not been told about other things."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "MAKE"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")}
