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
from host.simulate import __main__ as command
from host.simulate.experiment import Experiment
from host.simulate.options import parser
from host.simulate.policies import POLICIES
from host.simulate.scenario_file import read_scenario
from host.simulate.streams import STREAMS
from host.wire import MAX_CODEC_BYTES
from tests.edge.tiny_models import colour_classifier

COLOURS = ("firebrick", "seagreen", "royalblue")
#: The class of the last picture is wrong on purpose.
CLASSES = (0, 1, 0)
#: The keys of a row in the report.
KEYS = (
    "scenario",
    "deadline_ms",
    "policy",
    "codec",
    "pictures",
    "in_time",
    "unsent",
    "useful_bytes",
    "oracle_ratio",
    "ratio_p5",
    "top5",
    "top5_any_time",
)
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
def run(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the shop; return its exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        given = [shop, "--labels", shop / "labels.csv", "--classifier", shop / "colours.onnx"]
        given += ["--cache", tmp_path / "cache", *arguments]
        try:
            status = run_command(command.NAME, lambda: command.simulate(parser().parse_args([str(a) for a in given])))
        except SystemExit as ended:
            status = int(ended.code or 0)
        written = capsys.readouterr()
        return status, written.out, written.err

    return call


def rows_of(run: Run, target: Path, *arguments: object) -> list[dict[str, Any]]:
    status, _, error = run(*arguments, "--json", target)
    assert status == 0, error
    report = json.loads(target.read_text())
    assert report["classifier"] == "colours.onnx"
    rows = report["rows"]
    assert isinstance(rows, list)
    for row in rows:
        assert tuple(row) == KEYS
        assert row["pictures"] == 3
    return rows


def write_scenario(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_on_a_clear_channel_every_picture_arrives_whole(run: Run, shop: Path, tmp_path: Path) -> None:
    (row,) = rows_of(run, tmp_path / "r.json", "--deadlines", "700ms", "--scenario", "none")
    ours, classifier = codec.load(), load(str(shop / "colours.onnx"))
    decoder, sizes, hits = ours.decoder(), [], []
    for index, right in enumerate(CLASSES):
        packets = ours.encode(codec.load_picture(shop / f"{index}.png"))
        sizes.append(sum(len(packet.data) for packet in packets))
        hits.append(classifier.top(decoder.decode(packets).picture)[0][0] == right)
    assert hits == [True, True, False]
    assert (row["scenario"], row["deadline_ms"], row["policy"], row["codec"]) == ("none", 700, "ours", ours.name)
    assert (row["in_time"], row["unsent"], row["oracle_ratio"], row["ratio_p5"]) == (1, 0, 1, 1)
    assert row["useful_bytes"] == pytest.approx(np.mean(sizes))
    assert row["top5"] == row["top5_any_time"] == 1  # the classifier has three classes
    (cached,) = (tmp_path / "cache").iterdir()
    results = json.loads(cached.read_text())["results"].values()
    assert [rank == 0 for points in results for _, _, rank in points.values()] == hits


def test_on_a_slow_channel_no_more_arrives_than_its_rate_allows(run: Run, tmp_path: Path) -> None:
    slow = write_scenario(tmp_path / "slow.toml", "deadlines_ms = [300, 600]\nrate_kbps = 40\n")
    rows = rows_of(run, tmp_path / "r.json", "--scenario", slow, "--policy", "ours,fifo,oracle")
    assert [row["deadline_ms"] for row in rows] == [300] * 3 + [600] * 3
    for row in rows:
        assert row["in_time"] == 1
        assert 0 < row["useful_bytes"] <= 40_000 / 8 * row["deadline_ms"] / 1000
    for ours, fifo, oracle in (rows[:3], rows[3:]):
        assert fifo["oracle_ratio"] <= oracle["oracle_ratio"] == 1
        # the oracle sends whole packets, ours parts of them
        assert ours["useful_bytes"] < oracle["useful_bytes"] + MAX_CODEC_BYTES
    assert rows[3]["useful_bytes"] > 1.5 * rows[0]["useful_bytes"]


@pytest.mark.parametrize(
    ("deadline", "service"),
    [
        pytest.param("1ms", 50, id="a deadline below the link's latency"),
        pytest.param("200ms", 10_000, id="a server that is slower than the deadline"),
    ],
)
def test_a_picture_without_an_answer_in_time_counts_as_wrong(
    run: Run, tmp_path: Path, deadline: str, service: int
) -> None:
    slow = write_scenario(tmp_path / "slow.toml", f'deadlines_ms = [1]\ntrace = "none"\nservice_ms = {service}\n')
    options = ("--deadlines", deadline, "--scenario", slow, "--policy", "ours,fifo,oracle")
    for row in rows_of(run, tmp_path / "r.json", *options):
        assert {row[name] for name in ("in_time", "useful_bytes", "top5")} == {0}
        assert (row["oracle_ratio"], row["ratio_p5"]) == (None, None)


def test_the_same_run_gives_the_same_figures_and_a_table_of_them(run: Run, tmp_path: Path) -> None:
    options = ("--deadlines", "0.3s", "--scenario", "heavy", "--policy", "fifo")
    (first,) = rows_of(run, tmp_path / "a.json", *options)
    (second,) = rows_of(run, tmp_path / "b.json", *options)
    assert first == second
    status, out, _ = run(*options)
    assert status == 0
    _, head, line = out.splitlines()
    assert head.split("  ")[-1].strip() == "any time"
    assert line.split() == [
        "heavy",
        "300",
        "ms",
        "fifo",
        codec.load().name,
        f"{first['in_time']:.1%}",
        f"{first['unsent']:.1%}",
        f"{first['useful_bytes']:,.0f}",
        f"{first['oracle_ratio']:.2f}",
        f"{first['ratio_p5']:.2f}",
        f"{first['top5']:.3f}",
        f"{first['top5_any_time']:.3f}",
    ]


def test_first_takes_the_first_rows_only(run: Run) -> None:
    status, out, _ = run("--first", "2", "--deadlines", "500ms", "--scenario", "none")
    assert status == 0
    assert out.startswith("2 pictures, classifier ")


@pytest.mark.parametrize("name", ["light", "heavy"])
def test_under_jamming_the_ranks_that_are_delivered_are_the_most_important_ones(name: str, shop: Path) -> None:
    ours = codec.load()
    pictures = [ours.encode(codec.load_picture(shop / f"{index}.png")) for index in range(3)] * 8
    deliveries = Experiment(read_scenario(name), POLICIES["ours"]).send(pictures, 300)
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
        (["--scenario", "nowhere"], "argument --scenario: scenario 'nowhere': there is no such scenario (there are "),
        (["--scenario", "none,"], "argument --scenario: scenario '': there is no such scenario"),
        (["--scenario", "nowhere.toml"], "argument --scenario: scenario nowhere.toml: No such file or directory"),
        (["--policy", "theirs"], "argument --policy: 'theirs' is no policy: there is ours, fifo, reference, oracle"),
        (["--codec", "gif"], "argument --codec: 'gif' is no codec: there is pnc-v2, webp, pjpeg"),
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
        (["--plot", "plot.pdf"], "plot.pdf: a plot is an .svg or a .png file"),
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
    options = ("--labels", labels, "--deadlines", "500ms", "--scenario", "none")
    given = [tmp_path, "--classifier", shop / "colours.onnx", "--cache", tmp_path / "cache", *options]
    assert command.simulate(parser().parse_args([str(each) for each in given])) == 0
    written = capsys.readouterr()
    assert written.out.startswith("1 pictures, ")
    assert written.err.startswith("simulate: left out: ")
    assert "broken.png" in written.err
    labels.write_text("file,class_index\nbroken.png,0\n")
    with pytest.raises(command.CommandError, match="none of the 1 pictures could be read"):
        command.simulate(parser().parse_args([str(each) for each in given]))


def test_of_a_webp_file_only_the_whole_counts_and_of_a_progressive_jpeg_its_beginning(
    run: Run, tmp_path: Path, shop: Path
) -> None:
    picture = codec.load_picture(shop / "0.png")
    webp, pjpeg = (STREAMS[name]() for name in ("webp", "pjpeg"))
    for stream in (webp, pjpeg):
        packets = stream.encode(picture)
        count = len(packets)
        assert count >= 2
        assert stream.usable(count, range(count)) == frozenset(range(count))
        assert stream.usable(count, range(1, count)) == frozenset()
        (decoded,) = stream.decode_batch([packets])
        assert decoded[100, 10].tolist() == pytest.approx(picture[100, 10].tolist(), abs=60)
    assert webp.usable(3, [0, 1]) == frozenset()
    assert pjpeg.usable(4, [0, 1, 3]) == {0, 1}
    rows = rows_of(run, tmp_path / "r.json", "--scenario", "none", "--codec", "webp,pjpeg", "--deadlines", "500ms")
    assert [(row["codec"], row["in_time"], row["oracle_ratio"]) for row in rows] == [("webp", 1, 1), ("pjpeg", 1, 1)]


def test_plots_are_drawn_and_the_same_figures_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")
    drawn = []
    for name in ("a", "b"):
        plot, timeline = tmp_path / f"{name}-plot.svg", tmp_path / f"{name}-line.svg"
        status, _, error = run("--scenario", "heavy", "--policy", "ours,oracle", "--plot", plot, "--timeline", timeline)
        assert status == 0, error
        drawn.append((plot.read_bytes(), timeline.read_bytes()))
    assert drawn[0] == drawn[1]
    assert all(content.startswith(b"<?xml") for content in drawn[0])


def test_what_was_classified_is_not_decoded_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--deadlines", "500ms", "--scenario", "none")
    first = rows_of(run, tmp_path / "a.json", *options)
    monkeypatch.setattr("host.simulate.streams.PncStream.decode_batch", lambda *_: pytest.fail("decoded again"))
    assert rows_of(run, tmp_path / "b.json", *options) == first


def test_bytes_only_gives_the_same_bytes_without_accuracies(run: Run, tmp_path: Path) -> None:
    options = ("--deadlines", "300ms", "--scenario", "heavy", "--policy", "ours,oracle")
    whole = rows_of(run, tmp_path / "a.json", *options)
    status, out, error = run(*options, "--bytes-only", "--json", tmp_path / "b.json")
    assert status == 0, error
    assert out.startswith("3 pictures\n")
    report = json.loads((tmp_path / "b.json").read_text())
    assert report["classifier"] is None
    assert report["rows"] == [row | {"top5": None, "top5_any_time": None} for row in whole]
    status, _, error = run(*options, "--bytes-only", "--plot", tmp_path / "plot.svg")
    assert (status, error) == (1, "simulate: --plot draws accuracies, which --bytes-only leaves out\n")
