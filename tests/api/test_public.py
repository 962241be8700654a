"""The public interface: its names, what importing them costs, and its page."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import host

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


def python(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_public_name_can_be_had() -> None:
    for name in host.__all__:
        assert getattr(host, name) is not None


def test_the_three_lists_of_public_names_agree() -> None:
    tree = ast.parse((ROOT / "host" / "__init__.py").read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    for_types = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert for_types == host._PUBLIC
    assert set(host.__all__) == {*host._PUBLIC, "__version__"}
    assert dir(host) == sorted(host.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        host.no_such_name  # noqa: B018


def test_importing_the_package_imports_nothing_of_it_and_changes_nothing(tmp_path: Path) -> None:
    program = """
import os, signal, sys
before = dict(os.environ), signal.getsignal(signal.SIGINT)
import pnc_link
assert before == (dict(os.environ), signal.getsignal(signal.SIGINT))
print(sorted(name for name in sys.modules if name.startswith("pnc_link")))
"""
    assert python(program, tmp_path) == "['pnc_link', 'pnc_link.version']"


def test_a_camera_imports_neither_an_edge_server_nor_a_simulation_nor_research(tmp_path: Path) -> None:
    program = """
import sys
import numpy as np
from pnc_link import Camera, SerialTransport, load_codec
assert load_codec().encode(np.full((224, 224, 3), 90, np.uint8))
unwanted = "edge", "sim", "cli", "devices", "train", "evaluate", "reference", "bench", "simulate", "preview"
print([name for name in sys.modules if name.partition(".")[0] in ("onnxruntime", "onnx", "torch", "host")
       or name.startswith("pnc_link.") and name.split(".")[1] in unwanted])
"""
    assert python(program, tmp_path) == "[]"


def test_an_edge_server_imports_neither_a_simulation_nor_devices(tmp_path: Path) -> None:
    program = """
import sys
from pnc_link import BleEdgeTransport, EdgeServer, load_classifier
unwanted = "sim", "cli", "devices", "train", "evaluate", "reference", "bench", "simulate", "preview"
print([name for name in sys.modules if name.startswith("pnc_link.") and name.split(".")[1] in unwanted])
"""
    assert python(program, tmp_path) == "[]"


def test_recv_over_bluetooth_does_not_run_through_the_simulation(tmp_path: Path) -> None:
    (tmp_path / "bleak.py").write_text("raise ImportError('not installed')\n")
    program = """
import sys
from pnc_link.cli.start import recv
sys.argv = ["pnc-recv", "--ble"]
assert recv() == 1
print([name for name in sys.modules if name.startswith("pnc_link.sim")])
"""
    assert python(program, tmp_path) == "[]"


def test_its_page_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "docs/make_api.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
