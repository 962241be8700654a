"""TensorFlow's checkpoints are read to the bit, without TensorFlow; anything unsound is named in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.codec import CodecError
from host.reference import checkpoint
from host.reference.checkpoint import DATA, INDEX, read_variables
from host.reference.crc32c import crc32c, masked_crc32c
from host.reference.table import read_table
from tests.reference.savedmodels import SAVED, block, complaint, entry, header, message, table, varint, write_saved

ONES = np.ones((2, 3), np.float32)


def index_of(*entries: tuple[bytes, bytes], head: bytes | None = None) -> bytes:
    return table(block([(b"", header() if head is None else head), *entries]))


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A copy of the SavedModel that TensorFlow wrote."""
    return Path(shutil.copytree(SAVED / "encoder", tmp_path / "encoder"))


def test_checksums_are_those_of_the_standard() -> None:
    # RFC 3720, appendix B.4, and the usual check value.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_variables_that_tensorflow_wrote_are_found_by_name() -> None:
    variables = read_variables(SAVED / "encoder")
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    shapes = {name.removesuffix(suffix): array.shape for name, array in variables.items()}
    kernels = {"variables/0": (9, 9, 3, 16), "variables/1": (16,), "variables/2": (3, 3, 16, 10), "variables/3": (10,)}
    assert shapes == {"save_counter": (), **kernels}
    assert all(np.isfinite(array).all() for array in variables.values())


def test_every_numeric_type_is_read(tmp_path: Path) -> None:
    for kind, name in checkpoint._TYPES.items():
        values = np.array([[0, 1], [1, 0]], name)
        saved = write_saved(tmp_path, index_of((b"v", entry(values, kind=kind))), values.tobytes())
        read = read_variables(saved)["v"]
        assert read.dtype == values.dtype
        assert np.array_equal(read, values)


