"""A key without the package cryptography is one error that names it; without a key the package is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.commands.conftest import ROOT

PROGRAM = """
import asyncio, sys
sys.modules["cryptography"] = None
from host.camera.camera import Camera
from host.errors import PncError
from host.seal.key import Key

async def main():
    transport = object()
    Camera(transport)
    try:
        Camera(transport, key=Key(b"0123456789abcdef"))
    except PncError as error:
        print(error.reason, error.subject, error)
asyncio.run(main())
"""


def test_a_key_without_the_package_is_one_error_that_names_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "missing package cryptography>=42 a key needs the package cryptography\n"
