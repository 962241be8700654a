"""A classifier's file that wants gigabytes is refused by what it declares, or fails at a limit before it takes them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra edge)")

from onnx import TensorProto, helper  # noqa: E402

from host.edge.classifier import MOST_BYTES, ClassifierError, load  # noqa: E402
from host.edge.onnx_size import weight_bytes  # noqa: E402
from tests.edge.tiny_models import colour_classifier, save  # noqa: E402

ROOT = Path(__file__).parents[2]
FLOAT = TensorProto.FLOAT
#: The memory that a refusal may take beside what Python and onnxruntime take, MB.
ROOM_MB = 300


def numbers(name: str, values: Sequence[int]) -> Any:
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], list(values))


def mean(given: str, answer: str) -> Any:
    return helper.make_node("ReduceMean", [given], [answer], axes=[2, 3], keepdims=0)


def picture(batch: int | str = "n", side: int = 224) -> Any:
    return helper.make_tensor_value_info("x", FLOAT, [batch, 3, side, side])


def scores(classes: int = 3) -> Any:
    return helper.make_tensor_value_info("y", FLOAT, ["n", classes])


def elsewhere(name: str, *dims: int) -> Any:
    """A weight in a file beside the model, which is declared and need not be there."""
    tensor = helper.make_tensor(name, FLOAT, [0], [])
    tensor.dims[:] = dims
    tensor.data_location = TensorProto.EXTERNAL
    place = tensor.external_data.add()
    place.key, place.value = "location", "weights.bin"
    return tensor


def with_weight(path: Path, *dims: int) -> Path:
    nodes = [helper.make_node("ReduceMean", ["w"], ["m"], keepdims=0), mean("x", "a")]
    nodes.append(helper.make_node("Add", ["a", "m"], ["y"]))
    return save(path, nodes, given=picture(), answer=scores(), constants=[elsewhere("w", *dims)])


def of_constant(path: Path) -> Path:
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c"]), mean("x", "a")]
    nodes += [helper.make_node("ReduceMean", ["c"], ["m"], keepdims=0), helper.make_node("Add", ["a", "m"], ["y"])]
    return save(path, nodes, given=picture(), answer=scores(), constants=[numbers("s", [1, 40_000, 40_000])])


def of_computed_shape(path: Path) -> Path:
    nodes = [helper.make_node("Shape", ["x"], ["here"]), helper.make_node("Mul", ["here", "k"], ["there"])]
    nodes += [helper.make_node("Expand", ["one", "there"], ["c"]), mean("c", "y")]
    one = helper.make_tensor("one", FLOAT, [1], [1.0])
    return save(path, nodes, given=picture(), answer=scores(), constants=[numbers("k", [1, 1, 100, 100]), one])


def of_resize(path: Path) -> Path:
    nodes = [helper.make_node("Resize", ["x", "", "", "s"], ["c"]), mean("c", "y")]
    return save(path, nodes, given=picture(), answer=scores(), constants=[numbers("s", [1, 3, 24_000, 24_000])])


def of_large_pictures(path: Path) -> Path:
    return save(path, [mean("x", "y")], given=picture(side=24_000), answer=scores())


def of_many_pictures(path: Path) -> Path:
    return save(path, [mean("x", "y")], given=picture(20_000), answer=scores())


def of_many_classes(path: Path) -> Path:
    nodes = [mean("x", "a"), helper.make_node("Tile", ["a", "s"], ["y"])]
    return save(path, nodes, given=picture(), answer=scores(3 << 25), constants=[numbers("s", [1, 1 << 25])])


def of_weights(path: Path) -> Path:
    path.with_name("weights.bin").open("wb").truncate(40_000 * 40_000 * 4)  # a hole: it takes no room
    return with_weight(path, 40_000, 40_000)


def sparse(name: str, *dims: int) -> Any:
    """A weight of which one value is in the file, and which is expanded when the file is loaded."""
    value = helper.make_tensor(name, FLOAT, [1], [1.0])
    return helper.make_sparse_tensor(value, helper.make_tensor(f"{name}_at", TensorProto.INT64, [1], [0]), list(dims))


#: The bytes of the value and the index that ``sparse`` stores.
STORED = 4 + 8


def of_sparse_weights(path: Path) -> Path:
    names = [f"w{number}" for number in range(3)]
    nodes = [mean("x", "a"), helper.make_node("Sum", names, ["w"]), helper.make_node("Shape", ["w"], ["s"])]
    nodes += [helper.make_node("Cast", ["s"], ["f"], to=FLOAT), helper.make_node("ReduceMean", ["f"], ["m"])]
    nodes.append(helper.make_node("Add", ["a", "m"], ["y"]))
    save(path, nodes, given=picture(), answer=scores(), constants=[])
    model = onnx.load(path)
    model.graph.sparse_initializer.extend(sparse(name, 15_000, 15_000) for name in names)
    onnx.save(model, path)
    return path


def of_sparse_constants(path: Path) -> Path:
    names = [f"w{number}" for number in range(3)]
    nodes = [helper.make_node("Constant", [], [name], sparse_value=sparse(name, 15_000, 15_000)) for name in names]
    nodes += [mean("x", "a"), helper.make_node("Sum", names, ["w"]), helper.make_node("Shape", ["w"], ["s"])]
    nodes += [helper.make_node("Cast", ["s"], ["f"], to=FLOAT), helper.make_node("ReduceMean", ["f"], ["m"])]
    nodes.append(helper.make_node("Add", ["a", "m"], ["y"]))
    return save(path, nodes, given=picture(), answer=scores(), constants=[])


MODELS = {
    of_weights: "its weights have 6,103 MB, and 2,048 MB are the limit",
    of_sparse_weights: "its weights have 2,574 MB, and 2,048 MB are the limit",
    of_sparse_constants: "its weights have 2,574 MB, and 2,048 MB are the limit",
    of_large_pictures: "its input has 52,734 MB, and 256 MB are the limit",
    of_many_pictures: "its input has 11,484 MB, and 256 MB are the limit",
    of_many_classes: "it has 100663296 classes, and 65536 are the limit",
    of_constant: "not enough memory (or more than 2048 MB)",
    of_computed_shape: "not enough memory (or more than 2048 MB)",
    of_resize: "not enough memory (or more than 2048 MB)",
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_file_that_wants_gigabytes_is_refused_before_it_takes_them(model: Any, tmp_path: Path) -> None:
    file = model(tmp_path / "big.onnx")
    program = """
