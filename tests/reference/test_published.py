"""The networks in SavedModels answer as TensorFlow did, and other models are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")

from host.codec import CodecError  # noqa: E402
from host.reference.published import import_decoder, import_encoder  # noqa: E402
from tests.reference.savedmodels import (  # noqa: E402
    SAVED,
    WIDTH,
    saved,
    tensorflow_latent,
    tensorflow_picture,
)

ANSWERS = np.load(SAVED / "answers.npz", allow_pickle=False)
ENCODER_SHAPES = [(9, 9, 3, 16), (16,), (3, 3, 16, 10), (10,)]


def run(network: object, values: np.ndarray) -> np.ndarray:
    """One picture, height first and channels last, through a network."""
    with torch.inference_mode():
        out = network(torch.from_numpy(values.transpose(2, 0, 1).copy())[np.newaxis])  # type: ignore[operator]
    answer: np.ndarray = out[0].numpy().transpose(1, 2, 0)
    return answer


def variables() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {f"variables/{n}": rng.normal(size=shape).astype(np.float32) for n, shape in enumerate(ENCODER_SHAPES)}


def test_the_encoder_answers_as_tensorflow_did() -> None:
    latent = run(import_encoder(SAVED / "encoder"), tensorflow_picture().astype(np.float32) / np.float32(255))
    lines = ANSWERS["latent_lines"]
    assert ANSWERS["latent"].max() > 0.5
    np.testing.assert_allclose(latent[np.ix_(lines, lines)], ANSWERS["latent"], atol=1e-5)


def test_the_decoder_answers_as_tensorflow_did() -> None:
    pixels = run(import_decoder(SAVED / "decoder", WIDTH), tensorflow_latent())
    lines = ANSWERS["pixel_lines"]
    expected = ANSWERS["pixels"]
    assert 0.2 < ((expected > 0) & (expected < 1)).mean() < 0.8  # some are clipped, not all
    np.testing.assert_allclose(pixels[np.ix_(lines, lines)], expected, atol=1e-5)


def test_both_names_of_variables_give_the_same_network(tmp_path: Path) -> None:
    by_order = variables()
    parts = ["0/kernel", "0/bias", "1/kernel", "1/bias"]
    by_layer = {f"layer_with_weights-{part}": array for part, array in zip(parts, by_order.values(), strict=True)}
    first = import_encoder(saved(tmp_path / "first", by_order)).state_dict()
    second = import_encoder(saved(tmp_path / "second", by_layer)).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_an_optimizer_left_is_no_part_of_the_network(tmp_path: Path) -> None:
    extra = {"optimizer/iter": np.zeros((), np.float32), "keras_api/metrics/0/total": np.zeros((), np.float32)}
    network = import_encoder(saved(tmp_path, variables() | extra))
    assert np.array_equal(network.first.weight.detach().numpy(), variables()["variables/0"].transpose(3, 2, 0, 1))


def test_a_decoder_is_no_encoder() -> None:
    with pytest.raises(CodecError, match=r"decoder: not PNC's encoder: 10 variables of layers, 4 are needed"):
        import_encoder(SAVED / "decoder")


def test_a_narrower_decoder_is_refused() -> None:
    with pytest.raises(CodecError, match=r"not PNC's decoder: \S+kernel is float32 \[9, 9, 8, 10\], not float32 \[9,"):
        import_decoder(SAVED / "decoder")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variables/0": np.zeros((5, 5, 3, 16), np.float32)}, r"variables/0 is float32 \[5, 5, 3, 16\], not float32"),
        ({"variables/1": np.zeros(16, np.float64)}, r"variables/1 is float64 \[16\], not float32 \[16\]"),
        ({"variables/3": np.full(10, np.nan, np.float32)}, "variables/3 holds numbers that are not finite"),
        ({"variables/4": np.zeros(10, np.float32)}, "5 variables of layers, 4 are needed"),
    ],
)
def test_another_model_is_refused_in_one_line(tmp_path: Path, change: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(CodecError, match=words) as raised:
        import_encoder(saved(tmp_path, variables() | change))
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_a_variable_under_another_name_is_missed(tmp_path: Path) -> None:
    arrays = variables()
    arrays["variables/9"] = arrays.pop("variables/2")
    with pytest.raises(CodecError, match="variables/2 is missing"):
        import_encoder(saved(tmp_path, arrays))
