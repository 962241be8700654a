"""Pictures with more than 8 bits a colour, of each format that has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.codec import PictureError, load_picture
from tests.codec.picture_files import (
    EXCHANGED,
    LINEAR_GREY,
    RAMP,
    SIDE,
    grey_levels,
    near,
    netpbm,
    png_16,
    read,
    sgi_16,
    tiff_16,
)

#: Writers of pictures uint16 [h, w, 3] with 16 bits a colour.
FORMATS: dict[str, Callable[[np.ndarray], bytes]] = {
    "png": png_16,
    "tiff": tiff_16,
    "tiff, the upper byte first": lambda values: tiff_16(values, ">"),
    "tiff, compressed": lambda values: tiff_16(values, compressed=True),
    "tiff, planes": lambda values: tiff_16(values, planes=True),
    "ppm": lambda values: netpbm(values, 65535),
    "ppm, plain": lambda values: netpbm(values, 65535, plain=True),
    "sgi": sgi_16,
}


def ramp(low: int, high: int) -> np.ndarray:
    """Return greys from left to right as colours, uint16 [h, w, 3]."""
    return np.dstack([low + (high - low) * RAMP] * 3).round().astype(np.uint16)


def written(content: bytes, folder: Path) -> Path:
    (folder / "deep").write_bytes(content)
    return folder / "deep"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("low", "high"), [(7000, 7510), (29_815, 30_415)])
def test_a_thermal_picture_in_colours_is_scaled_by_its_own_range(
    kind: str, low: int, high: int, tmp_path: Path
) -> None:
    pixels, notices = read(written(FORMATS[kind](ramp(low, high)), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert notices == [f"16 bits a colour: its own range of values, {low:,} to {high:,}, became black to white"]


@pytest.mark.parametrize("kind", FORMATS)
def test_12_bits_a_colour_in_a_16_bit_file_are_not_black(kind: str, tmp_path: Path) -> None:
    pixels, notices = read(written(FORMATS[kind](ramp(0, 4095)), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert notices == ["16 bits a colour: values 0 to 4,095; 0 to 4,095 became black to white"]


@pytest.mark.parametrize("kind", FORMATS)
def test_16_bits_a_colour_are_taken_as_they_are(kind: str, tmp_path: Path) -> None:
    pixels, notices = read(written(FORMATS[kind](ramp(6554, 58_981)), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * (0.1 + 0.8 * RAMP[0])).max() < 4
    assert notices == []


@pytest.mark.parametrize("kind", FORMATS)
def test_pale_colours_of_16_bits_keep_their_hue(kind: str, tmp_path: Path) -> None:
    pale = np.full((SIDE, SIDE, 3), (20_000, 22_000, 30_000), np.uint16)
    pixels, notices = read(written(FORMATS[kind](pale), tmp_path))
    assert near(pixels, (78, 86, 117), 1)
    assert notices == []


def test_12_bits_a_colour_keep_their_hue(tmp_path: Path) -> None:
    pale = np.full((SIDE, SIDE, 3), (2000, 2200, 3000), np.uint16)
    pixels, _ = read(written(png_16(pale), tmp_path))
    assert near(pixels, (125, 137, 187), 1)


@pytest.mark.parametrize("colours", [2, 4])
def test_transparent_parts_do_not_count(colours: int, tmp_path: Path) -> None:
    values = np.dstack([ramp(7000, 7510)[..., : colours - 1], np.full((SIDE, SIDE), 65535, np.uint16)])
    values[:40] = 0
    pixels, (notice,) = read(written(png_16(values), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert pixels[:36].min() == 255
    assert "its own range of values, 7,000 to 7,510," in notice


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(("largest", "high"), [(4095, 4095), (4095, 1000), (1023, 900), (40_000, 40_000)])
def test_a_scale_that_a_file_declares_is_its_scale(
    largest: int, high: int, colours: int, plain: bool, tmp_path: Path
) -> None:
    values = ramp(0, high)[..., :colours].squeeze()
    pixels, notices = read(written(netpbm(values, largest, plain=plain), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * high / largest * RAMP[0]).max() < 2
    assert notices == []


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("colours", [1, 3])
def test_a_thermal_picture_is_scaled_by_its_own_range_whatever_its_file_declares(
    colours: int, plain: bool, tmp_path: Path
) -> None:
    values = ramp(7000, 7510)[..., :colours].squeeze()
    pixels, (notice,) = read(written(netpbm(values, 16_383, plain=plain), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    kind = "colours" if colours == 3 else "grey"
    assert notice == f"{kind} of 0 to 16,383: its own range of values, 7,000 to 7,510, became black to white"


@pytest.mark.parametrize("plain", [False, True])
def test_a_ppm_file_without_its_last_values_is_refused(plain: bool, tmp_path: Path) -> None:
    content = netpbm(ramp(0, 65_535), 65_535, plain=plain)
    with pytest.raises(PictureError, match="truncated"):
        load_picture(written(content[:-40], tmp_path))


@pytest.mark.parametrize("text", ["P3 1 1 4095 1 2 -3", "P3 1 1 4095 1 2 4096", "P3 1 1 4095 1 2 red"])
def test_a_ppm_file_with_values_that_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        load_picture(written(text.encode(), tmp_path))


def test_compressed_planes_are_scaled_by_their_upper_8_bits(tmp_path: Path) -> None:
    pixels, (notice,) = read(written(tiff_16(ramp(6000, 10_000), planes=True, compressed=True), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 20
    assert notice.startswith("16 bits a colour, of which the upper 8 are read: its own range of values, 5,911 to 10,0")


def test_jpeg_2000_is_scaled_by_its_upper_8_bits(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed (extra camera-opencv)")
    content = cv2.imencode(".jp2", ramp(0, 4095))[1].tobytes()
    pixels, (notice,) = read(written(content, tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 20
    assert notice.startswith("16 bits a colour, of which the upper 8 are read: ")


def test_16_bits_for_all_colours_together_are_no_16_bits_a_colour(tmp_path: Path) -> None:
    dark = Image.new("RGB", (SIDE, SIDE), (40, 48, 56))
    dark.save(tmp_path / "dark.bmp")
    head = bytearray((tmp_path / "dark.bmp").read_bytes()[:54])
    head[28] = 16  # bits of a pixel: 5 for each colour
    pixel = (5 << 10 | 6 << 5 | 7).to_bytes(2, "little")
    pixels, notices = read(written(bytes(head) + pixel * SIDE * SIDE, tmp_path))
    assert near(pixels, (41, 49, 58), 2)
    assert notices == []


@pytest.mark.parametrize(("high", "level"), [(4095, 188), (65_535, 188)])
def test_grey_and_alpha_are_transformed_by_their_profile(high: int, level: int, tmp_path: Path) -> None:
    values = np.dstack([ramp(0, high)[..., 0], np.full((SIDE, SIDE), 65_535, np.uint16)])
    pixels, _ = read(written(png_16(values, LINEAR_GREY), tmp_path))
    assert abs(grey_levels(pixels)[SIDE // 2] - level) <= 3


@pytest.mark.parametrize("high", [4095, 65_535])
def test_colours_of_16_bits_are_transformed_by_their_profile(high: int, tmp_path: Path) -> None:
    red = np.full((SIDE, SIDE, 3), (0.9 * high, 0.08 * high, 0.08 * high)).astype(np.uint16)
    pixels, _ = read(written(png_16(red, EXCHANGED), tmp_path))
    assert near(pixels, (20, 230, 20))


@pytest.mark.parametrize("colours", [2, 3])
def test_a_profile_is_not_for_what_was_scaled_by_its_own_range(colours: int, tmp_path: Path) -> None:
    values = ramp(7000, 7510)[..., :colours]
    if colours == 2:
        values[..., 1] = 65_535
    pixels, (scaled, ignored) = read(written(png_16(values, LINEAR_GREY if colours == 2 else EXCHANGED), tmp_path))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert "its own range" in scaled
    assert ignored.startswith("its colour profile was ignored")
