"""Damage anywhere in a file of weights: it is refused in words, or what is read is arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.codec import CodecError
from host.codec.weights import DEFAULT, KINDS, content_of, load_arrays

KIND = KINDS[DEFAULT]
SOUND = content_of(KIND, {"a": np.arange(12, dtype=np.int16).reshape(3, 4), "b": np.zeros(0, np.uint8)})


def read(folder: Path, content: bytes) -> dict[str, np.ndarray] | None:
    """The arrays in that content; None if it was refused."""
    path = folder / f"{KIND.name}.npz"
    path.write_bytes(content)
    try:
        return load_arrays(KIND, folder)
    except CodecError as error:
        words = str(error)
    assert str(path) in words
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def test_the_sound_file_is_read(folder: Path) -> None:
    arrays = read(folder, SOUND)
    assert arrays is not None
    assert arrays["a"].tolist() == np.arange(12).reshape(3, 4).tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(at=st.integers(0, len(SOUND) - 1), piece=st.binary(max_size=6), length=st.integers(0, 6))
def test_no_damage_breaks_the_reader(folder: Path, at: int, piece: bytes, length: int) -> None:
    arrays = read(folder, SOUND[:at] + piece + SOUND[at + length :])
    assert arrays is None or all(isinstance(array, np.ndarray) for array in arrays.values())


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: SOUND[:30] + tail))
def test_no_bytes_break_the_reader(folder: Path, content: bytes) -> None:
    assert read(folder, content) is None
