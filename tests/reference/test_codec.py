"""The published codec, end to end: its bytes are those of its parts, any channels decode, damaged ones are left out."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")
dahuffman = pytest.importorskip("dahuffman", reason="the comparison needs the extra pnc-link[test]")

from host.codec import CodecError  # noqa: E402
from host.reference.codec import FloatEncoder, ReferenceCodec  # noqa: E402
from host.reference.fit import fit_model  # noqa: E402
from host.reference.huffman import END  # noqa: E402
from host.reference.model import Decoder, Encoder  # noqa: E402
from host.reference.tflite import TfliteEncoder  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402
from tests.reference.references import fitted_pictures, narrow_model  # noqa: E402
from tests.reference.savedmodels import SAVED, tensorflow_picture  # noqa: E402

TFLITE = Path(__file__).parents[2] / "host" / "bench" / "data" / "pnc-encoder-uint8.tflite"
GREY = np.full((224, 224, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def codec() -> ReferenceCodec:
    return ReferenceCodec(narrow_model())


def needs_litert() -> None:
    pytest.importorskip("ai_edge_litert", reason="TFLite files need the extra pnc-link[tflite]")


def published_codec(channel: int) -> dahuffman.HuffmanCodec:
    """dahuffman's own coder with a channel's table."""
    table = narrow_model().tables[channel]
    codes = {symbol: (int(table.bits[symbol]), int(table.codes[symbol])) for symbol in range(END)}
    eof = dahuffman.huffmancodec._EOF
    return dahuffman.HuffmanCodec(codes | {eof: (int(table.bits[END]), int(table.codes[END]))})


def expected_channels(picture: np.ndarray) -> list[bytes]:
    """The published sender, step by step: uint8 activations, digitize, dahuffman."""
    model = narrow_model()
    with torch.inference_mode():
        latent = model.encoder(torch.from_numpy(picture.transpose(2, 0, 1)[None] / np.float32(255)))[0].numpy()
    activations = np.clip(np.floor(latent / model.scale + 0.5), 0, 255)
    symbols = np.digitize(activations, np.linspace(0, 256, 64), right=True).reshape(10, -1)
    return [published_codec(k).encode(channel.tolist()) for k, channel in enumerate(symbols)]


def restored(channels: list[bytes | None]) -> np.ndarray:
    """The published receiver, step by step: dahuffman, symbol / 64 * 256, the activations' step, the decoder."""
    model, features = narrow_model(), np.zeros((1, 10, 32, 32))
    for k, data in enumerate(channels):
        if data is not None:
            symbols = published_codec(k).decode(data)
            features[0, k] = np.array([symbol / 64 * 256 for symbol in symbols]).reshape(32, 32)
    with torch.inference_mode():
        pixels = model.decoder(torch.from_numpy((features * model.scale).astype(np.float32)))[0].numpy()
    picture: np.ndarray = pixels.transpose(1, 2, 0) * 255
    return picture


@pytest.mark.parametrize("picture", [drawing(0), tensorflow_picture(3), GREY], ids=["drawing", "stripes", "grey"])
def test_bytes_are_those_of_the_published_sender(codec: ReferenceCodec, picture: np.ndarray) -> None:
    assert codec.encode(picture) == expected_channels(picture)


@pytest.mark.parametrize("count", [0, 1, 6, 10])
def test_any_prefix_decodes_as_the_published_receiver_does(codec: ReferenceCodec, count: int) -> None:
    channels = codec.encode(tensorflow_picture(3))[:count]
    decoded, expected = codec.decode(channels), restored(list(channels))
    assert decoded.shape == (224, 224, 3)
    assert decoded.dtype == np.uint8
    assert np.abs(decoded - expected).max() < 0.51
    if count:
        assert expected.std() > 1


def test_each_channel_counts_by_itself(codec: ReferenceCodec) -> None:
    channels: list[bytes | None] = list(codec.encode(tensorflow_picture(3)))
    channels[4] = None
    assert np.abs(codec.decode(channels) - restored(channels)).max() < 0.51
    assert not np.array_equal(codec.decode(channels), codec.decode(channels[:4]))


def test_a_batch_is_its_pictures(codec: ReferenceCodec) -> None:
    channels = [codec.encode(tensorflow_picture(3)), codec.encode(drawing(1))[:3]]
    both = codec.decode_batch(channels)
    for decoded, alone in zip(both, channels, strict=True):
        assert np.abs(decoded.astype(int) - codec.decode(alone)).max() <= 1  # a sum in another order


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",  # noqa: ARG005
    "cut short": lambda data: data[:-3],
    "with bytes behind it": lambda data: data + b"\0",
    "its bits turned": lambda data: bytes(byte ^ 255 for byte in data),
    "very long": lambda data: data * 10_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_channel_is_named_and_left_out(codec: ReferenceCodec, damage: str) -> None:
    channels = codec.encode(tensorflow_picture(3))[:4]
    damaged: list[bytes | None] = [*channels[:2], DAMAGES[damage](channels[2]), channels[3]]
    latent, faults = codec.latent(damaged)
    assert len(faults) == 1
    assert faults[0].startswith("channel 2: ")
    assert np.array_equal(latent, codec.latent([*channels[:2], None, channels[3]])[0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=1500) | st.none(), max_size=10))
