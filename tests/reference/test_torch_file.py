"""The reader of ``.pth`` files: the tensors that torch wrote, and nothing that a pickle might do."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.reference.efficientnet.torch_file import TorchFileError, read_tensors

MAGIC = 0x1950A86A20F9469CFC6C


class Opcodes:
    """A pickled object written opcode by opcode: it may name modules that are not installed."""

    @staticmethod
    def name(module: str, name: str) -> bytes:
        return f"c{module}\n{name}\n".encode()

    @staticmethod
    def view(key: str, elements: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
        """A storage, an offset, a shape and strides."""
        number = lambda value: b"J" + struct.pack("<i", value)  # noqa: E731
        text = lambda value: b"X" + struct.pack("<I", len(value)) + value.encode()  # noqa: E731
        numbers = lambda values: b"(" + b"".join(map(number, values)) + b"t"  # noqa: E731
        storage = Opcodes.name("torch", "FloatStorage") + text(key) + text("cpu") + number(elements)
        persistent = b"(" + text("storage") + storage + b"NtQ"
        return persistent + number(offset) + numbers(shape) + numbers(strides)

    @staticmethod
    def tensor(key: str, elements: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
        arguments = b"(" + Opcodes.view(key, elements, offset, shape, strides) + b"\x89}t"
        return Opcodes.name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"

    @staticmethod
    def dictionary(**values: bytes) -> bytes:
        items = (b"X" + struct.pack("<I", len(k)) + k.encode() + v for k, v in values.items())
        return b"\x80\x02}(" + b"".join(items) + b"u."


def legacy_file(path: Path, tensors: bytes, storages: dict[str, np.ndarray]) -> Path:
    with path.open("wb") as file:
        for part in (MAGIC, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        file.write(tensors)
        pickle.dump(list(storages), file, protocol=2)
        for data in storages.values():
            file.write(struct.pack("<q", data.size) + data.astype("<f4").tobytes())
    return path


def test_a_tensor_comes_out_with_its_name_shape_and_values(tmp_path: Path) -> None:
    data = np.arange(12, dtype=np.float32)
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 12, 0, (3, 4), (4, 1)))
    read = read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": data}))
    assert list(read) == ["w"]
    np.testing.assert_array_equal(read["w"], data.reshape(3, 4))


def test_a_view_of_a_storage_is_read_through_its_offset_and_strides(tmp_path: Path) -> None:
    data = np.arange(12, dtype=np.float32)
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 12, 2, (2, 3), (1, 4)))
    read = read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": data}))
    np.testing.assert_array_equal(read["w"], [[2, 6, 10], [3, 7, 11]])


def test_what_torch_writes_is_what_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: its own writer cannot be asked")
    state = OrderedDict(
        kernel=torch.randn(4, 3, 2, 2),
        transposed=torch.randn(5, 7).t(),
        steps=torch.tensor(17),
        shared=torch.zeros(3),
    )
    state["also_shared"] = state["shared"]
    path = tmp_path / "torch.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    read = read_tensors(path)
    assert list(read) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(read[name], tensor.numpy())


class RunsACommand:
    """Unpickling an instance with Python's own reader runs a command that makes a file."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("place", range(5))
def test_a_pickle_that_calls_a_function_is_refused_and_nothing_is_called(tmp_path: Path, place: int) -> None:
    witness = tmp_path / "executed"
    hostile = pickle.dumps(RunsACommand(witness), protocol=2)
    pickle.loads(hostile)
    assert witness.exists()  # the pickle does what it is meant to do where nobody looks
    witness.unlink()
    parts = [pickle.dumps(part, protocol=2) for part in (MAGIC, 1001, {"little_endian": True}, {}, [])]
    parts[place] = hostile
    path = tmp_path / "hostile.pth"
    path.write_bytes(b"".join(parts))
    with pytest.raises(TorchFileError, match=r"hostile\.pth is not a file of weights: it names posix\.system"):
        read_tensors(path)
    assert not witness.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("collections", "Counter"),
        ("torch._utils", "_rebuild_tensor_v2.__call__"),
    ],
)
def test_any_name_but_the_four_is_refused(tmp_path: Path, module: str, name: str) -> None:
    tensors = Opcodes.dictionary(w=Opcodes.name(module, name))
    with pytest.raises(TorchFileError, match="is not allowed"):
        read_tensors(legacy_file(tmp_path / "w.pth", tensors, {}))


def test_the_readers_own_objects_take_no_attributes_from_a_pickle(tmp_path: Path) -> None:
    rebuild = Opcodes.name("torch._utils", "_rebuild_tensor_v2")
    set_code = rebuild + b"(N}X\x08\x00\x00\x00__code__Nstb"  # BUILD with a slot state
    with pytest.raises(TorchFileError, match="not a file of weights"):
        read_tensors(legacy_file(tmp_path / "w.pth", Opcodes.dictionary(w=set_code), {}))


def test_a_pickle_cannot_change_a_tensor_after_it_was_checked(tmp_path: Path) -> None:
    beyond = b"(" + Opcodes.view("0", 12, 1 << 20, (12,), (1 << 20,)) + b"tb"  # BUILD with another view as state
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 12, 0, (12,), (1,)) + beyond)
    with pytest.raises(TorchFileError, match="not a file of weights"):
        read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": np.zeros(12)}))


def test_a_pickle_cannot_change_the_type_of_all_storages(tmp_path: Path) -> None:
    change = Opcodes.name("torch", "FloatStorage") + b"(X\x03\x00\x00\x00<i8tb"
    with pytest.raises(TorchFileError, match="not a file of weights"):
        read_tensors(legacy_file(tmp_path / "w.pth", Opcodes.dictionary(w=change), {}))
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 1, 0, (1,), (1,)))
    read = read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": np.ones(1)}))
    assert read["w"].dtype == np.float32


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (0, (2, 2), (12, 1)),
        (0, (1 << 30, 1 << 30), (0, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (0,), (1,)),
        (0, (2, 2), (1,)),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(
    tmp_path: Path, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 12, offset, shape, strides))
    with pytest.raises(TorchFileError, match="not a file of weights"):
        read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": np.zeros(12)}))


def test_a_small_storage_cannot_be_blown_up_by_zero_strides(tmp_path: Path) -> None:
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 1, 0, (1 << 14, 1 << 14), (0, 0)))
    with pytest.raises(TorchFileError, match="larger than its storage"):
        read_tensors(legacy_file(tmp_path / "w.pth", tensors, {"0": np.zeros(1)}))


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", 12, 0, (12,), (1,)))
    whole = legacy_file(tmp_path / "w.pth", tensors, {"0": np.arange(12)}).read_bytes()
    cut = tmp_path / "cut.pth"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(TorchFileError, match=r"cut\.pth"):
            read_tensors(cut)


def test_a_storage_announced_larger_than_the_file_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    elements = (1 << 31) - 1
    tensors = Opcodes.dictionary(w=Opcodes.tensor("0", elements, 0, (1,), (1,)))
    path = legacy_file(tmp_path / "w.pth", tensors, {})
    head = path.read_bytes()[: -len(pickle.dumps([], protocol=2))]
    path.write_bytes(head + pickle.dumps(["0"], protocol=2) + struct.pack("<q", elements))
    with pytest.raises(TorchFileError, match="cut off"):
        read_tensors(path)


def test_the_zip_format_is_named_in_the_refusal(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    path = tmp_path / "new.pth"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(TorchFileError, match="zip format"):
        read_tensors(path)
