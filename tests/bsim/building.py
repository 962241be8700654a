"""Builds the firmware for simulated boards: configured once for each Zephyr and each set of options."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bsim"


def native_board() -> str:
    """Zephyr's name of the board that is a program of this computer."""
    old = Path(os.environ["ZEPHYR_BASE"]) / "boards" / "posix" / "native_posix"
    return "native_posix" if old.exists() else "native_sim"


def configure_command(source: Path, folder: Path, board: str, *options: str) -> list[str]:
    """The command that configures a build folder."""
    return ["cmake", "-GNinja", "-S", str(source), "-B", str(folder), f"-DBOARD={board}", *options]


def is_configured(folder: Path, key: str) -> bool:
    """The folder was configured by that command and for that Zephyr, as its note says."""
    note = folder / "configured.txt"
    return (folder / "build.ninja").is_file() and note.is_file() and note.read_text() == key


def build(*options: str, source: Path = ROOT / "firmware", name: str = "board", board: str = "nrf52_bsim") -> Path:
    """Build the firmware, or another application, for a simulated board; returns the program.

    ``options`` go to cmake, which runs only if they, the source, the Zephyr or the set of fragments have changed.
    ninja knows what else is stale, a changed CMakeLists.txt or Kconfig included.
    """
    folder = BUILD / name
    configure = configure_command(source, folder, board, *options)
    fragments = sorted(path.name for path in source.rglob("*") if path.suffix in (".conf", ".overlay"))
    key = "\n".join([os.environ["ZEPHYR_BASE"], *configure, *fragments])
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test processes share the folder
        if not is_configured(folder, key):
            print(f"building {source.name} for {board}, which takes minutes the first time ...", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            _run(configure)
            (folder / "configured.txt").write_text(key)
        _run(["ninja", "-C", str(folder)])
    return folder / "zephyr" / ("zephyr.elf" if board.startswith("qemu_") else "zephyr.exe")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
