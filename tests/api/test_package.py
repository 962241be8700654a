"""What is installed: built as pip builds it from the source archive, and used where there is no compiler."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import host
from host.cli.start import COMMANDS
from tests.api.conftest import PATIENCE_S, ROOT, Built, tracked

packaging = pytest.importorskip("packaging.requirements", reason="packaging comes with pytest")

#: What setuptools adds to a source archive.
OF_SETUPTOOLS = {
    *("PKG-INFO", "setup.cfg"),
    *("SOURCES.txt", "dependency_links.txt", "entry_points.txt", "requires.txt", "top_level.txt"),
}
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="programs are in another folder on Windows")


def test_the_wheel_has_the_package_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as content:
        wheel = content.namelist()
    # Neither tests nor firmware nor protocol, and no package named host.
    assert {name.partition("/")[0] for name in wheel} == {"pnc_link", f"pnc_link-{host.__version__}.dist-info"}
    sources = (".c", ".h")
    wanted = {name.replace("host/", "pnc_link/", 1) for name in tracked("host") if Path(name).suffix not in sources}
    assert not wanted - set(wheel)
    assert not [name for name in wheel if Path(name).suffix in sources]
    for part in ("board/_core", "codec/_coder"):
        assert [name for name in wheel if re.match(rf"pnc_link/{part}\..*(so|pyd)$", name)]


def test_the_source_archive_has_tracked_files_and_what_setuptools_writes(built: Built) -> None:
    with tarfile.open(built.archive) as content:
        names = {member.name.partition("/")[2] for member in content if member.isfile()}
    added = names - set(tracked(""))
    assert {name.removeprefix("pnc_link.egg-info/") for name in added} <= OF_SETUPTOOLS
    assert {"LICENSE", "README.md", "pyproject.toml", "setup.py", "gateway/pnc-recv.service"} <= names


def test_one_wheel_is_for_each_later_python_and_for_old_linux(built: Built) -> None:
    python, abi, platform = built.wheel.name.removesuffix(".whl").split("-")[-3:]
    assert (python, abi) == ("cp311", "abi3")
    assert platform != "any"
    if sys.platform != "linux":
        return
    pytest.importorskip("auditwheel", reason="auditwheel is not installed (extra release)")
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", str(built.wheel)], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"manylinux_2_(17|2\d)_", shown), shown


def put_into(environment: Path, wheel: Path, extras: str) -> None:
    """Install a wheel and what it requires, which is linked from this environment; no index and no compiler is used."""
    [site] = environment.glob("lib/python*/site-packages")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(environment),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(command, env={"PATH": str(environment / "bin")}, capture_output=True, text=True, check=True)
    wanted, seen = [f"pnc-link[{extras}]"], set[str]()
    while wanted:
        requirement = packaging.Requirement(wanted.pop())
        seen.add(requirement.name)
        # what the wheel requires is read from the wheel; this environment's own package may be older
        own = requirement.name == "pnc-link"
        found = importlib.metadata.Distribution.discover(name=requirement.name, path=[str(site)] if own else sys.path)
        distribution = next(iter(found))
        for text in distribution.requires or ():
            needed = packaging.Requirement(text)
            markers = [{"extra": extra} for extra in ("", *requirement.extras)]
            if needed.name not in seen and (not needed.marker or any(map(needed.marker.evaluate, markers))):
                wanted.append(text.partition(";")[0])
        for file in () if own else distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment; return its folder of programs."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(environment, symlinks=True)
    put_into(environment, built.wheel, "edge,web")
    return environment / "bin"


def run_installed(programs: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program where nothing else can be found: neither a compiler, nor the checkout."""
    return subprocess.run(
        [str(programs / command[0]), *command[1:]],
        cwd=programs.parent.parent,
        env={"PATH": str(programs), "HOME": str(programs.parent.parent), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@needs_posix
def test_each_command_starts_where_there_is_no_compiler(installed: Path) -> None:
    assert not any(shutil.which(name, path=str(installed)) for name in ("cc", "gcc", "clang", "make"))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {f"pnc-{name}" for name in COMMANDS}
    for script in scripts:
        done = run_installed(installed, script, "--version")
        assert (done.returncode, done.stdout) == (0, f"{script} {host.__version__}\n"), done.stderr
    listed = run_installed(installed, "python", "-m", "pnc_link").stdout
    assert all(script in listed for script in scripts)
    assert run_installed(installed, "python", "-c", "import host").returncode == 1, "the checkout is out of reach"


@needs_posix
def test_an_installed_sender_and_page_work(installed: Path) -> None:
    shutil.copy(ROOT / "host/assets/sample.jpg", installed.parent.parent / "image.jpg")
    done = run_installed(installed, "pnc-send", "image.jpg", "--port", "sim", "--deadline", "auto")
    assert "espresso" in done.stdout, done.stderr
    done = run_installed(installed, "pnc-demo", "--web", "127.0.0.1:0", "--cameras", "1", "--seconds", "1")
    assert done.returncode == 0, done.stderr
    assert "demo: page: http://127.0.0.1:" in done.stderr
    missing = run_installed(installed, "pnc-send", "--camera", "0", "--port", "sim")
    assert missing.returncode != 0
    assert len(missing.stderr.splitlines()) == 1, missing.stderr


def test_cibuildwheel_builds_for_linux_and_macos() -> None:
    pytest.importorskip("cibuildwheel", reason="cibuildwheel is not installed (extra release)")
    found = set[str]()
    for system, processors in (("linux", "x86_64,aarch64"), ("macos", "arm64")):
        command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
        done = subprocess.run(
            [*command, "--platform", system, "--archs", processors, str(ROOT)],
            capture_output=True,
            text=True,
            check=True,
        )
        found |= set(done.stdout.split())
    built = {name for name in found if name.startswith("cp311-")}
    assert built == {"cp311-manylinux_x86_64", "cp311-manylinux_aarch64", "cp311-macosx_arm64"}
    assert len(found) == 2 * len(built), "the newest Python tests each wheel"
