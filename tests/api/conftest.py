"""The source archive and the wheel, built once for all tests of them."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
#: pyproject.toml, build-system.
SETUPTOOLS_NEEDED = 77


@dataclass(frozen=True)
class Built:
    """The source archive and the wheel."""

    archive: Path
    wheel: Path


def build(kind: str, source: Path, out: Path) -> Path:
    """Call the build backend as pip does; return the file that it made."""
    program = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(out)],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / done.stdout.splitlines()[-1]


def tracked(below: str) -> list[str]:
    """Return the files of the checkout that belong to it."""
    command = ["git", "ls-files", "-z", "--", below or "."]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the source archive from the tracked files, and the wheel from the archive."""
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < SETUPTOOLS_NEEDED:
        pytest.skip(f"setuptools {SETUPTOOLS_NEEDED} or later is not installed (extra test)")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout: which files belong to it is not known")
    folder = tmp_path_factory.mktemp("built")
    for name in tracked(""):
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "tree" / name)
    archive = build("sdist", folder / "tree", folder)
    with tarfile.open(archive) as content:
        content.extractall(folder)
    return Built(archive, build("wheel", folder / archive.name.removesuffix(".tar.gz"), folder))
