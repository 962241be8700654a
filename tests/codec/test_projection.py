"""Decoded pictures agree with what was received: nearer to the true picture, plain colours exact, nothing clipped."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from host.codec import Codec, Decoder, cut
from host.codec.bitstream import PartialSymbols
from host.codec.layout import CHANNELS, FINER, GRID
from host.codec.projection import MOST_MISSING, IntervalProjection
from host.codec.weights import kind_of, load_arrays
from tests.codec.conftest import drawing
from tests.codec.random_coders import reconstruct

PLAIN = [*itertools.product((0, 255), repeat=3), (128, 128, 128), (200, 120, 40), (10, 20, 30)]


@pytest.fixture(scope="module")
def projection() -> IntervalProjection:
    return IntervalProjection(load_arrays(kind_of("pnc-v2")))


def partial(codec: Codec, picture: np.ndarray, passes: int) -> PartialSymbols:
    """Return what the first ``passes`` of a picture decide."""
    coefficients, colour = codec.analysis(picture)
    missing = codec.coder.missing_planes(passes * GRID)
    known = reconstruct(coefficients, missing).astype(np.int16)
    return PartialSymbols(colour, known, missing, codec.coder.plane_counts, 1, 99, ())


def plain(colour: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (224, 224, 3)).copy()


def with_disc(ground: str, disc: str) -> np.ndarray:
    image = Image.new("RGB", (224, 224), ground)
    ImageDraw.Draw(image).ellipse((62, 62, 162, 162), disc)
    return np.asarray(image)


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean((one.astype(np.float64) - other) ** 2))


@pytest.mark.parametrize("passes", [110, 200, 299])
def test_a_wrong_picture_comes_nearer_to_the_true_one(
    codec: Codec, projection: IntervalProjection, passes: int
) -> None:
    rng = np.random.default_rng(passes)
    assert passes <= codec.coder.passes
    for seed in range(6):
        picture = drawing(seed)
        blurred = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(5))
        wrong = np.clip(np.asarray(blurred) + rng.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
        received = partial(codec, picture, passes)
        corrected = projection(wrong[None], [received])[0]
        assert corrected.dtype == np.uint8
        assert error(corrected, picture) < error(wrong, picture)
        if passes == codec.coder.passes:
            assert error(corrected, picture) < 0.6 * error(wrong, picture)


def test_all_received_coefficients_of_a_corrected_picture_lie_in_their_intervals(
    codec: Codec, projection: IntervalProjection
) -> None:
    for seed in range(4):
        # Nothing near 0 or 255, where pixels are limited.
        picture = (drawing(seed) // 2 + 64).astype(np.uint8)
        received = partial(codec, picture, 197)
        wrong = np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2)))
        corrected = projection(wrong[None], [received])[0]
        coefficients, colour = codec.analysis(corrected)
        if colour != received.colour:
            continue
        known = received.missing <= FINER[:, None, None] + MOST_MISSING
        again = reconstruct(coefficients, received.missing)
        assert (again != received.reconstruction)[known].mean() < 0.001
        before = reconstruct(codec.analysis(wrong).coefficients, received.missing)
        assert (before != received.reconstruction)[known].mean() > 0.01


def test_a_picture_of_which_nothing_is_known_stays_as_it_is(codec: Codec, projection: IntervalProjection) -> None:
    nothing = codec.bitstream.depacketize([])
    assert np.array_equal(projection(drawing(1)[None], [nothing])[0], drawing(1))
    assert nothing.reconstruction.shape == (CHANNELS, GRID, GRID)


def test_what_is_known_coarsely_stays_as_the_network_made_it(codec: Codec, projection: IntervalProjection) -> None:
    received = partial(codec, drawing(2), 60)
    assert (received.missing > FINER[:, None, None] + MOST_MISSING).all()
    assert np.array_equal(projection(drawing(1)[None], [received])[0], drawing(1))


def test_a_plain_colour_takes_fewer_than_60_bytes_and_comes_back_within_2_levels(
    codec: Codec, decoder: Decoder
) -> None:
    for colour in PLAIN:
        packets = codec.encode(plain(colour))
        assert sum(len(packet.data) for packet in packets) < 60
        decoded = decoder.decode(cut(packets, 200))
        assert decoded.channels == codec.channels
        assert np.abs(decoded.picture.astype(int) - np.array(colour)).max() <= 2


def test_saturated_halves_keep_their_colours(codec: Codec, decoder: Decoder) -> None:
    for one, other in itertools.combinations(PLAIN[:8], 2):
        picture = plain(one)
        picture[:, 112:] = other
        decoded = decoder.decode(codec.encode(picture)).picture.astype(int)
        # Away from the edge, where cells differ from all their neighbours.
        assert np.abs(decoded[:, :96].mean((0, 1)) - one).max() <= 2
        assert np.abs(decoded[:, 128:].mean((0, 1)) - other).max() <= 2


@pytest.mark.parametrize(("ground", "disc"), [("red", "blue"), ("lime", "red"), ("white", "red"), ("blue", "yellow")])
def test_more_bytes_never_cost_a_saturated_disc(codec: Codec, decoder: Decoder, ground: str, disc: str) -> None:
    """Colour differences at the edge of the disc are larger than their planes can say."""
    picture = with_disc(ground, disc)
    packets = codec.encode(picture)
    errors = [error(decoder.decode(cut(packets, size)).picture, picture) for size in (300, 500, 700, 1000, 1500, 3000)]
    assert all(later <= 1.01 * sooner for sooner, later in itertools.pairwise(errors))
    assert errors[-1] < 0.95 * errors[1]


@pytest.mark.parametrize(("ground", "disc", "least_db"), [("red", "blue", 27.4), ("white", "red", 34.4)])
def test_colour_changes_where_luma_does(
    codec: Codec, decoder: Decoder, ground: str, disc: str, least_db: float
) -> None:
    """Luma has 44 cosines a cell and says where the edge is; a colour difference has 4."""
    picture = with_disc(ground, disc)
    decoded = decoder.decode(codec.encode(picture)).picture
    assert 10 * np.log10(255**2 / error(decoded, picture)) > least_db


def test_an_easy_picture_goes_on_to_get_better(codec: Codec, decoder: Decoder) -> None:
    rng = np.random.default_rng(8)
    soft = Image.fromarray(rng.integers(0, 60, (28, 28, 3)).astype(np.uint8)).resize(
        (224, 224), Image.Resampling.BICUBIC
    )
    picture = np.asarray(soft.filter(ImageFilter.GaussianBlur(4)))
    packets = codec.encode(picture)
    total = sum(len(packet.data) for packet in packets)
    assert total > 1500
    errors = [error(decoder.decode(cut(packets, size)).picture, picture) for size in (300, 800, total)]
    assert errors[0] > errors[1] > errors[2]
    assert 10 * np.log10(255**2 / errors[2]) > 40
