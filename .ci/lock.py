"""Write locks/: every package that any extra installs, at one version and with its SHA-256 digests.

    make lock

``uv`` resolves the extras of ``pyproject.toml`` for all systems and versions of Python at once. The result is three
files, because a computer installs one of PyTorch's builds: ``packages.txt`` (all but PyTorch), ``torch.txt`` (PyTorch
alone) and ``cuda.txt`` (what PyTorch's build with CUDA loads). ``.ci/install`` installs them. Parts of ``packages.txt``
are in files of their own, for those who install no more: ``build.txt`` (what builds packages), ``container.txt`` (the
Dockerfile, and what wheels are tested with) and ``release.txt`` (what builds wheels). Then each file is checked to be
installable on each system of ``PLATFORMS``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
OLDEST_PYTHON = "3.11"
PYTHONS = ("3.11", "3.13")
#: Linux on Intel and on 64-bit Arm, macOS on Apple's processors, by uv's names.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
#: The oldest macOS for which onnxruntime is built.
MACOS = "14.0"
#: Packages without wheels, in C or Python, that pip builds.
BUILT = ("cobs", "crcmod", "reuse")
#: Packages that only PyTorch's build with CUDA needs.
CUDA = re.compile(r"nvidia-|cuda-|triton==")
#: PyTorch's CPU builds have the version 2.13.0+cpu, which `torch==2.13.0` accepts, and are found in other places than
#: its other builds. Their digests, by version.
CPU_BUILDS = {"2.13.0": ("6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",)}  # Linux, Intel, 3.11
#: Releases that pip refuses and uv takes: uv ignores a package's upper limit of Python (this one's is 3.10).
REFUSED = ("backports-strenum!=1.3.1",)
#: A module of Python itself, whose old copy universalmutator still asks for; pip refuses that for this Python.
LEFT_OUT = 'typing; python_version < "3"'
#: What builds this package and those without wheels.
BUILD = re.compile(r"(?:setuptools|poetry-core|cffi|pycparser)==")
#: Parts of packages.txt: what some extras need.
PARTS = {
    "container.txt": ("What the Dockerfile installs", ("edge", "web", "sealed")),
    "release.txt": ("What the extra release needs", ("release",)),
}
HEAD = "# {what}. Written by `make lock`, installed by `.ci/install`.\n"


def uv(*arguments: str) -> None:
    """Run uv; its errors are printed by itself. Raises CalledProcessError."""
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
    subprocess.run([Path(sys.executable).with_name("uv"), *arguments, "--quiet"], cwd=ROOT, check=True, env=environment)


def resolved(torch: str, folder: Path) -> list[str]:
    """Return one block of lines for each package: name, version and marker, then its digests."""
    constraints, overrides, found = (folder / name for name in ("constraints.txt", "overrides.txt", "found.txt"))
    overrides.write_text(LEFT_OUT)
    constraints.write_text("\n".join((f"torch=={torch}", *REFUSED)))
    uv(
        *("pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", OLDEST_PYTHON),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
        *("--constraints", str(constraints), "--overrides", str(overrides), "--output-file", str(found)),
    )
    return re.split(r"\n(?=\S)", found.read_text().rstrip("\n"))


def part(extras: tuple[str, ...], blocks: list[str], folder: Path) -> list[str]:
    """Return the blocks that some extras need."""
    all_blocks, found = folder / "blocks.txt", folder / "part.txt"
    all_blocks.write_text("\n".join(blocks) + "\n")
    uv(
        *("pip", "compile", "pyproject.toml", *(word for extra in extras for word in ("--extra", extra))),
        *("--universal", "--python-version", OLDEST_PYTHON, "--constraints", str(all_blocks)),
        *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--output-file", str(found)),
    )
    needed = {line.split()[0] for line in found.read_text().splitlines()}
    return [block for block in blocks if block.split()[0] in needed]


def write(name: str, what: str, blocks: list[str]) -> Path:
    """Write one file of locks/ and return its path."""
    path = LOCKS / name
    path.write_text("\n".join((HEAD.format(what=what).rstrip("\n"), *blocks)) + "\n")
    return path


def check(path: Path, folder: Path) -> None:
    """Let uv find a file for each package on each system."""
    built = [word for name in BUILT for word in ("--no-binary", name)]
    for platform in PLATFORMS:
        for python in PYTHONS:
            uv(
                *("pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:", *built),
                *("--target", str(folder / "target"), "--python-platform", platform, "--python-version", python),
                *("--requirements", str(path)),
            )


def main() -> int:
    """Write the files for the version of PyTorch that the command line names; return the exit status."""
    (torch,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            blocks = resolved(torch, folder)
            cpu = "".join(f" \\\n    --hash=sha256:{digest}" for digest in CPU_BUILDS[torch])
            with_torch = [block + cpu for block in blocks if block.startswith("torch==")]
            cuda = [block for block in blocks if CUDA.match(block)]
            rest = [block for block in blocks if not block.startswith("torch==") and block not in cuda]
            LOCKS.mkdir(exist_ok=True)
            files = (
                write("packages.txt", "What all extras need, without PyTorch", rest),
                write("torch.txt", "PyTorch, to be installed with --no-deps", with_torch),
                write("cuda.txt", "What PyTorch's build with CUDA loads", cuda),
                write("build.txt", "What builds packages", [block for block in rest if BUILD.match(block)]),
                *(write(name, what, part(extras, rest, folder)) for name, (what, extras) in PARTS.items()),
            )
            for path in files:
                check(path, folder)
        except subprocess.CalledProcessError as error:
            print(f"lock: uv failed with status {error.returncode}", file=sys.stderr)
            return 1
    print(f"lock: {len(rest)} packages, PyTorch {torch}, {len(cuda)} packages of CUDA, on {len(PLATFORMS)} systems")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests import goal

    goal.run("lock", main)
