"""``python -m host.evaluate``: what it measures, what it writes, and how it answers bad input."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from host import codec
from host.codec import cut
from host.edge.classifier import load
from host.evaluate.accuracy import Tally, class_rank
from host.ranked import RankedPacket
from host.wire import MAX_CODEC_BYTES
from tests.edge.tiny_models import colour_classifier

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("firebrick", "seagreen", "royalblue", "orange", "orchid", "teal")


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host.evaluate", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def write_csv(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = ("file", "class_index")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Six drawn pictures, a classifier of three colours, and labels: what it sees in the undamaged pictures."""
    folder = tmp_path_factory.mktemp("shop")
    for index, colour in enumerate(COLOURS):
        image = Image.new("RGB", (320, 240), colour)
        draw = ImageDraw.Draw(image)
        for step in range(0, 240, 16):
            draw.ellipse((step, step // 2, step + 60, step // 2 + 40), outline=COLOURS[(index + step) % len(COLOURS)])
        image.save(folder / f"{index}.png")
    labels = {"labels": "red\ngreen\nblue"}
    model = colour_classifier(folder / "colours.onnx", metadata=labels)
    classifier = load(str(model))
    rows = [(name, "drawn", classifier.top(codec.load_picture(folder / name))[0][0]) for name in names()]
    table = write_csv(folder / "labels.csv", rows, ("file", "source", "class_index"))
    return {"folder": folder, "labels": table, "model": model}


def names() -> list[str]:
    return [f"{index}.png" for index in range(len(COLOURS))]


@pytest.fixture(scope="module")
def report(shop: dict[str, Path]) -> dict[str, Any]:
    file = shop["folder"] / "report.json"
    budgets = "1500,300,700"
    done = evaluate(
        shop["folder"], "--labels", shop["labels"], "--classifier", shop["model"], "--budgets", budgets, "--json", file
    )
    assert done.returncode == 0, done.stderr
    assert "6 pictures" in done.stdout
    loaded = json.loads(file.read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_report_has_the_keys_that_readers_rely_on(report: dict[str, Any]) -> None:
    assert {"n", "classifier", "codec", "rows"} <= report.keys()
    assert (report["n"], report["skipped"]) == (6, 0)
    assert (report["classifier"], report["codec"]) == ("colours.onnx", codec.load().name)
    for row in report["rows"]:
        assert row.keys() == {"budget_bytes", "mean_bytes", "top1", "top5", "psnr_db", "blockiness"}


def test_rows_rise_with_the_budget_and_end_with_everything(report: dict[str, Any]) -> None:
    assert [row["budget_bytes"] for row in report["rows"]] == [300, 700, 1500, None]
    sizes = [row["mean_bytes"] for row in report["rows"]]
    assert sizes == sorted(sizes)
    assert [row["psnr_db"] for row in report["rows"]] == sorted(row["psnr_db"] for row in report["rows"])


def test_no_mean_is_above_its_budget(report: dict[str, Any]) -> None:
    for row in report["rows"][:-1]:
        assert 0 < row["mean_bytes"] <= row["budget_bytes"]


def test_originals_are_scored_by_the_labels(report: dict[str, Any]) -> None:
    assert report["original"] == {"top1": 1.0, "top5": 1.0}


@pytest.mark.parametrize("row", range(4))
def test_a_row_is_what_its_packets_alone_decode_and_classify_to(
    shop: dict[str, Path], report: dict[str, Any], row: int
) -> None:
    ours = codec.load()
    decoder, classifier = ours.decoder(), load(str(shop["model"]))
    budget = report["rows"][row]["budget_bytes"] or 1 << 30
    sizes, hits = [], []
    with shop["labels"].open() as file:
        labelled = list(csv.DictReader(file))
    for item in labelled:
        kept: list[RankedPacket] = []
        for packet in ours.encode(codec.load_picture(shop["folder"] / item["file"])):
            room = budget - sum(len(p.data) for p in kept)
            if room < len(packet.data):
                if room:
                    kept.append(RankedPacket(packet.rank, packet.position, packet.data[:room]))
                break
            kept.append(packet)
        sizes.append(sum(len(p.data) for p in kept))
        seen = classifier.top(decoder.decode_batch([kept])[0].picture)[0][0]
        hits.append(seen == int(item["class_index"]))
    assert report["rows"][row]["mean_bytes"] == pytest.approx(np.mean(sizes))
    assert report["rows"][row]["top1"] == pytest.approx(np.mean(hits))


def test_first_takes_the_first_rows_only(shop: dict[str, Path]) -> None:
    done = evaluate(shop["folder"], "--labels", shop["labels"], "--classifier", shop["model"], "--first", 2)
    assert done.returncode == 0
    assert "2 pictures" in done.stdout


def test_missing_and_broken_pictures_are_named_counted_and_left_out(shop: dict[str, Path], tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "good.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    files = ["broken.png", "good.png", "missing.png", "text.png"]
    table = write_csv(tmp_path / "labels.csv", [(name, 0) for name in files])
    file = tmp_path / "report.json"
    done = evaluate(tmp_path, "--labels", table, "--classifier", shop["model"], "--json", file)
    assert done.returncode == 0
    for name in ("broken.png", "missing.png", "text.png"):
        assert sum(name in line for line in done.stderr.splitlines()) == 1
    assert "good.png" not in done.stderr
    written = json.loads(file.read_text())
    assert (written["n"], written["skipped"]) == (1, 3)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "DIR"),
        (["."], "--labels"),
        *((["--budgets", text], "--budgets") for text in ("0", "-5", "1e3", "500,", "", "500,x", "1.5")),
        *((["--first", text], "--first") for text in ("0", "-1", "many")),
        (["--surprise"], "--surprise"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(shop: dict[str, Path], arguments: list[str], reason: str) -> None:
    given = arguments if arguments in ([], ["."]) else [shop["folder"], "--labels", shop["labels"], *arguments]
    done = evaluate(*given)
    assert done.returncode == 2
    assert reason in one_line(done)


def csv_with(text: str) -> Any:
    def make(folder: Path) -> list[object]:
        (folder / "own.csv").write_text(text)
        return ["--labels", folder / "own.csv"]

    return make


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (csv_with("file,label\n0.png,1\n"), "own.csv lacks the column class_index"),
        (csv_with("0.png,1\n"), "own.csv lacks the column file and class_index"),
        (csv_with(""), "own.csv lacks the column"),
        (csv_with("file,class_index\n"), "own.csv names no pictures"),
        (csv_with("file,class_index\n0.png,1\n1.png,3\n"), "own.csv, line 3: class_index 3 is outside 0..2"),
        (csv_with("file,class_index\n0.png,-1\n"), "own.csv, line 2: class_index -1 is outside"),
        (csv_with("file,class_index\n0.png,cat\n"), "own.csv, line 2: class_index 'cat' is not a number"),
        (csv_with("file,class_index\n0.png\n"), "own.csv, line 2: class_index None is not a number"),
        (csv_with("file,class_index\n,1\n"), "own.csv, line 2: no file name"),
        (csv_with("file,class_index\nelsewhere.png,1\n"), "holds none of the 1 pictures"),
        (lambda folder: ["--labels", folder / "nowhere.csv"], "nowhere.csv cannot be read"),
        (lambda folder: ["--labels", folder], "cannot be read"),
        (lambda folder: ["--labels", folder / "0.png"], "0.png is not a CSV file"),
        (lambda folder: ["--json", folder], "is a folder"),
        (lambda folder: ["--json", folder / "no" / "report.json"], "report.json: cannot be written"),
        (lambda _: ["--json", "/dev/full"], "/dev/full: cannot be written"),
        (lambda _: ["--classifier", "efficientnet-lite9"], "efficientnet-lite9 is neither"),
        (lambda folder: ["--classifier", folder / "0.png"], "0.png is not an ONNX model"),
        (lambda _: ["--codec", "morse"], "morse"),
    ],
)
def test_bad_input_is_one_line_and_status_1(shop: dict[str, Path], arguments: Any, reason: str) -> None:
    given = ["--labels", shop["labels"], "--classifier", shop["model"], *arguments(shop["folder"])]
    done = evaluate(shop["folder"], *given)
    assert done.returncode == 1
    assert reason in one_line(done)
    assert done.stdout == ""


def test_a_missing_folder_is_one_line_and_status_1(shop: dict[str, Path], tmp_path: Path) -> None:
    done = evaluate(tmp_path / "nowhere", "--labels", shop["labels"])
    assert done.returncode == 1
    assert "nowhere is not a folder" in one_line(done)


def test_a_target_that_cannot_be_written_is_found_before_the_work(shop: dict[str, Path], tmp_path: Path) -> None:
    table = write_csv(tmp_path / "labels.csv", [("0.png", 0), ("missing.png", 0)])
    target = tmp_path / "no" / "report.json"
    done = evaluate(shop["folder"], "--labels", table, "--classifier", shop["model"], "--json", target)
    assert "report.json: cannot be written" in one_line(done)  # not a word of missing.png


def test_an_interrupt_is_one_line_status_130_and_leaves_the_old_report(shop: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("of yesterday")
    # Not during an import: where that evaluates a text, CPython ends by the signal itself, not with the status.
    rows = [("missing.png", 0), ("0.png", 0), ("too.png", 0), *(("0.png", 0) for _ in range(5000))]
    table = write_csv(tmp_path / "labels.csv", rows)
    command = [sys.executable, "-m", "host.evaluate", str(shop["folder"]), "--labels", str(table)]
    options = ["--classifier", str(shop["model"]), "--json", str(target)]
    with subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "missing.png" in process.stderr.readline()
        assert "too.png" in process.stderr.readline()  # it is at work
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest == "evaluate: stopped\n"
    assert target.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "report.json"]


def test_the_json_may_go_to_a_stream(shop: dict[str, Path]) -> None:
    done = evaluate(
        shop["folder"], "--labels", shop["labels"], "--classifier", shop["model"], "--first", 1, "--json", "/dev/stdout"
    )
    assert done.returncode == 0
    written, _ = json.JSONDecoder().raw_decode(done.stdout)
    assert written["n"] == 1


sizes_bytes = st.lists(st.integers(1, MAX_CODEC_BYTES), max_size=40)


@given(sizes_bytes, st.integers(0, 4000))
def test_a_cut_to_the_byte_is_the_beginning_of_the_stream(sizes: list[int], size: int) -> None:
    packets = [RankedPacket(rank, rank, bytes([rank]) * size) for rank, size in enumerate(sizes)]
    kept = cut(packets, size)
    assert b"".join(p.data for p in kept) == b"".join(p.data for p in packets)[:size]
    assert [(p.rank, p.position) for p in kept] == [(rank, rank) for rank in range(len(kept))]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.data())
def test_the_rank_of_a_class_is_its_index_in_the_sorted_order(scores: list[int], data: st.DataObject) -> None:
    right = data.draw(st.integers(0, len(scores) - 1))
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    assert class_rank(right, np.array(scores, np.float32)) == order.index(right)


def test_a_tally_gives_shares_of_its_pictures() -> None:
    tally = Tally()
    for rank in (0, 4, 5, 999):
        tally.add(rank, 100)
    assert tally.accuracy() == {"top1": 0.25, "top5": 0.5}
    assert tally.size_bytes / tally.pictures == 100
