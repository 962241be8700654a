"""Encoders as ONNX: they answer as they did before, and what is read back is what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX needs the extra pnc-link[edge]")
onnx = pytest.importorskip("onnx", reason="ONNX needs the extra pnc-link[edge]")
torch = pytest.importorskip("torch", reason="the reference needs the extra pnc-link[train]")

from host.codec import CodecError  # noqa: E402
from host.reference.model import Encoder  # noqa: E402
from host.reference.onnx_encoder import as_pixels, encoder_graph, quantized, read_encoder  # noqa: E402
from host.reference.published import import_encoder  # noqa: E402
from tests.codec.conftest import drawing  # noqa: E402
from tests.reference.savedmodels import SAVED, tensorflow_picture  # noqa: E402

CALIBRATION = [tensorflow_picture(64 * n) for n in range(4)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return import_encoder(SAVED / "encoder")


@pytest.fixture(scope="module")
def int8(encoder: Encoder) -> Any:
    return quantized(encoder_graph(encoder), CALIBRATION)


def answer(model: Any, values: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    out: np.ndarray = session.run(None, {session.get_inputs()[0].name: values})[0]
    return out


def by_torch(encoder: Encoder, pixels: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        out: np.ndarray = encoder(torch.from_numpy(pixels)).numpy()
    return out


def stored(model: Any, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def test_the_float_form_answers_as_the_network_does(encoder: Encoder) -> None:
    pixels = np.concatenate([as_pixels(tensorflow_picture(5)), as_pixels(drawing(2))])
    expected = by_torch(encoder, pixels)
    assert expected.max() > 0.5
    np.testing.assert_allclose(answer(encoder_graph(encoder), pixels), expected, atol=1e-5)


def test_the_float_form_is_read_back_to_the_bit(encoder: Encoder, tmp_path: Path) -> None:
    read = read_encoder(stored(encoder_graph(encoder), tmp_path / "encoder.onnx"))
    expected = encoder.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in read.state_dict().items())
    assert encoder_graph(read).SerializeToString() == encoder_graph(encoder).SerializeToString()


def test_the_int8_form_has_int8_weights_and_answers_nearly_as_the_network_does(encoder: Encoder, int8: Any) -> None:
    kernels = [c for c in int8.graph.initializer if c.name.endswith("weight_quantized")]
    assert [c.data_type for c in kernels] == [onnx.TensorProto.INT8] * 2
    assert len(int8.SerializeToString()) < 10_000
    for each in kernels:  # what x86 CPUs before VNNI add up in 16 bits: two products with a uint8
        assert 2 * 255 * np.abs(onnx.numpy_helper.to_array(each).astype(int)).max() < 2**15
    pixels = as_pixels(tensorflow_picture(5))
    difference = answer(int8, pixels) - by_torch(encoder, pixels)
    assert np.abs(difference).max() < 0.05 * by_torch(encoder, pixels).max()
    assert difference.std() < 0.01 * by_torch(encoder, pixels).max()


def test_the_int8_form_is_read_back_as_the_weights_it_stands_for(encoder: Encoder, int8: Any, tmp_path: Path) -> None:
    read = read_encoder(stored(int8, tmp_path / "encoder.onnx"))
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in int8.graph.initializer}
    kernel = constants["first.weight_quantized"].astype(np.float32)
    steps = constants["first.weight_scale"][:, None, None, None]
    assert np.array_equal(read.first.weight.detach().numpy(), kernel * steps)
    assert np.abs((read.first.weight - encoder.first.weight).detach().numpy() / steps).max() <= 0.501
    pixels = as_pixels(tensorflow_picture(5))
    assert np.abs(by_torch(read, pixels) - answer(int8, pixels)).max() < 0.03 * answer(int8, pixels).max()


def test_calibration_needs_pictures(encoder: Encoder) -> None:
    with pytest.raises(CodecError, match=r"^the encoder cannot be calibrated: [^\n]+$"):
        quantized(encoder_graph(encoder), [])


def changed(encoder: Encoder, fault: str) -> Any:
    model = encoder_graph(encoder)
    graph, (first, _, second, _) = model.graph, model.graph.node
    if fault == "another stride":
        next(a for a in first.attribute if a.name == "strides").ints[:] = [8, 8]
    elif fault == "no padding":
        del second.attribute[:]
    elif fault == "a third convolution":
        graph.node.append(second)
    elif fault == "no ReLU":
        del graph.node[1]
    elif fault == "weights elsewhere":
        graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    elif fault == "no bias":
        del first.input[2]
    elif fault == "weights that are computed":
        first.input[1] = "hidden"
    elif fault == "another shape":
        graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.zeros((16, 3, 5, 5), np.float32), "first.weight"))
    elif fault == "not finite":
        graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(np.full(16, np.nan, np.float32), "first.bias"))
    elif fault == "raw data cut short":
        graph.initializer[0].raw_data = graph.initializer[0].raw_data[:100]
    return model


@pytest.mark.parametrize(
    "fault",
    [
        "another stride",
        "no padding",
        "a third convolution",
        "no ReLU",
        "weights elsewhere",
        "no bias",
        "weights that are computed",
        "another shape",
        "not finite",
        "raw data cut short",
    ],
)
def test_another_network_is_refused_in_one_line(encoder: Encoder, tmp_path: Path, fault: str) -> None:
    path = stored(changed(encoder, fault), tmp_path / "encoder.onnx")
    with pytest.raises(CodecError, match=r"encoder\.onnx: not PNC's encoder: [^\n]+$"):
        read_encoder(path)


def test_what_is_no_onnx_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "encoder.onnx"
    with pytest.raises(CodecError, match=r"encoder\.onnx: no such file"):
        read_encoder(path)
    path.write_bytes(b"\xff" * 50)
    with pytest.raises(CodecError, match=r"encoder\.onnx: not an ONNX file"):
        read_encoder(path)
    with pytest.raises(CodecError, match="cannot be read"):
        read_encoder(tmp_path)
