"""The architecture's arrows: which room of ``host/`` may import which (docs/architecture.md)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOST = ROOT / "host"

#: Who may import whom. An arrow also permits everything that its target may import: ``send`` may import ``wire``.
#: A room is a folder or a file of ``host/``; "" is the package itself (``host/__init__.py``).
PRODUCT: dict[str, tuple[str, ...]] = {
    # commands
    "__main__": ("cli",),
    "send": ("cli",),
    "recv": ("cli", "web"),
    "demo": ("cli", "web"),
    "timeline": ("cli",),
    "boards": ("cli",),
    # the public face; the commands do not stand on it
    "": ("devices", "camera", "edge", "sim"),
    # libraries, from the ends to the wire
    "cli": ("devices", "camera", "edge", "sim", "log", "printing"),
    "web": ("edge", "log", "printing"),
    "camera": ("board", "codec", "seal"),
    "edge": ("board", "codec", "seal"),
    "log": ("transport", "version"),
    "devices": ("board",),
    "sim": ("board",),
    "board": ("transport", "version"),
    "transport": ("link",),
    # link and codec do not know each other: a ranked packet is all that passes between them
    "link": ("ranked", "files"),
    # the cryptography of keys, behind the protocols of link
    "seal": ("link", "files"),
    "codec": ("ranked", "files"),
    # leaves
    "ranked": ("wire",),
    "wire": ("errors",),
    "files": ("errors",),
    "errors": ("version", "text"),
    "printing": ("text", "print_queue"),
    "print_queue": (),
    "text": (),
    "version": (),
}
#: Research may use every library, and of research what is listed. No library and no product command imports research.
RESEARCH: dict[str, tuple[str, ...]] = {
    "simulate": ("cli", "evaluate"),
    "evaluate": ("cli", "reference"),
    "train": ("cli", "reference"),
    "reference": ("cli",),
    # Its baselines are encoders at one setting, ready to be timed; evaluate's fill a budget. They share nothing.
    "bench": ("cli", "web"),
    "preview": ("cli", "evaluate"),
}
ARROWS = PRODUCT | RESEARCH

#: Violations that are known and will go: "importing module -> imported module", and why it is not yet gone.
KNOWN: dict[str, str] = {}


class Import(NamedTuple):
    """One module that imports another."""

    importer: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.importer} -> {self.target}"


def parse_modules(folder: Path, package: str = "host") -> dict[str, ast.Module]:
    """Return the syntax tree of every module below a package's folder, by its full name."""
    trees = {}
    for path in sorted(folder.rglob("*.py")):
        names = [package, *path.relative_to(folder).with_suffix("").parts]
        is_package = names[-1] == "__init__"
        trees[".".join(names) if not is_package else ".".join(names[:-1]) + "."] = ast.parse(path.read_bytes())
    return trees


def find_imports(trees: Mapping[str, ast.Module], package: str = "host") -> Iterator[Import]:
    """Yield every import of the package's own modules, wherever it is written.

    Imports inside functions and those for type checking count: what a module names, it knows. The installed name
    ``pnc_link`` means the same package.
    """
    modules = {name.rstrip(".") for name in trees}
    for name, tree in trees.items():
        module = name.rstrip(".")
        around = module if name.endswith(".") else module.rpartition(".")[0]
        for node in ast.walk(tree):
            for dotted in _imported_names(node, around):
                parts = dotted.split(".")
                if parts[0] == "pnc_link":
                    parts[0] = package
                if parts[0] != package:
                    continue
                while ".".join(parts) not in modules and len(parts) > 1:
                    parts.pop()  # a name inside a module
                yield Import(module, getattr(node, "lineno", 0), ".".join(parts))


def _imported_names(node: ast.AST, around: str) -> list[str]:
    """Return the full dotted names that a statement, or a call of ``import_module``, imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node.module or "", node.level, around)
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        text = node.args[0].value
        if called in ("import_module", "__import__", "run_module") and isinstance(text, str):
            name = text.lstrip(".")
            return [_absolute(name, len(text) - len(name), around)]
    return []


def _absolute(module: str, level: int, around: str) -> str:
    """Resolve a relative import of ``level`` dots in the package ``around``."""
    if level == 0:
        return module
    parts = around.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])


def room_of(module: str) -> str:
    """Return the room of a module: its first folder or file below the package."""
    return module.split(".")[1] if "." in module else ""


def allowed(arrows: Mapping[str, Sequence[str]], room: str) -> set[str]:
    """Return every room that ``room`` may import: along any number of arrows."""
    reached: set[str] = set()
    waiting = list(arrows[room])
    while waiting:
        target = waiting.pop()
        if target not in reached:
            reached.add(target)
            waiting += arrows[target]
    return reached


def violations(imports: Iterator[Import], arrows: Mapping[str, Sequence[str]]) -> list[Import]:
    """Return the imports that no arrow permits."""
    reach = {room: allowed(arrows, room) for room in arrows}
    return [
        each
        for each in imports
        if room_of(each.importer) != room_of(each.target)
        and room_of(each.target) not in reach.get(room_of(each.importer), set())
    ]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The modules of ``host/``."""
    return parse_modules(HOST)


