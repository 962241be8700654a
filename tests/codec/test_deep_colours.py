"""Pictures with more than 8 bits a colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.codec.picture_files import RAMP, SIDE, grey_levels, png_16, read


@pytest.mark.parametrize("colours", [3, 4])
def test_12_bits_a_colour_in_a_16_bit_file_are_not_black(colours: int, tmp_path: Path) -> None:
    values = np.dstack([4095 * RAMP] * 3 + [np.full((SIDE, SIDE), 65535)] * (colours - 3))
    (tmp_path / "deep.png").write_bytes(png_16(values.astype(np.uint16)))
    pixels, (notice,) = read(tmp_path / "deep.png")
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 18  # Pillow keeps 4 of the 12 bits
    assert notice.startswith("16 bits a colour, values up to 4,095; 0 to 4,095 became black to white, in 16 steps")


def test_16_bits_a_colour_are_taken_as_they_are(tmp_path: Path) -> None:
    values = np.dstack([65535 * (0.1 + 0.8 * RAMP)] * 3)
    (tmp_path / "deep.png").write_bytes(png_16(values.astype(np.uint16)))
    pixels, notices = read(tmp_path / "deep.png")
    assert np.abs(grey_levels(pixels) - 255 * (0.1 + 0.8 * RAMP[0])).max() < 4
    assert notices == []