import resource, sys
from host.edge.classifier import ClassifierError, load
import onnxruntime
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load(sys.argv[1])
except ClassifierError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    command = [sys.executable, "-c", program, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    refusal, taken_mb = done.stdout.splitlines()
    assert refusal.startswith("big.onnx cannot serve as a classifier: ")
    assert refusal.endswith(MODELS[model])
    assert int(taken_mb) < ROOM_MB


def test_a_file_of_a_usual_size_serves_under_the_limit(tmp_path: Path) -> None:
    classifier = load(str(colour_classifier(tmp_path / "m.onnx", side=224)))
    assert classifier.with_threads(1).labels == classifier.labels


@pytest.mark.parametrize("dims", [(0,), (3, 5), (1 << 20, 1 << 20), (7,)])
def test_weights_are_counted_as_declared(tmp_path: Path, dims: tuple[int, ...]) -> None:
    size = 4
    for dim in dims:
        size *= dim
    assert weight_bytes(with_weight(tmp_path / "m.onnx", *dims)) == size


def test_weights_in_branches_and_constants_are_counted_too(tmp_path: Path) -> None:
    answer = helper.make_tensor_value_info("r", FLOAT, [])
    constant = helper.make_node("Constant", [], ["r"], value=elsewhere("v", 11))
    branch = helper.make_graph([constant], "branch", [], [answer], [elsewhere("w", 100)])
    choice = helper.make_node("If", ["c"], ["r"], then_branch=branch, else_branch=branch)
    file = save(tmp_path / "m.onnx", [choice], given=picture(), answer=answer, constants=[elsewhere("o", 1000)])
    assert weight_bytes(file) == 4 * (1000 + 2 * 111)


def test_sparse_weights_are_counted_as_they_are_expanded_everywhere(tmp_path: Path) -> None:
    answer = helper.make_tensor_value_info("r", FLOAT, [])
    constant = helper.make_node("Constant", [], ["r"], sparse_value=sparse("v", 11, 13))
    several = helper.make_node("Other", [], ["q"], domain="d", all=[sparse("t", 17), sparse("u", 19)])
    branch = helper.make_graph([constant, several], "branch", [], [answer], sparse_initializer=[sparse("w", 5, 23)])
    choice = helper.make_node("If", ["c"], ["r"], then_branch=branch, else_branch=branch)
    file = save(tmp_path / "m.onnx", [choice], given=picture(), answer=answer, constants=[])
    model = onnx.load(file)
    model.graph.sparse_initializer.append(sparse("o", 1000))
    imports = [helper.make_opsetid("", 13)]
    model.functions.append(helper.make_function("d", "f", [], ["r"], [constant], imports))
    onnx.save(model, file)
    in_branch = 4 * (11 * 13 + 17 + 19 + 5 * 23) + 4 * STORED
    assert weight_bytes(file) == 2 * in_branch + (4 * 1000 + STORED) + (4 * 11 * 13 + STORED)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_file_breaks_the_count(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.getbasetemp() / "broken.onnx"
    whole = with_weight(file, 3, 1 << 30).read_bytes()
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)):
        if at < len(broken):
            broken[at] = value
    file.write_bytes(broken)
    assert weight_bytes(file) >= 0


def test_a_file_that_is_no_model_is_refused_as_before(tmp_path: Path) -> None:
    for content in (b"", b"\x3a\xff\xff\xff\xff\x0f", b"text"):
        (tmp_path / "m.onnx").write_bytes(content)
        with pytest.raises(ClassifierError, match=r"m\.onnx"):
            load(str(tmp_path / "m.onnx"))
    assert MOST_BYTES == 2 << 30
