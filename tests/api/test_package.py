"""What is installed: built as pip builds it, from the source archive."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import host

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
#: pyproject.toml, build-system.
SETUPTOOLS_NEEDED = 77


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


def build_wheel(folder: Path) -> list[str]:
    """Return the names in the wheel that is built from the source archive, which is built from the tracked files."""
    for name in tracked(""):
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "tree" / name)
    archive = build("sdist", folder / "tree", folder)
    with tarfile.open(archive) as content:
        content.extractall(folder)
    wheel = build("wheel", folder / archive.name.removesuffix(".tar.gz"), folder)
    with zipfile.ZipFile(wheel) as content:
        return content.namelist()


def tracked(below: str) -> list[str]:
    """Return the files of the checkout that belong to it."""
    command = ["git", "ls-files", "-z", "--", below or "."]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_source_archive_builds_a_wheel_of_the_package_and_nothing_else(tmp_path: Path) -> None:
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < SETUPTOOLS_NEEDED:
        pytest.skip(f"setuptools {SETUPTOOLS_NEEDED} or later is not installed (extra test)")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a checkout: which files belong to it is not known")
    wheel = build_wheel(tmp_path)
    # Neither tests nor firmware nor protocol, and no package named host.
    assert {name.partition("/")[0] for name in wheel} == {"pnc_link", f"pnc_link-{host.__version__}.dist-info"}
    sources = (".c", ".h")
    wanted = {name.replace("host/", "pnc_link/", 1) for name in tracked("host") if Path(name).suffix not in sources}
    assert not wanted - set(wheel)
    assert not [name for name in wheel if Path(name).suffix in sources]
    for part in ("board/_core", "codec/_coder"):
        assert [name for name in wheel if re.match(rf"pnc_link/{part}\..*(so|pyd)$", name)]
