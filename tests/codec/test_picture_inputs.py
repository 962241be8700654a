"""Pictures as cameras give them: deep greys, colour profiles, several in a file, and any orientation."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from host.codec import PictureError, load_picture
from tests.codec.conftest import drawing
from tests.codec.picture_files import (
    EXCHANGED,
    GREEN,
    LINEAR_GREY,
    RAMP,
    RED,
    SIDE,
    gamma,
    grey_levels,
    near,
    profile,
    read,
    rgb_profile,
    saved,
)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_a_thermal_picture_is_scaled_by_its_own_range(suffix: str, tmp_path: Path) -> None:
    values = (7000 + 510 * RAMP).astype(np.uint16)
    pixels, notices = read(saved(values, tmp_path / f"thermal{suffix}"))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert notices == ["16-bit grey: its own range of values, 7,000 to 7,510, became black to white"]


def test_a_dead_and_a_hot_pixel_do_not_hide_a_thermal_picture(tmp_path: Path) -> None:
    values = (7000 + 510 * RAMP).astype(np.uint16)
    values[3, 3], values[200, 9] = 0, 65535
    pixels, (notice,) = read(saved(values, tmp_path / "thermal.png"))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert "7,000 to 7,510" in notice


@pytest.mark.parametrize(
    ("full_scale", "kind", "notices"),
    [
        (65535, np.uint16, []),
        (4095, np.uint16, ["16-bit grey: values 409 to 3,685; 0 to 4,095 became black to white"]),
        (1023, np.int32, ["32-bit grey: values 102 to 920; 0 to 1,023 became black to white"]),
        (1, np.float32, ["floating-point grey: values 0.1 to 0.9; 0 to 1 became black to white"]),
    ],
)
def test_a_picture_that_fills_a_usual_scale_is_scaled_by_that(
    full_scale: int, kind: type, notices: list[str], tmp_path: Path
) -> None:
    values = (full_scale * (0.1 + 0.8 * RAMP)).astype(kind)
    pixels, found = read(saved(values, tmp_path / "grey.tiff"))
    assert np.abs(grey_levels(pixels) - 255 * (0.1 + 0.8 * RAMP[0])).max() < 4
    assert found == notices


@pytest.mark.parametrize(
    ("values", "notice"),
    [
        (-20 + 55 * RAMP, "-20 to 35"),
        (-100_000 + 200_000 * RAMP, "-100,000 to 100,000"),
        (1e9 + 300 * RAMP, "1e+09 to 1e+09"),
    ],
    ids=["degrees", "negative", "large"],
)
def test_values_of_any_size_are_scaled_by_their_range(values: np.ndarray, notice: str, tmp_path: Path) -> None:
    kind = np.float32 if values.max() < 100 else np.int32
    pixels, (found,) = read(saved(values.astype(kind), tmp_path / "values.tiff"))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert notice in found


def test_values_that_are_no_numbers_are_counted_and_do_not_hide_the_others(tmp_path: Path) -> None:
    values = (3 + 2 * RAMP).astype(np.float32)
    values[:20, :] = np.nan
    values[204:, 112:] = np.inf
    values[204:, :112] = -np.inf
    pixels, notices = read(saved(values, tmp_path / "depth.tiff"))
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert pixels[:16].max() == 0
    assert pixels[210:, :105].max() == 0
    assert pixels[210:, 119:].min() == 255
    assert notices[1] == "floating-point grey: 8,960 of 50,176 values are not finite; NaN became black"


def test_a_picture_without_a_number_is_refused(tmp_path: Path) -> None:
    path = saved(np.full((SIDE, SIDE), np.nan, np.float32), tmp_path / "nothing.tiff")
    with pytest.raises(PictureError, match=r"nothing\.tiff: none of its values is a number"):
        load_picture(path)


@pytest.mark.parametrize(("value", "level"), [(0, 0), (7000, 109), (65535, 255)])
def test_a_constant_picture_is_a_plain_grey_and_says_so(value: int, level: int, tmp_path: Path) -> None:
    pixels, (notice,) = read(saved(np.full((90, 90), value, np.uint16), tmp_path / "plain.png"))
    assert (pixels.min(), pixels.max()) == (level, level)
    assert notice == f"16-bit grey: every value is {value:,}: a plain grey, level {level} of 255"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp"])
def test_colours_are_transformed_by_their_profile(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"green{suffix}"
    Image.new("RGB", (300, 200), (230, 20, 20)).save(path, icc_profile=EXCHANGED)
    pixels, notices = read(path)
    assert near(pixels, (20, 230, 20))
    assert notices == []


def test_palettes_and_transparency_keep_their_profile(tmp_path: Path) -> None:
    half = Image.new("RGBA", (300, 300), (230, 20, 20, 255))
    half.paste((0, 0, 0, 0), (0, 150, 300, 300))
    half.save(tmp_path / "half.png", icc_profile=EXCHANGED)
    image = half.convert("RGB").quantize(2)
    image.info["transparency"] = int(np.asarray(image)[200, 10])
    image.save(tmp_path / "palette.png", icc_profile=EXCHANGED, transparency=image.info["transparency"])
    for name in ("half.png", "palette.png"):
        pixels, notices = read(tmp_path / name)
        assert near(pixels[:100], (20, 230, 20)), name
        assert near(pixels[124:], (255, 255, 255)), name
        assert notices == []


def test_greys_are_transformed_by_their_profile(tmp_path: Path) -> None:
    for mode in ("L", "LA"):
        image = Image.new("L", (64, 64), 55).convert(mode)
        image.save(tmp_path / "grey.png", icc_profile=LINEAR_GREY)
        pixels, notices = read(tmp_path / "grey.png")
        # 55 of 255 of the light is 0.5029 in sRGB's curve (IEC 61966-2-1).
        assert near(pixels, (128, 128, 128), 3), mode
        assert notices == []


def test_a_picture_that_is_srgb_keeps_its_values(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(drawing(4)).save(tmp_path / "plain.png")
    Image.fromarray(drawing(4)).save(tmp_path / "srgb.png", icc_profile=srgb)
    tagged, notices = read(tmp_path / "srgb.png")
    assert np.array_equal(tagged, read(tmp_path / "plain.png")[0])
    assert notices == []


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("high", [4095, 65_535])
def test_deep_greys_are_transformed_by_their_profile(suffix: str, high: int, tmp_path: Path) -> None:
    path = tmp_path / f"linear{suffix}"
    Image.fromarray((high * RAMP).astype(np.uint16)).save(path, icc_profile=LINEAR_GREY)
    pixels, notices = read(path)
    # Half of the light is 0.7354 in sRGB's curve.
    assert abs(grey_levels(pixels)[SIDE // 2] - 188) <= 3
    assert not any("profile" in line for line in notices)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_a_profile_is_not_for_greys_that_were_scaled_by_their_own_range(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"thermal{suffix}"
    Image.fromarray((7000 + 510 * RAMP).astype(np.uint16)).save(path, icc_profile=LINEAR_GREY)
    pixels, (scaled, ignored) = read(path)
    assert np.abs(grey_levels(pixels) - 255 * RAMP[0]).max() < 4
    assert "7,000 to 7,510" in scaled
    assert ignored == "its colour profile was ignored: it is not for values that were scaled by their own range"


@pytest.mark.parametrize("name", [b"sRGB-elle-V2-g10.icc", b"sRGB linear", b"sRGB IEC61966-2.1"])
def test_a_profile_is_not_srgb_by_its_name_alone(name: bytes, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (55, 55, 55)).save(
        tmp_path / "linear.png", icc_profile=rgb_profile(gamma(1.0), RED, GREEN, name)
    )
    Image.new("RGB", (300, 200), (230, 20, 20)).save(
        tmp_path / "exchanged.png", icc_profile=rgb_profile(gamma(2.2), GREEN, RED, name)
    )
    grey = profile(b"GRAY", {b"kTRC": gamma(1.0)}, name)
    Image.new("L", (300, 200), 55).save(tmp_path / "grey.png", icc_profile=grey)
    for file, colour in (("linear", (128,) * 3), ("exchanged", (20, 230, 20)), ("grey", (128,) * 3)):
        pixels, notices = read(tmp_path / f"{file}.png")
        assert near(pixels, colour), file
        assert notices == []


def test_a_profile_that_hardly_differs_from_srgb_changes_no_value(tmp_path: Path) -> None:
    srgb = [((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92 for v in np.linspace(0, 1, 1024)]
    curve = b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(round(65_535 * value) for value in srgb))
    near_srgb = rgb_profile(curve, RED, GREEN, b"sRGB by another program")
    Image.fromarray(drawing(4)).save(tmp_path / "near.png", icc_profile=near_srgb)
    Image.fromarray(drawing(4)[..., 0]).save(
        tmp_path / "grey.png", icc_profile=profile(b"GRAY", {b"kTRC": curve}, b"sRGB, but grey")
    )
    assert np.array_equal(read(tmp_path / "near.png")[0], drawing(4))
    assert np.array_equal(read(tmp_path / "grey.png")[0], drawing(4)[..., :1].repeat(3, axis=2))


@pytest.mark.parametrize(
    ("content", "notice"),
    [
        (b"no profile at all", "its colour profile cannot be used and was ignored"),
        (EXCHANGED[:200], "its colour profile cannot be used and was ignored"),
        (EXCHANGED[:300] + bytes(len(EXCHANGED) - 300), "its colour profile cannot be used and was ignored"),
        (LINEAR_GREY, "its colour profile is for L, its colours are RGB: the profile was ignored"),
    ],
)
def test_a_profile_that_cannot_be_used_is_ignored_with_a_notice(content: bytes, notice: str, tmp_path: Path) -> None:
    path = tmp_path / "red.jpg"
    Image.new("RGB", (300, 200), (230, 20, 20)).save(path, icc_profile=content)
    pixels, (found,) = read(path)
    assert near(pixels, (230, 20, 20))
    assert found.startswith(notice)


def test_cmyk_is_read_as_colours_that_paper_would_show(tmp_path: Path) -> None:
    for suffix in (".jpg", ".tiff"):
        path = tmp_path / f"print{suffix}"
        Image.new("CMYK", (300, 200), (0, 230, 230, 0)).save(path)
        assert near(read(path)[0], (255, 25, 25)), suffix
        Image.new("CMYK", (300, 200), (0, 230, 230, 0)).save(path, icc_profile=EXCHANGED)
        pixels, (notice,) = read(path)
        assert near(pixels, (255, 25, 25)), suffix
        assert "ignored" in notice


@pytest.mark.parametrize("suffix", [".gif", ".tiff", ".webp", ".png", ".mpo"])
def test_of_several_pictures_in_a_file_the_first_is_taken(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (300, 200), colour) for colour in ((230, 20, 20), (20, 20, 230)))
    first.save(tmp_path / f"two{suffix}", save_all=True, append_images=[second])
    pixels, notices = read(tmp_path / f"two{suffix}")
    assert near(pixels, (230, 20, 20))
    assert notices == []


@pytest.mark.parametrize("orientation", range(1, 10))
def test_pictures_of_every_orientation_are_turned_up(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(drawing(5)).resize((320, 200)).save(tmp_path / "lying.png", exif=exif)
    with Image.open(tmp_path / "lying.png") as image:
        upright = ImageOps.exif_transpose(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    assert np.array_equal(read(tmp_path / "lying.png")[0], np.asarray(upright))


def test_of_broken_exif_data_the_orientation_still_counts(tmp_path: Path) -> None:
    # The entry after the orientation is text where a number must be, so the data cannot be written again.
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 3, 0) + struct.pack(">HHI4s", 0x013E, 2, 4, b"abc\0")
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4)
    image = Image.new("RGB", (300, 200), (230, 20, 20))
    image.paste((20, 20, 230), (0, 0, 300, 100))
    image.save(tmp_path / "broken.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "broken.jpg") as opened, pytest.raises(TypeError):
        ImageOps.exif_transpose(opened)
    pixels, notices = read(tmp_path / "broken.jpg")
    assert near(pixels[:100], (230, 20, 20))
    assert near(pixels[124:], (20, 20, 230))
    assert notices == []


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_exif_data_that_cannot_be_read_are_ignored_with_a_notice(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"broken{suffix}"
    Image.new("RGB", (300, 200), (230, 20, 20)).save(path, exif=b"neither II nor MM")
    pixels, notices = read(path)
    assert near(pixels, (230, 20, 20))
    assert notices == ["its EXIF data are broken and were ignored: it is sent as it lies"]
