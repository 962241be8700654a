"""The published codec as a baseline: its channels are a ladder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")

from host.codec import CodecError  # noqa: E402
from host.evaluate.baselines import grey  # noqa: E402
from host.evaluate.codec_under_test import Criterion, OperatingPoint, Picture  # noqa: E402
from host.evaluate.codecs import load_codecs  # noqa: E402
from host.evaluate.errors import EvaluationError  # noqa: E402
from host.evaluate.pnc_reference import PncReference  # noqa: E402
from host.reference.huffman import HuffmanTable  # noqa: E402
from host.reference.model import Decoder, Encoder  # noqa: E402
from host.reference.model_file import ReferenceModel, save_model  # noqa: E402
from host.reference.quantizer import PUBLISHED_SCALE  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random networks; tables that give small symbols short codes."""
    torch.manual_seed(1)
    table = HuffmanTable.fit((1000 * 0.8 ** np.arange(64)).astype(np.int64))
    path = tmp_path_factory.mktemp("reference") / "random.npz"
    save_model(ReferenceModel(Encoder(), Decoder(), [table] * 10, PUBLISHED_SCALE), path)
    return path


@pytest.fixture(scope="module")
def baseline(weights: Path) -> PncReference:
    (made,) = load_codecs(["pnc-reference"], weights)
    assert isinstance(made, PncReference)
    return made


def test_each_channel_adds_its_bytes_and_two_of_length(baseline: PncReference, pictures: list[Picture]) -> None:
    channels = baseline._codec.encode(pictures[0])
    for count in baseline.ladder:
        assert len(baseline.encode(pictures[0], count)) == sum(len(data) + 2 for data in channels[:count])


def test_what_is_decoded_is_what_the_codec_makes_of_those_channels(
    baseline: PncReference, pictures: list[Picture]
) -> None:
    channels = baseline._codec.encode(pictures[0])
    decoded = {count: baseline.decode(baseline.encode(pictures[0], count)) for count in (1, 10)}
    for count, picture in decoded.items():
        assert np.array_equal(picture, baseline._codec.decode(channels[:count]))
    assert not np.array_equal(decoded[1], decoded[10])


def test_a_channel_that_is_not_whole_is_not_used(baseline: PncReference, pictures: list[Picture]) -> None:
    three, four = baseline.encode(pictures[0], 3), baseline.encode(pictures[0], 4)
    for cut in (four[:-1], four[: len(three) + 1]):
        assert np.array_equal(baseline.decode(cut), baseline.decode(three))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00", b"\xff\xff12", bytes(3000)])
def test_nothing_decodable_gives_a_picture_all_the_same(baseline: PncReference, data: bytes) -> None:
    decoded = baseline.decode(data)
    assert decoded.shape == (224, 224, 3)
    assert np.array_equal(decoded, grey())


def test_a_budget_takes_the_channels_that_fit(baseline: PncReference, pictures: list[Picture]) -> None:
    sizes = [len(baseline.encode(pictures[0], count)) for count in baseline.ladder]
    points = [OperatingPoint(Criterion.BUDGET, budget) for budget in (sizes[0] - 1, sizes[0], sizes[4] + 1)]
    streams = baseline.streams(pictures[0], points)
    assert [stream and stream.size_bytes for stream in streams] == [None, sizes[0], sizes[4]]


def test_other_weights_are_another_identity(baseline: PncReference, weights: Path, tmp_path: Path) -> None:
    torch.manual_seed(2)
    other = tmp_path / "other.npz"
    save_model(ReferenceModel(Encoder(), Decoder(), baseline._codec._tables, PUBLISHED_SCALE), other)
    identities = [PncReference(path).identity() for path in (weights, weights, other)]
    assert identities[0] == identities[1] != identities[2]


def test_weights_must_be_named_and_be_weights(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="pnc-reference ships no weights: name yours with --weights FILE"):
        load_codecs(["pnc-reference"])
    with pytest.raises(CodecError, match=r"missing\.npz: no such file"):
        load_codecs(["pnc-reference"], tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("no weights")
    with pytest.raises(CodecError, match=r"text\.npz: not a readable file of weights"):
        load_codecs(["pnc-reference"], tmp_path / "text.npz")