def test_variables_in_several_blocks_are_read(tmp_path: Path) -> None:
    values = [np.full((2,), n, np.float32) for n in range(5)]
    blocks = [block([(b"v%d" % n, entry(v, offset=8 * n))]) for n, v in enumerate(values)]
    saved = write_saved(tmp_path, table(block([(b"", header())]), *blocks), b"".join(v.tobytes() for v in values))
    assert [array[0] for array in read_variables(saved).values()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", [INDEX, DATA])
def test_a_missing_file_is_named(encoder: Path, name: str) -> None:
    (encoder / name).unlink()
    with pytest.raises(CodecError, match=rf"^\S+/{name}: no such file[^\n]*$"):
        read_variables(encoder)


def test_a_folder_in_place_of_a_file_is_named(encoder: Path) -> None:
    (encoder / INDEX).unlink()
    (encoder / INDEX).mkdir()
    with pytest.raises(CodecError, match=f"{INDEX}: cannot be read"):
        read_variables(encoder)


@pytest.mark.parametrize("name", [INDEX, DATA])
def test_a_file_cut_short_anywhere_is_named(encoder: Path, name: str) -> None:
    whole = (encoder / name).read_bytes()
    # Behind the variables stands the object graph, which is not needed.
    needed = len(whole) if name == INDEX else sum(array.nbytes for array in read_variables(encoder).values())
    for length in {*range(0, needed, 1 + needed // 60), needed - 1}:
        (encoder / name).write_bytes(whole[:length])
        with pytest.raises(CodecError, match=rf"^\S+/{name}: [^\n]+$"):
            read_variables(encoder)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from([INDEX, DATA]), place=st.floats(0, 0.999999), flip=st.integers(1, 255))
def test_a_damaged_byte_is_noticed_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: float, flip: int
) -> None:
    folder = Path(shutil.copytree(SAVED / "encoder", tmp_path_factory.mktemp("damaged") / "encoder"))
    content = bytearray((folder / name).read_bytes())
    content[int(place * len(content))] ^= flip
    (folder / name).write_bytes(content)
    true = read_variables(SAVED / "encoder")
    said = complaint(lambda: read_variables(folder))
    if said is None:  # such bytes as the object graph, which is not needed
        read = read_variables(folder)
        assert list(read) == list(true)
        assert all(np.array_equal(read[key], true[key]) for key in true)
    else:
        assert name in said
        assert "\n" not in said


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_break_the_reader_of_tables(content: bytes, framed: bool) -> None:
    said = complaint(lambda: read_table(content + table(block([]))[-48:] if framed else content))
    assert said is None or "\n" not in said


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_message_breaks_the_reader_of_variables(content: bytes) -> None:
    complaint(lambda: checkpoint._check_header(content))
    said = complaint(lambda: checkpoint._array(checkpoint._entry(content), bytes(64)))
    assert said  # an array of 64 bytes without a right checksum


FAULTS: dict[str, tuple[bytes, str]] = {
    "no table": (b"x" * 100, "wrong magic number"),
    "no header": (table(block([(b"v", entry(ONES))])), "no header"),
    "several shards": (index_of(head=header(shards=2)), "2 files hold the variables"),
    "big-endian": (index_of(head=header(endianness=1)), "not little-endian"),
    "compressed": (table(block([(b"", header())], kind=1)), "Snappy"),
    "compressed otherwise": (table(block([(b"", header())], kind=9)), r"unknown way \(9\)"),
    "a key twice": (index_of((b"v", entry(ONES)), (b"v", entry(ONES))), "occurs twice"),
    "a key too long": (index_of((b"v" * 5000, entry(ONES))), "too long"),
    "a name that is no text": (index_of((b"\xff", entry(ONES))), "not text"),
    "blocks overlap": (table(block([(b"", header())]), handles=[(0, 10), (0, 10)]), "damaged|overlap"),
    "a block outside": (table(block([(b"", header())]), handles=[(1 << 40, 10)]), "outside"),
    "a message cut short": (index_of((b"v", message((2, b"12345678"))[:-3])), "truncated"),
    "a number of 80 bits": (index_of((b"v", b"\x08" + b"\xff" * 10 + b"\x01")), "64 bits"),
    "many dimensions": (index_of((b"v", entry(np.ones((1,) * 9, np.float32)))), "shape"),
    "another type": (index_of((b"v", entry(ONES, kind=14))), r"v: of an unsupported type \(14\)"),
    "another shard": (index_of((b"v", entry(ONES, shard=1))), "several places"),
    "slices": (index_of((b"v", entry(ONES) + message((7, b"")))), "several places"),
    "a wrong size": (index_of((b"v", entry(ONES, size=20))), r"20 bytes do not make \[2, 3\]"),
    "a wrong checksum": (index_of((b"v", entry(ONES, checksum=1))), "v: damaged"),
    "outside the file": (index_of((b"v", entry(ONES, offset=1))), "v: it is outside the file"),
    "far outside the file": (index_of((b"v", entry(ONES, offset=1 << 63))), "v: it is outside the file"),
    "the same bytes many times": (index_of(*((b"v%d" % n, entry(ONES)) for n in range(3))), "index belongs to another"),
    "petabytes": (index_of((b"v", entry(ONES, size=1 << 50))), "truncated"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_in_one_line(tmp_path: Path, fault: str) -> None:
    index, words = FAULTS[fault]
    saved = write_saved(tmp_path, index, ONES.tobytes())
    with pytest.raises(CodecError, match=words) as raised:
        read_variables(saved)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(saved / "variables"))


def test_what_the_faults_are_put_into_is_sound(tmp_path: Path) -> None:
    saved = write_saved(tmp_path, index_of((b"v", entry(ONES))), ONES.tobytes())
    assert np.array_equal(read_variables(saved)["v"], ONES)


@pytest.mark.parametrize(("name", "size_bytes"), [(INDEX, (1 << 20) + 1), (DATA, (64 << 20) + 1)])
def test_a_file_that_no_such_network_has_is_not_read(encoder: Path, name: str, size_bytes: int) -> None:
    with (encoder / name).open("wb") as file:
        file.truncate(size_bytes)
    with pytest.raises(CodecError, match=f"{name}: larger than"):
        read_variables(encoder)


def test_prefixes_shared_with_a_key_that_is_none_are_refused() -> None:
    body = varint(5) + varint(1) + varint(1) + b"kv" + b"\0\0\0\0\1\0\0\0\0"
    with pytest.raises(ValueError, match="an entry is truncated"):
        read_table(table(body + masked_crc32c(body).to_bytes(4, "little")))
