"""Keys of the commands: pictures get through with the same one, and whatever else is said plainly, at both ends."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.seal.key import make_key
from tests import pace
from tests.commands.conftest import SAMPLE, Boards, line_with, run, started


def ample() -> str:
    """Return a deadline that nothing misses."""
    return f"{pace.seconds(5):.1f}s"


def test_boards_makes_a_key_and_send_uses_it_on_virtual_boards(tmp_path: Path) -> None:
    made = run("host.boards", "key", "camera.key", cwd=tmp_path)
    assert (made.status, made.err) == (0, "")
    assert "camera.key: a new key" in made.out
    path = tmp_path / "camera.key"
    assert (path.stat().st_size, stat.S_IMODE(path.stat().st_mode)) == (16, 0o600)
    again = run("host.boards", "key", "camera.key", cwd=tmp_path)
    assert again.status == 1
    assert again.err == "boards: camera.key exists: a key is not written over\n"
    options = ["--port", "sim", "--deadline", ample(), "--json"]
    ended = run("host.send", SAMPLE, *options, "--key", "file:camera.key", cwd=tmp_path)
    assert ended.status == 0, ended.err
    report = json.loads(ended.out)
    assert report["top"][0][1] == "espresso"
    assert report["bytes_delivered"] == report["bytes_encoded"] == 220 + 20 * 228


def test_the_log_of_a_server_with_a_key_has_what_the_packets_hold(tmp_path: Path) -> None:
    make_key(tmp_path / "camera.key")
    options = ["--port", "sim", "--deadline", ample(), "--key", "camera.key", "--log", "events.jsonl", "--json"]
    ended = run("host.send", SAMPLE, *options, cwd=tmp_path)
    assert ended.status == 0, ended.err
    entries = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    of_edge = [entry for entry in entries if entry.get("vantage") == "edge"]
    arrived = [entry for entry in of_edge if entry["event"] == "arrived"]
    assert sum(entry["bytes"] for entry in arrived) == json.loads(ended.out)["bytes_delivered"]
    assert [entry["top"][0][0] for entry in of_edge if entry["event"] == "result"][-1] == 504 + 463


@pytest.mark.parametrize("content", [None, b"short"])
@pytest.mark.parametrize("command", ["send", "recv"])
def test_a_bad_key_file_is_one_line_before_any_board_is_touched(
    command: str, content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "bad.key").write_bytes(content)
        (tmp_path / "bad.key").chmod(0o600)
    files = [SAMPLE] if command == "send" else []
    ended = run(f"host.{command}", *files, "--port", "sim", "--key", "bad.key", cwd=tmp_path)
    assert ended.status == 2
    [line] = ended.err.splitlines()
    assert line.startswith(f"{command}: --key: bad.key")
    assert ended.out == ""


def test_keys_that_differ_or_are_missing_are_said_at_both_ends(boards: Boards, tmp_path: Path) -> None:
    make_key(tmp_path / "one.key")
    make_key(tmp_path / "other.key")
    send = ["host.send", SAMPLE, "--port", boards.camera, "--deadline", ample()]
    with started("host.recv", "--port", boards.edge, "--key", "one.key", cwd=tmp_path) as server:
        line_with(server, "serving on")
        wrong = run(*send, "--key", "other.key", cwd=tmp_path)
        assert wrong.status == 1
        assert "the edge server has another key: give both `send` and `recv` the same file" in wrong.err
        assert wrong.took_s < 30
        line_with(server, "camera 0 has another key")
        without = run(*send, cwd=tmp_path)
        assert without.status == 1
        assert "the edge server has a key, and this program has none" in without.err
        line_with(server, "camera 0 has no key, and this program has one")
        right = run(*send, "--key", "one.key", cwd=tmp_path)
        assert right.status == 0, right.err
        assert "espresso" in line_with(server, "camera 0", "stdout")
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        sealed = run(*send, "--key", "one.key", cwd=tmp_path)
        assert sealed.status == 1
        assert "the edge server has no key, and this program has one" in sealed.err
        line_with(server, "camera 0 has a key, and this program has none")


def test_one_key_twice_and_two_keys_of_a_camera_are_refused(tmp_path: Path) -> None:
    key = make_key(tmp_path / "one.key")
    make_key(tmp_path / "other.key")
    (tmp_path / "copy.key").write_bytes(key.secret)
    (tmp_path / "copy.key").chmod(0o600)
    twice = run("host.recv", "--port", "sim", "--key", "one.key", "--key", "copy.key", cwd=tmp_path)
    assert (twice.status, "the same key is given twice" in twice.err) == (2, True)
    two = run("host.send", SAMPLE, "--port", "sim", "--key", "one.key", "--key", "other.key", cwd=tmp_path)
    assert (two.status, "a camera has one key" in two.err) == (2, True)
