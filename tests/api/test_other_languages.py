"""The client in JavaScript: it reads the vectors, and its pictures are answered."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.sim.line import BitErrors
from host.sim.realtime import RealTimeWorld
from tests import pace
from tests.api.test_examples import EXAMPLES, example
from tests.commands.conftest import ROOT, SAMPLE, Boards, boards, line_with, started  # noqa: F401

NODE = shutil.which("node") or ""
VECTORS = ROOT / "protocol" / "vectors"
pytestmark = pytest.mark.skipif(not NODE, reason="node is not installed")


def node(name: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of docs/examples/javascript."""
    return subprocess.run(
        [NODE, str(EXAMPLES / "javascript" / f"{name}.mjs"), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=pace.seconds(60),
        check=False,
    )


def test_it_reads_and_writes_every_vector(tmp_path: Path) -> None:
    done = node("check_vectors", VECTORS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"(\w+): ([0-9]+) vectors", done.stdout))
    assert set(counts) == {"frames", "packets", "result_classes"}
    assert all(int(count) > 10 for count in counts.values())


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [("frames", "6cfb6d00", "6cfb6c00"), ("packets", '"image": 263', '"image": 264'), ("result_classes", "cat", "rat")],
)
def test_it_notices_a_vector_that_is_wrong(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    for path in VECTORS.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert path.stem != name or right in text
        (tmp_path / path.name).write_text(
            text.replace(right, wrong, 1) if path.stem == name else text, encoding="utf-8"
        )
    done = node("check_vectors", ".", folder=tmp_path)
    assert done.returncode == 1
    assert f"{name}: " in done.stderr


def disturb(world: RealTimeWorld, rate: float) -> None:
    """Flip bits on the line between the client and its board, in both directions."""
    line = world.world.cameras[0].line
    there, back = BitErrors(rate, 1), BitErrors(10 * rate, 2)
    write, on_bytes = line.write, line.on_bytes
    assert on_bytes is not None
    line.write = lambda now_us, data: write(now_us, there.apply(data))  # type: ignore[method-assign]
    line.on_bytes = lambda data: on_bytes(back.apply(data))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
@pytest.mark.parametrize("noise", [0.0, 1e-4], ids=["clean", "noisy"])
def test_its_picture_is_answered(noise: float, boards: Boards, tmp_path: Path) -> None:  # noqa: F811
    """With noise, one full frame in six to the board is damaged, and half of the answers back."""
    encoded = example("packets", SAMPLE, "packets.json", folder=tmp_path)
    assert encoded.returncode == 0, encoded.stderr
    boards.do(lambda world: disturb(world, noise))
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        for _ in range(3):  # the second one finds the session of the first
            done = node("send", boards.camera, "packets.json", round(pace.seconds(4000)), folder=tmp_path)
            assert done.returncode == 0, done.stderr
            assert re.search(r"^answer after [0-9]+ ms from 21 of 21 packets$", done.stdout, re.MULTILINE), done.stdout
            assert re.search(r"60\.[0-9]%  espresso", done.stdout)


def test_what_it_prints_is_one_line_that_a_terminal_shows_as_it_is(tmp_path: Path) -> None:
    evil = "caf\u00e9 \x1b[2J\x07\x9b\u202e\u2028\n\U000e0001\x7fsend: all is well \u82b1"
    program = f"import {{ printable }} from {json.dumps((EXAMPLES / 'javascript' / 'printable.mjs').as_uri())};"
    program += f"console.log(printable({json.dumps(evil)}))"
    command = [NODE, "--input-type=module", "--eval", program]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.removesuffix("\n")
    assert shown.isprintable()
    assert shown.startswith("caf\u00e9 \\x1b[2J\\x07\\x9b\\u{202e}\\u{2028}\\x0a")
    assert shown.endswith("\\x7fsend: all is well \u82b1")
    (tmp_path / "packets.json").write_text("\x1b[2J\nsend: all is well")
    done = node("send", "nowhere", "packets.json", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.removesuffix("\n").isprintable()


def test_what_goes_wrong_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "packets.json").write_text('{"packets": []}')
    done = node("send", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "usage: node send.mjs PORT packets.json [DEADLINE_MS]\n")
