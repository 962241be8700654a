"""Baselines: each encodes and decodes, and what it sends obeys the rules of the measurement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import features

from host.evaluate.baselines import FORMATS, Baseline, PillowFormat, ProgressiveJpeg, grey, jpeg, webp, whole_segments
from host.evaluate.codec_under_test import EVERYTHING, Criterion, OperatingPoint, Picture
from host.evaluate.errors import EvaluationError

BUDGETS = (300, 900, 1500, 3000)
GREY = grey()


def has(name: str) -> bool:
    try:
        FORMATS[name]()
    except EvaluationError:
        return False
    return True


INSTALLED = [
    pytest.param(name, marks=pytest.mark.skipif(not has(name), reason=f"{name} is not installed (extra baselines)"))
    for name in FORMATS
]


def squared_error(one: Picture, other: Picture) -> float:
    return float(np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize("name", INSTALLED)
def test_a_format_gives_back_nearly_the_picture(name: str, pictures: list[Picture]) -> None:
    baseline = FORMATS[name]()
    for picture in pictures:
        decoded = baseline.decode(baseline.encode(picture, baseline.ladder[-1]))
        assert decoded.shape == picture.shape
        assert squared_error(decoded, picture) < 0.1 * squared_error(GREY, picture)


@pytest.mark.parametrize("name", INSTALLED)
def test_the_best_of_a_ladder_takes_more_bytes_and_gives_less_error_than_the_worst(
    name: str, pictures: list[Picture]
) -> None:
    baseline = FORMATS[name]()
    assert list(baseline.ladder) == sorted(set(baseline.ladder))
    assert set(baseline.curve) <= set(baseline.ladder)
    if baseline.kind == "cut":
        return
    worst, best = (baseline.encode(pictures[0], quality) for quality in (baseline.ladder[0], baseline.ladder[-1]))
    assert len(best) > len(worst)
    errors = [squared_error(baseline.decode(data), pictures[0]) for data in (best, worst)]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("name", INSTALLED)
def test_a_picture_encodes_to_the_same_bytes_each_time(name: str, pictures: list[Picture]) -> None:
    baseline = FORMATS[name]()
    assert baseline.encode(pictures[0], baseline.ladder[0]) == baseline.encode(pictures[0], baseline.ladder[0])


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("data", [b"", b"\xff", b"no picture", bytes(5000)])
def test_what_is_no_picture_decodes_to_grey(name: str, data: bytes) -> None:
    assert np.array_equal(FORMATS[name]().decode(data), GREY)


@pytest.mark.parametrize("name", INSTALLED)
def test_a_picture_of_another_size_is_grey(name: str) -> None:
    baseline = FORMATS[name]()
    small = baseline.encode(np.zeros((64, 64, 3), np.uint8), baseline.ladder[-1])
    assert np.array_equal(baseline.decode(small), GREY)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_only_avif_has_a_container_and_it_is_the_same_for_every_picture(pictures: list[Picture]) -> None:
    baseline = FORMATS["avif"]()
    for picture in pictures:
        data = baseline.encode(picture, baseline.ladder[0])
        at = data.index(b"mdat") + 4
        assert baseline.overhead_bytes(data) == at  # the payload is at the end
        assert 200 < at < 350
    for other in (jpeg(), ProgressiveJpeg(), webp()):
        assert other.overhead_bytes(other.encode(pictures[0], other.ladder[0])) == 0


@pytest.mark.parametrize("maker", [jpeg, webp])
def test_a_ladder_sends_the_best_file_that_fits(maker: Callable[[], Baseline], pictures: list[Picture]) -> None:
    baseline = maker()
    assert baseline.kind == "ladder"
    points = [OperatingPoint(Criterion.BUDGET, budget) for budget in BUDGETS]
    seen = set()
    for picture in pictures:
        files = [baseline.encode(picture, quality) for quality in baseline.ladder]
        for budget, stream in zip(BUDGETS, baseline.streams(picture, points), strict=True):
            fitting = [data for data in files if len(data) <= budget]
            assert (stream.content if stream else None) == (fitting[-1] if fitting else None)
            assert stream is None or stream.size_bytes == len(fitting[-1]) <= budget
            seen.add(stream is None)
    assert seen == {True, False}


def test_a_ladder_without_a_budget_sends_its_best_and_at_a_quality_just_that(pictures: list[Picture]) -> None:
    baseline = jpeg()
    best, at_5 = baseline.streams(pictures[0], [EVERYTHING, OperatingPoint(Criterion.QUALITY, 5)])
    assert best
    assert at_5
    assert best.content == baseline.encode(pictures[0], baseline.ladder[-1])
    assert at_5.content == baseline.encode(pictures[0], 5)


class Boxed(PillowFormat):
    """JPEG in a container of 100 bytes."""

    def encode(self, picture: Picture, quality: int) -> bytes:
        return bytes(100) + super().encode(picture, quality)

    def decode(self, data: bytes) -> Picture:
        return super().decode(data[100:])

    def overhead_bytes(self, data: bytes) -> int:
        return min(100, len(data))


def test_a_container_is_counted_in_a_budget_and_left_out_of_a_payload(pictures: list[Picture]) -> None:
    boxed = Boxed("boxed", "JPEG", tuple(range(1, 46)), (5,), {})
    budgets = (1700, 2000, 3000)
    points = boxed.operating_points(budgets)
    assert [point.value for point in points if point.criterion is Criterion.PAYLOAD] == list(budgets)
    streams = dict(zip(points, boxed.streams(pictures[0], points), strict=True))
    for budget in budgets:
        counted = streams[OperatingPoint(Criterion.BUDGET, budget)]
        left_out = streams[OperatingPoint(Criterion.PAYLOAD, budget)]
        assert counted
        assert left_out
        assert counted.payload_bytes + 100 == counted.size_bytes <= budget
        assert left_out.payload_bytes <= budget
        assert left_out.size_bytes >= counted.size_bytes
    assert not any(point.criterion is Criterion.PAYLOAD for point in jpeg().operating_points(budgets))


def test_a_progressive_stream_is_one_and_is_cut_at_the_budget(pictures: list[Picture]) -> None:
    baseline = ProgressiveJpeg()
    assert baseline.kind == "cut"
    points = baseline.operating_points((900, 100, 900))
    assert [point.value for point in points] == [100, 900, None]
    whole = baseline.encode(pictures[0], 30)
    streams = baseline.streams(pictures[0], points)
    assert [stream and stream.content for stream in streams] == [whole[:100], whole[:900], whole]
    assert [stream and stream.size_bytes for stream in streams] == [100, 900, len(whole)]


def test_every_cut_of_a_progressive_jpeg_decodes_and_later_ones_come_nearer(pictures: list[Picture]) -> None:
    baseline = ProgressiveJpeg()
    whole = baseline.encode(pictures[0], 30)
    errors = [squared_error(baseline.decode(whole[:size]), pictures[0]) for size in range(0, len(whole) + 1, 7)]
    assert errors[0] == squared_error(GREY, pictures[0])
    shown = next(index for index, error in enumerate(errors) if error != errors[0])
    assert shown * 7 < 1000
    # Never back to grey, as where a table that is cut would take the scans before it along.
    assert all(error != errors[0] for error in errors[shown:])
    assert errors[-1] < 0.3 * errors[shown]


def test_a_whole_jpeg_is_only_robbed_of_its_end_mark(pictures: list[Picture]) -> None:
    for baseline in (jpeg(), ProgressiveJpeg()):
        whole = baseline.encode(pictures[0], 30)
        assert whole_segments(whole) + b"\xff\xd9" == whole


@settings(deadline=None)
@given(st.data())
def test_damaged_progressive_jpegs_never_raise(data: st.DataObject) -> None:
    baseline = ProgressiveJpeg()
    picture = np.tile(np.arange(224, dtype=np.uint8)[:, None, None], (1, 224, 3))
    stream = bytearray(baseline.encode(picture, 30))
    for _ in range(data.draw(st.integers(1, 5))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    assert baseline.decode(bytes(stream[: data.draw(st.integers(0, len(stream)))])).shape == (224, 224, 3)


@given(st.binary(max_size=300))
def test_the_whole_segments_of_anything_are_a_beginning_of_it(data: bytes) -> None:
    assert data.startswith(whole_segments(data))
    assert data.startswith(whole_segments(b"\xff\xd8" + data)[2:])


@pytest.mark.parametrize("name", INSTALLED)
def test_the_identity_of_a_baseline_names_its_options_and_library(name: str) -> None:
    identity = FORMATS[name]().identity()
    found = identity["settings"]
    assert identity["codec"] == name
    assert isinstance(found, dict)
    assert found["options"]
    assert found["library"]