def test_no_bytes_break_the_receiver(channels: list[bytes | None]) -> None:
    latent, faults = ReferenceCodec(narrow_model()).latent(channels)
    assert np.isfinite(latent).all()
    assert len(faults) <= len([data for data in channels if data is not None])


def test_more_channels_than_there_are_and_other_pictures_are_refused(codec: ReferenceCodec) -> None:
    with pytest.raises(ValueError, match="11 channels"):
        codec.decode([None] * 11)
    for picture in (GREY[:100], GREY.astype(np.float32)):
        with pytest.raises(ValueError, match="a picture is uint8"):
            codec.encode(picture)


def test_tables_and_step_are_those_of_the_pictures_they_were_fitted_to() -> None:
    model = narrow_model()
    codec = ReferenceCodec(model)
    own = sum(len(data) for picture in fitted_pictures() for data in codec.encode(picture))
    for table in model.tables:
        others = ReferenceCodec(dataclasses.replace(model, tables=[table] * 10))
        assert own < 0.98 * sum(len(data) for picture in fitted_pictures() for data in others.encode(picture))
    activations = [FloatEncoder(model.encoder, model.scale).activations(picture) for picture in fitted_pictures()]
    assert np.max(activations) == 255
    assert (np.array(activations) == 255).sum() < 10


def test_nothing_is_fitted_without_pictures_or_to_an_encoder_that_is_silent() -> None:
    with pytest.raises(CodecError, match="no pictures"):
        fit_model(narrow_model().encoder, narrow_model().decoder, [])
    silent = Encoder()
    with torch.no_grad():
        assert silent.second.bias is not None
        silent.second.bias.fill_(-100.0)
    with pytest.raises(CodecError, match="output is all zeros"):
        fit_model(silent, Decoder(8), [GREY])


def test_a_tflite_file_answers_as_tensorflow_s_own_interpreter_did() -> None:
    needs_litert()
    activations = TfliteEncoder(TFLITE).activations(tensorflow_picture()).transpose(1, 2, 0)
    answers = np.load(SAVED / "answers.npz", allow_pickle=False)
    lines = answers["latent_lines"]
    kept = activations[np.ix_(lines, lines)].astype(int)
    assert answers["activations"].max() > 200
    # Kernels of one processor may round a half as those of another do not.
    assert np.abs(kept - answers["activations"]).max() <= 1


def test_a_tflite_file_takes_the_place_of_the_float_encoder() -> None:
    needs_litert()
    encoder = TfliteEncoder(TFLITE)
    model = dataclasses.replace(narrow_model(), scale=encoder.scale)
    by_float, by_tflite = ReferenceCodec(model), ReferenceCodec(model, encoder)
    picture = tensorflow_picture(3)
    first, second = by_float.symbols(picture).astype(int), by_tflite.symbols(picture)
    assert first.std() > 3
    assert np.abs(first - second).max() <= 2  # of 63: int8 weights, uint8 between the layers
    assert (first == second).mean() > 0.8
    decoded = by_float.decode(by_tflite.encode(picture)[:4])
    assert np.array_equal(decoded, by_tflite.decode(by_tflite.encode(picture)[:4]))


def test_an_encoder_whose_activations_have_another_step_is_refused() -> None:
    needs_litert()
    with pytest.raises(CodecError, match="they do not belong together"):
        ReferenceCodec(narrow_model(), TfliteEncoder(TFLITE))


def test_a_tflite_file_that_is_none_is_named(tmp_path: Path) -> None:
    needs_litert()
    path = tmp_path / "encoder.tflite"
    with pytest.raises(CodecError, match=r"encoder\.tflite: no such file"):
        TfliteEncoder(path)
    for content, words in (
        (b"", "not a TFLite encoder"),
        (b"\x1c\0\0\0TFL2", "not a TFLite encoder"),
        (bytes(2 << 20), "larger than 1 MB, too large for a TFLite encoder"),
    ):
        path.write_bytes(content)
        with pytest.raises(CodecError, match=rf"encoder\.tflite: {words}"):
            TfliteEncoder(path)


@pytest.mark.parametrize("length", [100, 3000, 6000, -1])
def test_a_tflite_file_cut_short_is_named(tmp_path: Path, length: int) -> None:
    needs_litert()
    path = tmp_path / "encoder.tflite"
    path.write_bytes(TFLITE.read_bytes()[:length])
    with pytest.raises(CodecError, match=r"encoder\.tflite: LiteRT cannot run it \([^\n]*\)$"):
        TfliteEncoder(path)


def test_without_litert_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(CodecError, match=r"LiteRT is not installed: pip install 'pnc-link\[tflite\]'"):
        TfliteEncoder(TFLITE)
