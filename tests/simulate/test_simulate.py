"""``python -m host.simulate``: its figures against independent expectations, and how it refuses bad input."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from host import codec
from host.cli.command import run_command
from host.edge.classifier import load
from host.sim.trace import Trace
from host.sim.world import WorldSettings
from host.simulate import __main__ as command
from host.simulate.experiment import Experiment
from tests.edge.tiny_models import colour_classifier

COLOURS = ("firebrick", "seagreen", "royalblue")
#: The class of the last picture is wrong on purpose.
CLASSES = (0, 1, 0)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn pictures, ``labels.csv`` and ``colours.onnx``, a classifier of three colours."""
    folder = tmp_path_factory.mktemp("shop")
    for index, colour in enumerate(COLOURS):
        image = Image.new("RGB", (320, 240), colour)
        draw = ImageDraw.Draw(image)
        for step in range(0, 240, 8):
            draw.ellipse((step, step // 2, step + 60, step // 2 + 40), outline="orange", width=1 + step % 3)
        image.save(folder / f"{index}.png")
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("file", "class_index"), *((f"{index}.png", right) for index, right in enumerate(CLASSES))]
        )
    colour_classifier(folder / "colours.onnx", metadata={"labels": "red\ngreen\nblue"})
    return folder


@pytest.fixture
def run(shop: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the shop; return its exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        given = [shop, "--labels", shop / "labels.csv", "--classifier", shop / "colours.onnx", *arguments]
        try:
            status = run_command(
                command.NAME, lambda: command.simulate(command.parser().parse_args([str(a) for a in given]))
            )
        except SystemExit as ended:
            status = int(ended.code or 0)
        written = capsys.readouterr()
        return status, written.out, written.err

    return call


def rows_of(run: Run, target: Path, *arguments: object) -> list[dict[str, Any]]:
    status, _, error = run(*arguments, "--json", target)
    assert status == 0, error
    report = json.loads(target.read_text())
    assert (report["n"], report["classifier"], report["codec"]) == (3, "colours.onnx", codec.load().name)
    rows = report["rows"]
    assert isinstance(rows, list)
    return rows


def test_on_a_clear_channel_every_picture_arrives_whole(run: Run, shop: Path, tmp_path: Path) -> None:
    (row,) = rows_of(run, tmp_path / "r.json", "--deadlines", "700ms", "--traces", "none")
    ours, classifier = codec.load(), load(str(shop / "colours.onnx"))
    decoder, sizes, hits = ours.decoder(), [], []
    for index, right in enumerate(CLASSES):
        packets = ours.encode(codec.load_picture(shop / f"{index}.png"))
        sizes.append(sum(len(packet.data) for packet in packets))
        hits.append(classifier.top(decoder.decode(packets).picture)[0][0] == right)
    assert hits == [True, True, False]
    assert (row["air"], row["deadline_ms"], row["n"], row["in_time"]) == ("none", 700, 3, 1)
    assert row["mean_bytes"] == pytest.approx(np.mean(sizes))
    assert row["top1"] == pytest.approx(2 / 3)
    assert row["top5"] == 1  # the classifier has three classes


def test_on_a_slow_channel_no_more_arrives_than_its_rate_allows(run: Run, tmp_path: Path) -> None:
    trace = tmp_path / "slow.csv"
    trace.write_text("time_s,rate_kbps\n0,40\n1000,40\n")
    rows = rows_of(run, tmp_path / "r.json", "--deadlines", "300ms,600ms", "--traces", trace)
    assert [row["deadline_ms"] for row in rows] == [300, 600]
    for row in rows:
        assert row["in_time"] == 1
        assert 0 < row["mean_bytes"] <= 40_000 / 8 * row["deadline_ms"] / 1000
    assert rows[1]["mean_bytes"] > 1.5 * rows[0]["mean_bytes"]


@pytest.mark.parametrize(
    ("deadline", "service"),
    [
        pytest.param("1ms", "50ms", id="a deadline below the link's latency"),
        pytest.param("200ms", "10s", id="a server that is slower than the deadline"),
    ],
)
def test_a_picture_without_an_answer_in_time_counts_as_wrong(
    run: Run, tmp_path: Path, deadline: str, service: str
) -> None:
    options = ("--deadlines", deadline, "--service", service, "--traces", "none")
    (row,) = rows_of(run, tmp_path / "r.json", *options)
    assert {row[name] for name in ("in_time", "mean_bytes", "top1", "top5")} == {0}


def test_the_same_run_gives_the_same_figures_and_a_table_of_them(run: Run, tmp_path: Path) -> None:
    options = ("--deadlines", "0.3s", "--traces", "heavy")
    (first,) = rows_of(run, tmp_path / "a.json", *options)
    (second,) = rows_of(run, tmp_path / "b.json", *options)
    assert first == second
    status, out, _ = run(*options)
    assert status == 0
    _, head, line = out.splitlines()
    assert head.split("  ")[-1].strip() == "top-5"
    assert line.split() == [
        "heavy",
        "300",
        "ms",
        f"{first['in_time']:.1%}",
        f"{first['mean_bytes']:,.0f}",
        f"{first['top1']:.3f}",
        f"{first['top5']:.3f}",
    ]


def test_first_takes_the_first_rows_only(run: Run) -> None:
    status, out, _ = run("--first", "2", "--deadlines", "500ms", "--traces", "none")
    assert status == 0
    assert out.startswith("2 pictures, codec ")


@pytest.mark.parametrize("name", ["light", "heavy"])
def test_under_jamming_the_ranks_that_are_delivered_are_the_most_important_ones(name: str, shop: Path) -> None:
    ours = codec.load()
    pictures = [ours.encode(codec.load_picture(shop / f"{index}.png")) for index in range(3)] * 8
    deliveries = Experiment(WorldSettings(trace=Trace.read(name)), 50_000).send(pictures, 300_000)
    assert len(deliveries) == len(pictures)
    counts = [len(delivery.ranks) for delivery in deliveries]
    assert min(counts) < max(len(packets) for packets in pictures)  # jamming costs packets
    for delivery in deliveries:
        assert delivery.in_time == bool(delivery.ranks)
        assert delivery.ranks == frozenset(range(len(delivery.ranks)))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--deadlines", "70s"], "argument --deadlines: '70s' is not above 0 ms and at most 65535 ms"),
        (["--deadlines", "300ms,0"], "argument --deadlines: '0' is not above 0 ms"),
        (["--deadlines", "-300ms"], "argument --deadlines: expected one argument"),
        (["--deadlines=-300ms"], "argument --deadlines: '-300ms' is not a time"),
        (["--deadlines", ""], "argument --deadlines: '' is not a time"),
        (["--deadlines", "300ms,"], "argument --deadlines: '' is not a time"),
        (["--deadlines", "300km"], "argument --deadlines: '300km' is not a time: write it as 300ms or 0.3s"),
        (["--service", "soon"], "argument --service: 'soon' is not a time"),
        (["--service", "70s"], "argument --service: '70s' is more than the longest deadline, 65535 ms"),
        (["--traces", "nowhere"], "argument --traces: trace nowhere: No such file or directory"),
        (["--first", "-1"], "argument --first: '-1' is not a whole number above 0"),
        (["--first", "0"], "argument --first: '0' is not a whole number above 0"),
        (["--surprise"], "--surprise"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run: Run, arguments: list[str], reason: str) -> None:
    status, out, error = run(*arguments)
    assert (status, out) == (2, "")
    (line,) = error.splitlines()
    assert line.startswith("simulate: ")
    assert reason in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--labels", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--classifier", "nowhere.onnx"], "nowhere.onnx is neither a file nor a classifier's name"),
        (["--json", "/nowhere/report.json"], "report.json: cannot be written"),
    ],
)
def test_bad_files_are_one_line_and_status_1(run: Run, arguments: list[str], reason: str) -> None:
    status, out, error = run(*arguments)
    assert (status, out) == (1, "")
    (line,) = error.splitlines()
    assert reason in line


def test_broken_pictures_are_named_and_left_out_and_without_any_there_is_no_result(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes((shop / "0.png").read_bytes()[:60])
    (tmp_path / "good.png").write_bytes((shop / "0.png").read_bytes())
    labels = tmp_path / "own.csv"
    labels.write_text("file,class_index\nbroken.png,0\ngood.png,0\n")
    options = ("--labels", labels, "--deadlines", "500ms", "--traces", "none")
    given = [tmp_path, "--classifier", shop / "colours.onnx", *options]
    assert command.simulate(command.parser().parse_args([str(each) for each in given])) == 0
    written = capsys.readouterr()
    assert written.out.startswith("1 pictures, ")
    assert written.err.startswith("simulate: left out: ")
    assert "broken.png" in written.err
    labels.write_text("file,class_index\nbroken.png,0\n")
    with pytest.raises(command.CommandError, match="none of the 1 pictures could be read"):
        command.simulate(command.parser().parse_args([str(each) for each in given]))
