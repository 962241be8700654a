"""How sure an answer is: the curve, its file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.edge import builtin
from host.edge.errors import ClassifierError
from host.edge.sureness import Sureness, load_sureness
from host.evaluate import classifiers
from host.reference.efficientnet import published

CURVE = Sureness((0.0, 1.0), (1.0, 0.2))


def test_a_likelier_class_and_more_bytes_make_surer() -> None:
    by_probability = [CURVE(p, 400) for p in (0.0, 0.2, 0.5, 0.9, 1.0)]
    assert by_probability == sorted(by_probability)
    assert len(set(by_probability)) == 5
    by_bytes = [CURVE(0.6, size) for size in (0, 100, 300, 1000, 5000, 10_000, 20_000)]
    assert by_bytes == sorted(by_bytes)
    assert by_bytes[0] == by_bytes[1] < by_bytes[2] < by_bytes[4] < by_bytes[5] == by_bytes[6]
    assert CURVE(0.6, 1000) == pytest.approx(0.6)


def test_the_file_holds_the_curve(tmp_path: Path) -> None:
    (tmp_path / "mine.sure.json").write_text(CURVE.as_json())
    assert load_sureness(str(tmp_path / "mine.onnx")) == CURVE


def test_the_shipped_classifiers_have_a_curve() -> None:
    for name in (*builtin.NAMES, published.YARDSTICK):
        sureness = classifiers.load_sureness(name)
        assert sureness(0.99, 4500) > 0.95
        assert sureness(0.1, 236) < 0.5


def test_a_classifier_without_a_curve_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"mine\.onnx is not calibrated: .*mine\.sure\.json"):
        load_sureness(str(tmp_path / "mine.onnx"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"offset": [1, 1]}',
        '{"offset": [1], "slope": [1, 0]}',
        '{"offset": [], "slope": []}',
        '{"offset": [NaN, 0], "slope": [1, 0]}',
        '{"offset": [0, 0], "slope": [0, 0]}',
        '{"offset": [0, 0], "slope": [1, 1]}',
        '{"offset": ["x", 0], "slope": [1, 0]}',
    ],
)
def test_a_broken_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.sure.json").write_text(text)
    with pytest.raises(ClassifierError, match=r"mine\.sure\.json: not a calibration"):
        load_sureness(str(tmp_path / "mine.onnx"))
