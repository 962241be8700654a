"""Reports as CSV, plot and page."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from host.evaluate import output
from host.evaluate.accuracy import Tally
from host.evaluate.codec_under_test import EVERYTHING, Criterion, OperatingPoint
from host.evaluate.errors import EvaluationError
from host.evaluate.fidelity import FidelityTotal
from host.evaluate.measurement import CodecCounts, Counts
from host.evaluate.report import curve, reports
from host.evaluate.result_cache import ResultCache

BUDGETS = (500, 1000)


class Named:
    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind


def tally(size: int, first: int, *, sent: int = 200, overhead: int = 0) -> Tally:
    fidelity = FidelityTotal(sent, sent * 25.25, sent * 3.0, sent * 2.0, sent * 2.0, sent * 2.0)
    return Tally(200, sent, size * 200, (size - overhead) * 200, first, min(sent, first + 40), fidelity)


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    """A codec that is cut and one with a ladder and a container, counted by hand."""
    cut = {
        OperatingPoint(Criterion.BUDGET, 500): tally(500, 60),
        OperatingPoint(Criterion.BUDGET, 750): tally(750, 50),
        OperatingPoint(Criterion.BUDGET, 1000): tally(998, 110),
        EVERYTHING: tally(4000, 140),
    }
    ladder = {
        OperatingPoint(Criterion.BUDGET, 500): tally(0, 0, sent=0),
        OperatingPoint(Criterion.BUDGET, 1000): tally(600, 70, sent=150, overhead=275),
        EVERYTHING: tally(3000, 150, overhead=275),
        OperatingPoint(Criterion.PAYLOAD, 500): tally(700, 80, overhead=275),
        OperatingPoint(Criterion.PAYLOAD, 1000): tally(1200, 100, overhead=275),
        OperatingPoint(Criterion.QUALITY, 0): tally(800, 90, overhead=275),
        OperatingPoint(Criterion.QUALITY, 50): tally(3000, 150, overhead=275),
    }
    measured = [
        CodecCounts(Named(name, kind), tallies, ResultCache({}))  # type: ignore[arg-type]
        for name, kind, tallies in (("pnc-v2", "cut", cut), ("avif", "ladder", ladder))
    ]
    return reports(Counts("colours", tally(150528, 155), measured), BUDGETS)


def test_rows_are_the_budgets_and_points_are_all(found: list[dict[str, Any]]) -> None:
    own, avif = found
    assert [row["budget_bytes"] for row in own["rows"]] == [500, 1000, None]
    assert own["rows"][0] == {
        "budget_bytes": 500,
        "mean_bytes": 500,
        "top1": 0.3,
        "top5": 0.5,
        "psnr_db": 25.25,
        "blockiness": 1.5,
    }
    assert (avif["rows"][0]["psnr_db"], avif["rows"][0]["blockiness"]) == (None, None)  # nothing was sent
    assert [point["view"] for point in own["points"]] == ["budget", "cut", "budget", "budget"]
    assert len(avif["points"]) == 7
    assert "largest_drop" not in avif


def test_the_largest_drop_is_reported_for_cuts_between_budgets(found: list[dict[str, Any]]) -> None:
    assert found[0]["largest_drop"]["top1"] == {
        "drop": pytest.approx(0.05),
        "cut_bytes": 750,
        "budget_bytes": 500,
    }


def test_the_csv_holds_every_point_as_the_json_does(found: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_bytes(output.as_csv(found))
    with (tmp_path / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    points = [(report, point) for report in found for point in report["points"]]
    assert len(rows) == len(points) == 11
    for row, (report, point) in zip(rows, points, strict=True):
        assert (row["codec"], row["classifier"], int(row["n"])) == (report["codec"], "colours", 200)
        assert row["view"] == point["view"]
        assert row["at"] == ("" if point["at"] is None else str(point["at"]))
        for name in set(point) - {"view", "at"}:
            if point[name] is None:
                assert row[name] == ""
            else:
                assert float(row[name]) == pytest.approx(point[name], rel=1e-5)
        assert float(row["top5_low"]) <= float(row["top5"]) <= float(row["top5_high"])


def test_a_curve_rises_in_bytes_and_leaves_out_what_was_not_sent(found: list[dict[str, Any]]) -> None:
    assert [point["mean_bytes"] for point in curve(found[0])] == [500, 998, 4000]
    assert [point["at"] for point in curve(found[1])] == [0, 50]
    ladder_without_curve = {"points": [p for p in found[1]["points"] if p["view"] == "budget"]}
    assert [point["at"] for point in curve(ladder_without_curve)] == [1000, None]


def test_the_page_has_a_row_for_each_codec_and_says_what_could_not_be_sent(found: list[dict[str, Any]]) -> None:
    page = output.as_page(found, Path("docs/plot.svg"), Path("docs/page.md")).decode()
    lines = page.splitlines()
    assert "![Top-5 accuracy against bytes](plot.svg)" in lines
    assert "| pnc-v2 | .500 ± .069 | .750 ± .060 | .900 ± .042 (4,000) |" in lines
    assert "| AVIF | none fits | .550 ± .068 (75% sent) | .950 ± .031 (3,000) |" in lines
    assert "| AVIF, container not counted | .600 ± .067 | .700 ± .063 |  |" in lines
    assert "| AVIF | 50 | 3,000 | 2,725 | .950 ± .031 | .750 ± .060 |" in lines
    assert any("top-1 +0.050 (cut at 750 bytes against 500)" in line for line in lines)
    assert "| 750 | .450 | .250 |" in lines
    assert "| pnc-v2 | 25.2, 1.50 | 25.2, 1.50 | 25.2, 1.50 (4,000) |" in lines
    assert "| AVIF | none fits | 25.2, 1.50 | 25.2, 1.50 (3,000) |" in lines


def test_every_table_of_the_page_has_as_many_cells_in_each_row(found: list[dict[str, Any]]) -> None:
    widths: list[set[int]] = [set()]
    for line in output.as_page(found, None, Path("page.md")).decode().splitlines():
        if line.startswith("|"):
            widths[-1].add(line.count("|"))
        elif widths[-1]:
            widths.append(set())
    tables = [width for width in widths if width]
    assert len(tables) == 5
    assert all(len(width) == 1 for width in tables)


def test_a_plot_is_drawn_and_names_its_codecs_and_axes(found: list[dict[str, Any]]) -> None:
    plot = pytest.importorskip("host.evaluate.plot")
    plot.check_format(Path("a.svg"))
    drawing = plot.draw(found, "svg")
    assert drawing == plot.draw(found, "svg")
    tree = ElementTree.fromstring(drawing)
    assert tree.tag.endswith("svg")
    told = drawing.decode()
    for text in (
        "pnc-v2",
        "AVIF",
        "AVIF, no container",
        "mean bytes a picture",
        "top-5 accuracy, colours",
        "as they are: 0.975",
    ):
        assert text in told  # the text of each is in a comment before its glyphs


def test_a_plot_may_be_a_png_with_something_on_it(found: list[dict[str, Any]]) -> None:
    from io import BytesIO

    from PIL import Image

    from host.evaluate import plot

    drawing = plot.draw(found, "png")
    assert drawing.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", drawing[16:24])
    assert width > 800
    assert height > 500
    colours = Image.open(BytesIO(drawing)).convert("RGB").getcolors(1 << 24)
    assert colours
    counts = {colour: count for count, colour in colours}
    for drawn in ((0, 0x72, 0xB2), (0, 0x9E, 0x73)):
        assert counts.get(drawn, 0) > 300


@pytest.mark.parametrize("name", ["plot", "plot.pdf", "plot.jpeg"])
def test_a_plot_of_another_kind_is_refused(name: str) -> None:
    from host.evaluate import plot

    with pytest.raises(EvaluationError, match=f"{name}: a plot is an .svg or a .png file"):
        plot.check_format(Path(name))


def test_labels_keep_their_order_and_distance() -> None:
    from host.evaluate.plot import spread

    heights = spread([0.99, 0.95, 0.94, 0.93, 0.2], 0.04, 0.97)
    assert heights == pytest.approx([0.97, 0.93, 0.89, 0.85, 0.2])
