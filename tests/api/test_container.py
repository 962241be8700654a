"""The container of an edge server: what goes into it, whom it runs as, and how its health is asked for.

No image is built here, since that needs a daemon and a registry.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.recv import parser
from tests import pace
from tests.api.conftest import ROOT, Built, build, tracked
from tests.web.conftest import picture_entries, served

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def values(instruction: str) -> list[str]:
    """Return what stands after each instruction of this name."""
    return re.findall(rf"^{instruction}\s+(.*)$", DOCKERFILE, re.MULTILINE)


def in_context(name: str) -> bool:
    """Return whether .dockerignore lets a file into the build."""
    included = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line.startswith("#") or not line:
            continue
        if pattern.startswith("**/"):
            hit = any(fnmatch(part, pattern.removeprefix("**/")) for part in name.split("/"))
        else:
            hit = pattern in ("*", name) or name.startswith(f"{pattern}/")
        if hit:
            included = line.startswith("!")
    return included


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed (extra release)")
    done = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_images_are_releases_and_its_page_exists() -> None:
    images = values("FROM")
    assert len({re.sub("-slim", "", image.split()[0]) for image in images}) == 1
    assert all(
        re.match(r"python:3\.\d+\.\d+(-slim)?-[a-z]+(@sha256:[0-9a-f]{64})?( AS \w+)?$", image) for image in images
    )
    (page,) = re.findall(r"^# .*?(docs/\S+\.md)", DOCKERFILE)
    assert "## In a container" in (ROOT / page).read_text()


def test_it_does_not_run_as_root_and_starts_a_server_with_its_page() -> None:
    user = values("USER")[-1]
    assert re.fullmatch("[1-9][0-9]*", user)
    assert f"--uid {user} " in DOCKERFILE
    program, *options = json.loads(values("ENTRYPOINT")[-1])
    assert program == "pnc-recv"
    arguments = parser().parse_args(options)
    assert arguments.web.is_everywhere, "a port of a container is published for its outer address"
    assert values("EXPOSE") == [str(arguments.web.port)]


def test_the_wheel_can_be_built_from_what_goes_into_the_image_and_nothing_else_goes(
    built: Built, tmp_path: Path
) -> None:
    for name in (
        ".git/config",
        ".venv/bin/python",
        "host/board/_core.c",
        "host/codec/_coder.abi3.so",
        "host/camera.key",
    ):
        assert not in_context(name)
    for name in filter(in_context, tracked("")):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    assert not (tmp_path / "source" / "tests").exists()
    wheel = build("wheel", tmp_path / "source", tmp_path)
    with zipfile.ZipFile(wheel) as of_image, zipfile.ZipFile(built.wheel) as of_archive:
        assert sorted(of_image.namelist()) == sorted(of_archive.namelist())
    used = re.findall(r"-r (\S+)", " ".join(values("RUN")))
    assert used
    for name in used:
        assert (tmp_path / "source" / name).exists(), "its versions"


def test_it_is_healthy_while_the_server_has_its_board() -> None:
    command = json.loads(re.search(r"CMD (\[.*\])", values("HEALTHCHECK")[-1])[1])  # type: ignore[index]
    assert command[0] == "python"

    async def is_healthy(port: int) -> bool:
        words = [word.replace(":8800/", f":{port}/") for word in command[1:]]
        asked = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.DEVNULL)
        return await asked.wait() == 0

    async def test() -> None:
        async with served("0.0.0.0:0") as page:
            assert not await is_healthy(page.port)
            page.feed(*picture_entries())
            while not await is_healthy(page.port):
                await asyncio.sleep(0.1)
            port = page.port
        assert not await is_healthy(port)

    asyncio.run(asyncio.wait_for(test(), pace.seconds(60)))
