"""``python -m host.train.refit``: the coder is fitted again for the shipped networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra pnc-link[train]")

from host.codec.analysis import Analysis
from host.codec.entropy import ARRAYS, BitPlaneCoder
from host.codec.weights import DEFAULT, kind_of, load_arrays
from host.train import refit
from host.train.photos import TrainingError
from tests.codec.conftest import drawing, save_drawings
from tests.codec.random_coders import all_packets


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a few pictures."""
    return save_drawings(tmp_path_factory.mktemp("photos"), 4)


def test_a_refitted_coder_codes_what_the_shipped_networks_make(photos: Path, tmp_path: Path) -> None:
    path = refit.refit(photos, tmp_path / "new" / "folder", workers=1, steps=2)
    kind = kind_of(DEFAULT)
    shipped, fitted = load_arrays(kind), load_arrays(kind, path.parent)
    changed = {name for name in shipped if not np.array_equal(shipped[name], fitted[name])}
    assert changed
    assert changed <= ARRAYS.keys()
    coder, state = BitPlaneCoder(fitted), BitPlaneCoder(fitted).new_state()
    coefficients = Analysis(fitted)(drawing(9)).coefficients
    for row, data, rows in all_packets(coder, coefficients):
        assert coder.decode(data, row, rows, state) == rows * coder.side
    np.testing.assert_array_equal(state, coder.state_at(coefficients, coder.rows))


def test_a_folder_that_cannot_be_made_is_told_before_the_photos_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TrainingError, match="cannot be made"):
        refit.refit(tmp_path / "nowhere", tmp_path / "file", workers=1)
