"""The speed bench of the codec: its report, and the notes about encoders that are not installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.bench import __main__ as bench
from host.bench import codec as codec_bench
from host.bench.baselines import JPEG, LITERT, baselines
from host.bench.timing import Step, time_in_turn
from host.codec import CodecError, PictureError, load

#: A bench is at most this long, so that one that hangs ends the test.
PATIENCE_S = 60
ROW = {"step", "bytes", "median_ms", "least_ms", "cpu_ms", "batch_per_s"}
RATIO = {"figure", "value", "of_cpu", "at_most", "met"}
ENCODING = [codec_bench.READ, codec_bench.NETWORK, codec_bench.CODING, codec_bench.ENCODE, codec_bench.FIRST]
EDGE = [codec_bench.ENTROPY, codec_bench.DECODE, "classify", codec_bench.ANSWER]


def small(name: str, threads: int = 1) -> dict[str, object]:
    return codec_bench.measure(name, None, rounds=1, batch=3, threads=threads)


@pytest.mark.parametrize("threads", [1, 2])
def test_each_step_has_a_latency_and_a_rate_and_each_figure_its_limit(threads: int) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
    report = small("pnc-v2", threads)
    assert set(report) == {"settings", "rows", "ratios", "notes"}
    assert report["settings"] == {"codec": "pnc-v2", "pictures": 8, "rounds": 1, "batch": 3, "threads": threads}
    assert all(set(row) == ROW and 0 < row["least_ms"] <= row["median_ms"] for row in report["rows"])
    assert all(row["batch_per_s"] > 0 for row in report["rows"])
    steps = [row["step"] for row in report["rows"]]
    assert len(set(steps)) == len(steps)
    assert {*ENCODING, *EDGE, JPEG} <= set(steps)
    assert all(set(row) == RATIO and row["value"] > 0 and row["of_cpu"] > 0 for row in report["ratios"])
    assert all(row["met"] in ((None,) if row["at_most"] is None else (True, False)) for row in report["ratios"])
    assert {"whole encoder / progressive JPEG", "entropy decoding, ms"} <= {row["figure"] for row in report["ratios"]}
    assert json.loads(json.dumps(report)) == report


def test_the_size_reported_is_the_mean_size_of_the_streams() -> None:
    ours = load("pnc-v2")
    pictures = codec_bench.parts_of(codec_bench.SAMPLE)
    assert len({picture.tobytes() for picture in pictures}) == len(pictures) == 8
    sizes = [sum(len(packet.data) for packet in ours.encode(picture)) for picture in pictures]
    rows = {step.name: step for step in codec_bench._encoding(ours, pictures)}
    assert rows[codec_bench.ENCODE].size_bytes == round(np.mean(sizes))
    assert rows[codec_bench.FIRST].size_bytes == codec_bench.FIRST_BYTES < min(sizes)
    assert sum(len(packet.data) for packet in rows[codec_bench.FIRST].one(0)) == codec_bench.FIRST_BYTES


def test_what_is_not_installed_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("onnxruntime", "ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    Image.init()  # loads Pillow's formats; a second call would bring AVIF back
    monkeypatch.delitem(Image.SAVE, "AVIF", raising=False)
    monkeypatch.setattr(Image, "init", lambda: None)
    report = small("pnc-v2")
    notes = "\n".join(report["notes"])
    assert all(text in notes for text in ("pnc-link[edge]", "pnc-link[tflite]", "pillow>="))
    steps = {row["step"] for row in report["rows"]}
    assert set(ENCODING) <= steps
    assert not {*EDGE, LITERT, "Pillow: AVIF q30"} & steps
    assert {row["figure"] for row in report["ratios"]} == {
        "whole encoder / progressive JPEG",
        "first 1,000 bytes / progressive JPEG",
        "whole encoder / WebP",
    }


def test_the_baselines_code_the_pictures_given() -> None:
    flat, noise = np.zeros((224, 224, 3), np.uint8), np.random.default_rng(0).integers(0, 256, (224, 224, 3))
    few = {step.name: step.size_bytes or 0 for step in baselines([flat], [])}
    many = {step.name: step.size_bytes or 0 for step in baselines([noise.astype(np.uint8)], [])}
    assert JPEG in few
    assert all(many[name] > few[name] for name in few if name != LITERT)


def test_steps_take_turns_and_a_batch_is_shared_without_loss() -> None:
    seen: list[tuple[str, int]] = []
    steps = [Step(name, lambda number, name=name: seen.append((name, number))) for name in "ab"]
    time_in_turn(steps, pictures=2, rounds=2, batch=5, threads=1)
    latency = [(name, number) for name in "ab" for number in (0, 1)]
    batches = [(name, number % 2) for name in "ab" for number in range(5)]
    assert seen == [("a", 0), ("b", 0), *latency, *batches, *latency]
    assert [len(step.times_ms) for step in steps] == [len(step.cpu_ms) for step in steps] == [4, 4]
    shares: list[int] = []
    many = Step("many", lambda _: None, shares.extend)
    time_in_turn([many], pictures=4, rounds=1, batch=7, threads=3)
    assert sorted(shares) == [0, 0, 1, 1, 2, 2, 3]


def test_a_folder_of_pictures_is_taken_and_a_folder_without_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures in this folder"):
        codec_bench.measure("pnc-v2", tmp_path, 1, 1, 1)
    with pytest.raises(PictureError, match="no such folder"):
        codec_bench.measure("pnc-v2", tmp_path / "none", 1, 1, 1)
    for number in range(3):
        Image.new("RGB", (50, 40), (number, 90, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert codec_bench.measure("pnc-v2", tmp_path, 1, 1, 1)["settings"]["pictures"] == 3


def test_broken_pictures_are_left_out_and_counted_and_a_folder_of_them_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("no picture")
    (tmp_path / "000.jpg").write_bytes(codec_bench.SAMPLE.read_bytes()[:5000])
    with pytest.raises(PictureError, match=r"no usable picture \(all 2 are broken\)"):
        codec_bench.measure("pnc-v2", tmp_path, 1, 1, 1)
    for number in range(3, 3 + codec_bench.MOST_PICTURES):
        Image.new("RGB", (50, 40), (number, 90, 0)).save(tmp_path / f"{number:03}.png")
    notes: list[str] = []
    files, pictures = codec_bench._pictures_in(tmp_path, notes)
    assert len(files) == len(pictures) == codec_bench.MOST_PICTURES
    assert [picture[0, 0].tolist() for picture in pictures[:2]] == [[3, 90, 0], [4, 90, 0]]
    assert [file.name for file in files[:2]] == ["003.png", "004.png"]
    assert notes == [f"left out: 2 broken files of {tmp_path}"]


def test_the_command_prints_json_or_tables_and_errors_cross_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["codec", "--codec", "pnc-v2", "--rounds", "1", "--batch", "1"]
    assert bench.bench(bench.parser().parse_args([*few, "--json"])) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["settings"]["batch"] == 1
    assert bench.bench(bench.parser().parse_args(few)) == 0
    out = capsys.readouterr().out
    assert all(row["step"] in out for row in report["rows"])
    assert all(row["figure"] in out for row in report["ratios"])
    with pytest.raises(CodecError, match="no such codec"):
        bench.bench(bench.parser().parse_args(["codec", "--codec", "none"]))


def worker_of(child: subprocess.Popen[str]) -> list[str]:
    """Wait until a bench's own process encodes pictures; return its id, in a list."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        workers = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        if workers and "/_coder" in Path(f"/proc/{workers[0]}/maps").read_text():
            time.sleep(0.5)
            return workers
        time.sleep(0.02)
    raise AssertionError("no worker encodes anything")


@pytest.mark.parametrize("group", [False, True], ids=["the command alone", "its whole group"])
def test_ctrl_c_ends_the_bench_and_its_process_at_once(group: bool, tmp_path: Path) -> None:
    Image.new("RGB", (224, 224), "teal").save(tmp_path / "0.png")
    endless = ["--codec", "pnc-v2", "--rounds", "10000", "--photos", str(tmp_path)]
    child = subprocess.Popen(
        [sys.executable, "-m", "host.bench", "codec", *endless],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = worker_of(child)
    if group:
        os.killpg(child.pid, signal.SIGINT)
    else:
        child.send_signal(signal.SIGINT)
    out, error = child.communicate(timeout=PATIENCE_S)
    assert (child.returncode, out, error) == (130, "", "bench: stopped\n")
    assert not Path(f"/proc/{workers[0]}").exists()


@pytest.mark.parametrize("text", ["0", "-1", "many", "10001"])
def test_a_number_that_is_none_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.parser().parse_args(["codec", f"--rounds={text}"])
    assert f"{text!r} is not a number" in capsys.readouterr().err
