"""Every package that the code imports is one that pyproject.toml declares, not one that comes along with another."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Distributions of packages that may not be installed here, by what is imported.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "_cffi_backend": "cffi",
    "pillow_jxl": "pillow-jxl-plugin",
    "serial": "pyserial",
    "google": "protobuf",
}

#: Packages that no index has: the system's package manager installs them, and ``boards doctor`` says so.
OF_THE_SYSTEM = {"picamera2"}


def normal(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Return the distributions that the installation, its extras or its build may bring."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = content["project"]
    requirements = [*project["dependencies"], *content["build-system"]["requires"]]
    for extra, listed in project["optional-dependencies"].items():
        requirements += listed if extra != "test" else []
    return {normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def imported() -> dict[str, set[str]]:
    """Return the top-level names that host/ imports from elsewhere, and the modules that do."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "host").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: paths for name, paths in found.items() if name not in sys.stdlib_module_names | {"_typeshed"}}


def test_what_is_imported_is_declared() -> None:
    known = importlib.metadata.packages_distributions()
    missing = {}
    for name, paths in imported().items():
        if name in OF_THE_SYSTEM:
            continue
        candidates = {normal(each) for each in known.get(name, [])} | {normal(DISTRIBUTIONS.get(name, name))}
        if not candidates & declared():
            missing[name] = sorted(paths)
    assert not missing


@pytest.mark.parametrize("name", ["dbus_fast", "numpy", "bleak"])
def test_the_walk_finds_imports(name: str) -> None:
    assert name in imported()
