"""Training of the codec: exports equal the trained networks, and the parts of the training are correct."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")

from host.codec import load as load_codec  # noqa: E402
from host.codec.analysis import Analysis  # noqa: E402
from host.codec.bitstream import PartialSymbols  # noqa: E402
from host.codec.entropy import BitPlaneCoder  # noqa: E402
from host.codec.layout import CHANNELS, FINER, FREQUENCIES, LUMA_MIDDLE, PLANES  # noqa: E402
from host.codec.values import DecoderInputs  # noqa: E402
from host.codec.weights import kind_of, load_arrays  # noqa: E402
from host.edge import classifier  # noqa: E402
from host.train.context import PartialPictures  # noqa: E402
from host.train.export import decoder_arrays, decoder_graph, encoder_arrays  # noqa: E402
from host.train.model import CodecModel, fit_linear, set_spreads  # noqa: E402
from host.train.network import BLOCKS, WIDTH, picture_colours, planes_of  # noqa: E402
from host.train.onnx_filters import layers_of  # noqa: E402
from host.train.order import by_gain, smooth_gains  # noqa: E402
from host.train.passes import CodingPass, PassOrder, draw_sizes, level_of, missing_after, plane_by_plane  # noqa: E402
from host.train.photos import TrainingError  # noqa: E402
from host.train.quantize import quantized, wide_convolutions  # noqa: E402
from host.train.shipped import load_decoder  # noqa: E402
from host.train.sizes import symbol_costs  # noqa: E402
from host.train.tables import cumulative_frequencies, fit_coder  # noqa: E402
from host.train.teachers import Teacher  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402
from tests.codec.random_coders import random_coder, random_coefficients, reconstruct  # noqa: E402

#: Coding passes that all take ten bytes.
EVEN = defaultdict[CodingPass, float](lambda: 10.0)


def crops(count: int) -> np.ndarray:
    return np.ascontiguousarray(np.stack([drawing(seed) for seed in range(count)]).transpose(0, 3, 1, 2))


def begin(model: CodecModel) -> None:
    pixels = torch.from_numpy(crops(6)).float()
    set_spreads(model, pixels)
    fit_linear(model, [(pixels, torch.zeros(6, CHANNELS, 28, 28))])


@pytest.fixture(scope="module")
def model() -> CodecModel:
    """A model before training."""
    torch.manual_seed(1)
    made = CodecModel()
    begin(made)
    with torch.no_grad():
        made.set_tops(made.analysis(torch.from_numpy(crops(12)).float()))
    return made


@torch.no_grad()
def coefficients_of(model: CodecModel, picture: np.ndarray) -> np.ndarray:
    y = model.analysis(torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None])
    y = y - model.colour(y)
    return (torch.sign(y) * model.embedded.known(y, torch.ones_like(y)))[0].numpy()


def test_the_cosines_are_52_that_start_with_the_means() -> None:
    assert len(set(FREQUENCIES)) == CHANNELS == 52
    assert FREQUENCIES[:3] == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_the_integer_encoder_gives_the_coefficients_that_training_saw(model: CodecModel) -> None:
    network = Analysis(encoder_arrays(model))
    for seed in range(6):
        picture = drawing(seed)
        coefficients = network(picture).coefficients
        apart = np.abs(coefficients.astype(int) - coefficients_of(model, picture))
        # Float sums fall on the other side of a rounding edge now and then.
        assert apart.max() <= 1
        assert (apart > 0).mean() < 0.001
        assert len(np.unique(coefficients)) > 10


def test_the_integer_encoder_chooses_the_picture_colour_that_training_chose(model: CodecModel) -> None:
    network = Analysis(encoder_arrays(model))
    flat = [np.full((224, 224, 3), value, np.uint8) for value in ((0, 0, 0), (255, 255, 255), (250, 10, 30))]
    equal = 0
    for picture in [*flat, *(drawing(seed) for seed in range(12))]:
        means = cell_means(picture)
        found = network(picture).colour
        chosen = (picture_colours(means[None])[0] + LUMA_MIDDLE).int().tolist()
        # Where means are far apart, the integer encoder keeps to the middle, so that none is limited.
        limited = (means.flatten(1).max(1).values - means.flatten(1).min(1).values > 120).tolist()
        assert all(c == f or far for c, f, far in zip(chosen, found, limited, strict=True))
        equal += sum(c == f for c, f in zip(chosen, found, strict=True))
    assert equal > 36


def cell_means(picture: np.ndarray) -> torch.Tensor:
    """Return the means of luma and colour differences of all cells in levels, [3, 28, 28]."""
    planes = planes_of(torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None])
    return torch.nn.functional.avg_pool2d(planes, 8)[0]


def test_the_start_already_gives_the_picture_back() -> None:
    plain = CodecModel()
    begin(plain)
    with torch.no_grad():
        plain.synthesis.leave.weight.zero_()
        pixels = torch.from_numpy(np.stack([drawing(seed) for seed in range(20, 24)]).transpose(0, 3, 1, 2)).float()
        y = plain.analysis(pixels)
        out = plain.decode(y, torch.zeros_like(y)) * 128 + 127
    assert float((out - pixels).pow(2).mean()) < 0.05 * float(pixels.var())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20), st.floats(0, 1))
def test_values_and_levels_are_those_that_training_saw(model: CodecModel, seed: int, share: float) -> None:
    cuts = PassOrder(plane_by_plane([int(t) for t in model.embedded.top.flatten()]), EVEN)
    missing = torch.from_numpy(cuts.missing_planes(np.array([share * len(cuts.order)]), 28))
    picture = drawing(seed)
    with torch.no_grad():
        y = model.analysis(torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None])
        value = model.inputs(y, missing)
        colour = bytes((picture_colours(cell_means(picture)[None])[0] + LUMA_MIDDLE).int().tolist())
    planes = missing[0].numpy().astype(np.uint8)
    known = reconstruct(coefficients_of(model, picture).astype(np.int8), planes).astype(np.int16)
    top = encoder_arrays(model)["top"]
    given_values = DecoderInputs(decoder_arrays(model))([PartialSymbols(colour, known, planes, top, 1, 99, ())])
    assert np.allclose(given_values["values"], value.numpy(), rtol=1e-4, atol=1e-5)


def test_the_exported_decoder_gives_the_pixels_that_training_saw(model: CodecModel) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(decoder_graph(model, kind_of("pnc-v2")).SerializeToString())
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (3, CHANNELS, 28, 28)).astype(np.float32)
    levels = rng.uniform(-2, PLANES, (3, CHANNELS, 28, 28)).astype(np.float32)
    pixels = session.run(["pixels"], {"values": values, "levels": levels})[0]
    with torch.no_grad():
        want = model.synthesis(torch.from_numpy(values), torch.from_numpy(levels))
    want = (want * 128 + 127).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    assert pixels.shape == (3, 224, 224, 3)
    assert np.abs(pixels - want).max() <= 1


def test_what_the_weights_are_fitted_on_is_what_the_coder_sees() -> None:
    for seed in range(6):
        coder = random_coder(seed)
        coefficients = random_coefficients(seed, coder)
        contexts, _ = coder.contexts(coefficients)
        partial = PartialPictures(coefficients[None])
        for index, (channel, plane) in enumerate(coder.order.tolist()):
            seen = partial.contexts(channel, plane).reshape(coder.arrays["mean"].shape[1], -1).astype(np.int64)
            before = partial.reconstruction(channel).reshape(-1)
            expected = coder.arrays["mean"][index].astype(np.int64) @ seen
            uncertain = coder.arrays["spread"][index].astype(np.int64) @ np.abs(seen) + coder.arrays["base"][index]
            zero = before == 0
            shown = np.trunc(expected / 2**plane)
            far = np.searchsorted([128, 256, 512, 768, 1024, 1536], np.abs(shown[zero]), side="right")
            half_octaves = [64, 91, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896, 4096, 5793, 8192]
            spread = np.searchsorted(half_octaves, uncertain >> plane, side="right")
            assert np.array_equal(contexts[index][zero], far * 16 + spread[zero])
            assert np.all(contexts[index][~zero] >= 7 * 16)
            partial.refine(channel, plane)


def test_fitted_tables_take_fewer_bytes_than_what_they_start_from(
    model: CodecModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from host.train import tables

    monkeypatch.setattr(tables, "STEPS", 15)
    monkeypatch.setattr(tables, "SYMBOLS", 1000)
    encoder = encoder_arrays(model)
    encoder["top"] = np.minimum(encoder["top"], 3)
    order = plane_by_plane(encoder["top"].tolist())
    arrays = fit_coder(encoder, order, [drawing(seed) for seed in range(12)], 0, lambda _: None, 60, 1)
    flat = {**arrays, "mean": arrays["mean"] * 0, "spread": arrays["spread"] * 0}
    flat["zero"] = np.broadcast_to(np.array([1 << 14, 3 << 13], np.uint16), arrays["zero"].shape).copy()
    flat["more"] = np.full_like(arrays["more"], 1 << 14)
    network = Analysis(encoder)
    tried = [network(drawing(seed)).coefficients for seed in (20, 21)]
    sizes = [
        sum(len(BitPlaneCoder(model_arrays).encode(coefficients, 0, 4096)[0]) for coefficients in tried)
        / sum(BitPlaneCoder(model_arrays).encode(coefficients, 0, 4096)[1] for coefficients in tried)
        for model_arrays in (arrays, flat)
    ]
    assert sizes[0] < 0.6 * sizes[1]


def test_ends_are_whole_rise_and_stay_inside_their_total() -> None:
    counts = np.random.default_rng(2).dirichlet(np.full(3, 0.02), 500) + 1e-12
    found = cumulative_frequencies(counts).astype(int)
    assert (found[:, 0] >= 1).all()
    assert (np.diff(found) >= 1).all()
    assert (found[:, -1] < 1 << 15).all()


def test_cuts_are_prefixes_and_the_last_pass_may_be_part() -> None:
    top = [3, 1, 2] + [1] * (CHANNELS - 3)
    cuts = PassOrder(plane_by_plane(top), EVEN)
    assert cuts.table[0].tolist() == top
    assert not cuts.table[-1].any()
    levels = cuts.missing_planes(np.array([0.0, 0.5, 1.0]), 4)
    assert levels[0, 0].ravel().tolist() == [3.0] * 16
    assert levels[1, 0].ravel().tolist() == [2.0] * 8 + [3.0] * 8
    assert levels[2, 0].ravel().tolist() == [2.0] * 16


def test_shaken_orders_hold_the_same_passes_a_little_elsewhere() -> None:
    order = plane_by_plane([5] * CHANNELS)
    cuts = PassOrder(order, EVEN)
    shaken = cuts.shaken(0.3, np.random.default_rng(2))
    assert shaken.order != order
    assert sorted(shaken.order) == sorted(order)
    assert missing_after(shaken.order)[-1].max() == 0
    moved = [abs(order.index(index) - at) for at, index in enumerate(shaken.order)]
    assert 1 < np.mean(moved) < len(order) / 3


def test_cuts_are_where_their_bytes_are() -> None:
    cuts = PassOrder(plane_by_plane([2] * CHANNELS), EVEN)
    assert cuts.end_at(35.0) == pytest.approx(3.5, abs=1e-4)
    sizes = draw_sizes(np.random.default_rng(1), 200, 500, 5500)
    assert 500 <= sizes.min() < 510
    assert 5400 < sizes.max() <= 5500
    assert abs(np.mean(sizes < 1658) - 0.5) < 0.01


def test_an_order_that_skips_a_plane_is_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        missing_after([(0, 2), (0, 0), (0, 1)])


def test_the_worth_of_channels_and_planes_is_found_again_under_noise() -> None:
    rng = np.random.default_rng(3)
    channel, plane = rng.normal(0, 0.7, CHANNELS), np.arange(PLANES) * 0.9
    worth = {}
    for c in range(CHANNELS):
        for p in range(5):
            size = 60.0 / (1 + p)
            worth[c, p + int(FINER[c])] = size, size * float(np.exp(channel[c] + plane[p] + rng.normal(0, 0.3)))
    found, planes = smooth_gains(worth)
    assert np.corrcoef(found, channel)[0, 1] > 0.9
    assert (np.diff(planes) > 0.3).all()
    order = by_gain([7] * CHANNELS, found, planes, 1.0)
    assert len(missing_after(order)) == 7 * CHANNELS + 1
    first_finer = next(i for i, coding_pass in enumerate(order) if level_of(coding_pass) < 0)
    assert first_finer == 7 * CHANNELS - int(FINER.sum())
    assert all(level_of(coding_pass) < 0 for coding_pass in order[first_finer:])


def test_symbols_cost_what_the_coder_writes() -> None:
    coder = random_coder(3)
    coefficients = random_coefficients(3, coder)
    contexts, symbols = coder.contexts(coefficients)
    costs = symbol_costs(coder.arrays)
    bits = sum(costs[i][contexts[i], symbols[i]].sum() for i in range(coder.passes))
    packets, _ = coder.packetize(coefficients, 4096, 1)
    assert len(packets) == 1
    assert bits / 8 - 1 < len(packets[0][1]) < bits / 8 * 1.01 + 5


def test_refining_starts_from_the_decoder_that_ships() -> None:
    """More blocks change nothing at first; with 8-bit filters the network gives nearly the same pictures."""
    pytest.importorskip("onnxruntime")
    kind = kind_of("pnc-v2")
    started = CodecModel()
    load_decoder(started, kind)
    arrays, codec = load_arrays(kind), load_codec("pnc-v2")
    pictures = [drawing(seed) for seed in range(4)]
    received = [
        codec.bitstream.depacketize(codec.encode(p, max_bytes=size))
        for p, size in zip(pictures, (400, 900, 2000, 5000), strict=True)
    ]
    given_values = DecoderInputs(arrays)(received)
    shipped = codec.decoder(threads=1)._session.run(["pixels"], given_values)[0]
    with torch.no_grad():
        decoded = started.synthesis(*(torch.from_numpy(given_values[name]) for name in ("values", "levels")))
    decoded = (decoded * 128 + 127).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    errors = [((each - np.stack(pictures)) ** 2.0).mean((1, 2, 3)) for each in (decoded, shipped.astype(np.float32))]
    assert (errors[1] < 1.1 * errors[0]).all()
    missing = torch.from_numpy(np.stack([each.missing for each in received]).astype(np.float32))
    pixels = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2)).float()
    with torch.no_grad():
        value = started.inputs(started.analysis(pixels), missing)
    # A float sum falls on the other side of a rounding edge now and then.
    assert float((value - torch.from_numpy(given_values["values"])).abs().mean()) < 1e-3


def test_8_bit_filters_take_a_quarter_and_change_little(model: CodecModel) -> None:
    runtime = pytest.importorskip("onnxruntime")
    graph = decoder_graph(model, kind_of("pnc-v2"))
    rng = np.random.default_rng(1)

    def drawn() -> dict[str, np.ndarray]:
        shape = (1, CHANNELS, 28, 28)
        return {
            "values": rng.normal(0, 1, shape).astype(np.float32),
            "levels": rng.uniform(-2, PLANES, shape).astype(np.float32),
        }

    layers = wide_convolutions(graph, WIDTH)
    assert len(layers) == 2 * BLOCKS + 1
    small = quantized(graph, layers, [drawn() for _ in range(4)])
    assert small.metadata_props == graph.metadata_props
    assert len(small.SerializeToString()) < 0.5 * len(graph.SerializeToString())
    asked = drawn()
    pixels = [runtime.InferenceSession(each.SerializeToString()).run(["pixels"], asked)[0] for each in (graph, small)]
    assert 0 < np.abs(pixels[0].astype(int) - pixels[1].astype(int)).mean() < 1


def test_the_adapted_classifier_is_a_teacher() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("onnxruntime")
    name = "efficientnet-lite0-pnc"
    pictures = np.stack([drawing(seed) for seed in range(3)])
    pixels = (torch.from_numpy(pictures.transpose(0, 3, 1, 2)).float() - 127) / 128
    with torch.no_grad():
        said = torch.softmax(Teacher(name)(pixels)[1], 1).numpy()
    assert np.allclose(said, classifier.load(name, threads=1).probabilities(pictures), atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"\x08", b"not a network"])
def test_a_file_without_filters_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(TrainingError, match="not a readable network"):
        assert layers_of(file)
    with pytest.raises(TrainingError):
        layers_of(tmp_path / "none.onnx")