def test_every_room_has_arrows(trees: dict[str, ast.Module]) -> None:
    rooms = {room_of(name.rstrip(".")) for name in trees}
    assert rooms <= set(ARROWS), "a new room needs its line in the table"


def test_imports_follow_the_arrows(trees: dict[str, ast.Module]) -> None:
    found = [each for each in violations(find_imports(trees), ARROWS) if str(each) not in KNOWN]
    assert not found, "no arrow permits: " + "; ".join(f"{each} (line {each.line})" for each in found)


def test_known_violations_still_exist(trees: dict[str, ast.Module]) -> None:
    """A violation that was removed leaves the list, so that it cannot come back."""
    gone = set(KNOWN) - {str(each) for each in violations(find_imports(trees), ARROWS)}
    assert not gone, "strike these from KNOWN"


def test_arrows_run_one_way() -> None:
    assert not [room for room in ARROWS if room in allowed(ARROWS, room)]


def test_nothing_imports_a_command_or_research() -> None:
    tops = {"__main__", "send", "recv", "demo", "timeline", "preview", "boards"}
    tops |= {"simulate", "train", "bench", "evaluate", "reference"}
    assert not [room for room in PRODUCT if allowed(ARROWS, room) & tops]


def test_imports_inside_the_package_are_relative(trees: dict[str, ast.Module]) -> None:
    """The folder is ``host`` in a checkout and ``pnc_link`` when installed, so no module may name either."""
    absolute = [
        f"{name}, line {node.lineno}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
        for dotted in _imported_names(node, "")
        if dotted.split(".")[0] in ("host", "pnc_link", "protocol", "tests")
    ]
    assert not absolute


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("from ..sim.world import World", "host.sim.world"),
        ("from .. import sim", "host.sim"),
        ("from ..sim import world", "host.sim.world"),
        ("import pnc_link.sim.world", "host.sim.world"),
        ("def later():\n    from ..sim.world import World", "host.sim.world"),
        ("if TYPE_CHECKING:\n    from ..sim.world import World", "host.sim.world"),
        ("importlib.import_module('..sim.world', __package__)", "host.sim.world"),
        ("from ..evaluate import output", "host.evaluate"),
    ],
)
def test_a_forbidden_import_is_found(code: str, target: str) -> None:
    trees = {name: ast.Module([], []) for name in ("host.", "host.sim.", "host.sim.world", "host.evaluate.")}
    trees["host.link.sender"] = ast.parse(code)
    assert [str(each) for each in violations(find_imports(trees), ARROWS)] == [f"host.link.sender -> {target}"]


def test_a_permitted_import_is_not_found() -> None:
    trees = {name: ast.Module([], []) for name in ("host.", "host.wire", "host.link.", "host.link.frames")}
    trees["host.link.sender"] = ast.parse("import os\nfrom ..wire import Role\nfrom .frames import Frame\n")
    assert violations(find_imports(trees), ARROWS) == []


#: What a camera's install does not have.
HEAVY = ("onnxruntime", "onnx", "torch", "bleak", "bumble", "matplotlib", "av", "cv2", "picamera2", "cryptography")


def test_a_camera_needs_no_edge_and_no_research() -> None:
    """Import ``send``, encode a picture, and list what was imported for that."""
    program = f"""
import sys
import host.send
from host.codec import load, load_picture
assert load().encode(load_picture({str(HOST / "assets" / "sample.jpg")!r}))
print(*sys.modules)
"""
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = done.stdout.split()
    rooms = {room_of(name) for name in imported if name.split(".")[0] in ("host", "pnc_link")}
    assert "codec" in rooms
    assert not rooms & set(RESEARCH)
    assert not set(imported) & set(HEAVY)
