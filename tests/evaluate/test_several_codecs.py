"""``python -m host.evaluate`` with several codecs: budgets, the cache, and the files that it writes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from host.evaluate.baselines import FORMATS
from tests.edge.tiny_models import colour_classifier

ROOT = Path(__file__).resolve().parents[2]
COLOURS = ("firebrick", "seagreen", "royalblue")
CODECS = "pnc-v2,jpeg,pjpeg,webp"
BUDGETS = (300, 800, 1500)


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host.evaluate", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The arguments that name three drawn pictures, their labels and a classifier of three colours."""
    folder = tmp_path_factory.mktemp("shop")
    lines = ["file,class_index"]
    for index, colour in enumerate(COLOURS):
        image = Image.new("RGB", (320, 240), colour)
        draw = ImageDraw.Draw(image)
        for step in range(0, 240, 16):
            draw.ellipse((step, step // 2, step + 60, step // 2 + 40), outline="orange")
        image.save(folder / f"{index}.png")
        lines.append(f"{index}.png,{index}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    model = colour_classifier(folder / "colours.onnx", metadata={"labels": "red\ngreen\nblue"})
    return [folder, "--labels", folder / "labels.csv", "--classifier", model, "--budgets", ",".join(map(str, BUDGETS))]


@pytest.fixture(scope="module")
def files(shop: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that one run over several codecs writes."""
    folder = tmp_path_factory.mktemp("written")
    targets = ("--json", folder / "r.json", "--csv", folder / "r.csv", "--table", folder / "r.md")
    done = evaluate(
        *shop, "--codec", CODECS, "--fine", "--cache", folder / "cache", "--plot", folder / "r.svg", *targets
    )
    assert done.returncode == 0, done.stderr
    assert [line.split("codec ")[1].split(",")[0] for line in done.stdout.splitlines() if "codec" in line] == (
        CODECS.split(",")
    )
    return folder


@pytest.fixture(scope="module")
def found(files: Path) -> list[dict[str, Any]]:
    loaded = json.loads((files / "r.json").read_text())
    assert isinstance(loaded, list)
    return loaded


def test_several_codecs_make_a_list_of_reports_in_the_order_asked(found: list[dict[str, Any]]) -> None:
    assert [report["codec"] for report in found] == CODECS.split(",")
    assert [report["kind"] for report in found] == ["cut", "ladder", "cut", "ladder"]
    assert all(report["original"] == {"top1": 1.0, "top5": 1.0} for report in found)


def test_no_codec_takes_more_than_the_budget(found: list[dict[str, Any]]) -> None:
    for report in found:
        assert [row["budget_bytes"] for row in report["rows"]] == [*BUDGETS, None]
        for point in report["points"]:
            if point["view"] in ("budget", "cut") and point["at"] is not None:
                assert point["mean_bytes"] <= point["at"]


def test_what_does_not_fit_is_not_sent_and_wrong(found: list[dict[str, Any]]) -> None:
    smallest = {
        report["codec"]: next(p for p in report["points"] if (p["view"], p["at"]) == ("budget", 300))
        for report in found
    }
    assert (smallest["jpeg"]["sent"], smallest["jpeg"]["top5"]) == (0, 0)
    assert (smallest["pnc-v2"]["sent"], smallest["pnc-v2"]["top5"]) == (1, 1)


def test_codecs_that_can_be_cut_have_the_fine_grid_and_the_others_qualities(found: list[dict[str, Any]]) -> None:
    for report in found:
        views = {point["view"] for point in report["points"]}
        if report["kind"] == "cut":
            cuts = [point["at"] for point in report["points"] if point["view"] == "cut"]
            assert cuts == [size for size in (*range(50, 1001, 50), 1250) if size not in BUDGETS]
            assert set(report["largest_drop"]) == {"top1", "top5"}
        else:
            assert views == {"budget", "quality"}
            qualities = [point["at"] for point in report["points"] if point["view"] == "quality"]
            assert tuple(qualities) == FORMATS[report["codec"]]().curve


def test_the_csv_has_a_line_for_each_point(files: Path, found: list[dict[str, Any]]) -> None:
    with (files / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["codec"], row["view"]) for row in rows] == [
        (report["codec"], point["view"]) for report in found for point in report["points"]
    ]


def test_plot_and_page_are_written(files: Path) -> None:
    assert (files / "r.svg").stat().st_size > 20_000
    page = (files / "r.md").read_text()
    assert "![Top-5 accuracy against bytes](r.svg)" in page
    assert "## Cut at any byte" in page


def test_one_codec_measured_alone_from_the_cache_gives_the_same_report(
    shop: list[object], files: Path, found: list[dict[str, Any]], tmp_path: Path
) -> None:
    before = {file: file.stat().st_mtime_ns for file in (files / "cache").iterdir()}
    assert len(before) == 1 + len(found)  # the originals, too
    done = evaluate(*shop, "--codec", "webp", "--cache", files / "cache", "--json", tmp_path / "webp.json")
    assert done.returncode == 0
    assert json.loads((tmp_path / "webp.json").read_text()) == found[-1]
    assert {file: file.stat().st_mtime_ns for file in (files / "cache").iterdir()} == before


def test_cached_results_are_the_ones_reported(shop: list[object], files: Path, tmp_path: Path) -> None:
    (stored,) = (files / "cache").glob("webp-*.json")
    changed = json.loads(stored.read_text())
    for results in changed["results"].values():
        for point in results:
            results[point] = [123, 123, 999, 20.5, 3.0, 2.0, 1.0, 1.0]
    (tmp_path / stored.name).write_text(json.dumps(changed))
    done = evaluate(*shop, "--codec", "webp", "--cache", tmp_path, "--json", tmp_path / "webp.json")
    assert done.returncode == 0
    written = json.loads((tmp_path / "webp.json").read_text())
    assert {(row["mean_bytes"], row["top5"]) for row in written["rows"]} == {(123, 0)}
    assert {(row["psnr_db"], row["blockiness"]) for row in written["rows"]} == {(20.5, 1.5)}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["--codec", "jpeg,morse"],
            "morse: no such codec; known are pnc-v2, jpeg, pjpeg, webp, avif, jxl, pnc-reference",
        ),
        (["--codec", "jpeg,pnc-reference"], "pnc-reference ships no weights: name yours with --weights FILE"),
        (["--codec", "jpeg,"], "an empty name: no such codec"),
        (["--plot", "plot.bmp"], "plot.bmp: a plot is an .svg or a .png file"),
        (["--csv", "/nowhere/points.csv"], "points.csv: cannot be written"),
        (["--table", "/nowhere/page.md"], "page.md: cannot be written"),
        (["--cache", "README.md"], "README.md cannot be used as a cache"),
    ],
)
def test_bad_input_is_one_line_and_status_1(shop: list[object], arguments: list[str], reason: str) -> None:
    done = evaluate(*shop, *arguments)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert reason in line
    assert done.stdout == ""


def test_weights_without_the_codec_that_takes_them_are_wrong_usage(shop: list[object]) -> None:
    done = evaluate(*shop, "--codec", "jpeg", "--weights", "own.npz")
    assert done.returncode == 2
    assert done.stderr == "evaluate: --weights is for pnc-reference, which --codec does not name\n"


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [("pillow_jxl", ["--codec", "jxl"], "baselines"), ("matplotlib", ["--plot", "plot.svg"], "plot")],
)
def test_what_is_not_installed_is_named_with_its_extra(
    shop: list[object], module: str, arguments: list[str], extra: str
) -> None:
    without = (
        f"import runpy, sys; sys.modules[{module!r}] = None; runpy.run_module('host.evaluate', run_name='__main__')"
    )
    command = [sys.executable, "-c", without, *map(str, shop), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"pip install 'pnc-link[{extra}]'" in line
