"""Pictures as cameras give them: deep greys, colour profiles, and JPEG files that end too early."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from host.codec import PictureError, load_picture
from host.codec.picture import MOST_MISSING
from tests.codec.conftest import drawing

SIDE = 224
#: A ramp from left to right, 0 to 1.
RAMP = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))


def read(path: Path) -> tuple[np.ndarray, list[str]]:
    """Return a picture as integers, and the notices without the name of its file."""
    notices: list[str] = []
    pixels = load_picture(path, notices.append)
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in notices)
    return pixels.astype(int), [line.removeprefix(f"{path}: ") for line in notices]


def saved(values: np.ndarray, path: Path) -> Path:
    Image.fromarray(values).save(path)
    return path


def grey_levels(pixels: np.ndarray) -> np.ndarray:
    """Return the levels of a grey picture's middle row."""
    assert np.abs(pixels - pixels[..., :1]).max() <= 1
    row: np.ndarray = pixels[SIDE // 2, :, 0]
    return row


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


def png_16(values: np.ndarray) -> bytes:
    """Write a PNG file with 16 bits a colour, which Pillow cannot write: uint16 [h, w, 3 or 4]."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, colours = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[colours], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


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


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write an ICC profile of version 2 for a display (ICC.1:2001-04)."""
    common = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    table, content = b"", b""
    start = 128 + 4 + 12 * len(common | tags)
    for name, data in (common | tags).items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", start + len(content), len(data))
        content += padded
    size = start + len(content)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I", len(common | tags)) + table + content


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(65536 * value)) for value in values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * value)) + b"\0\0"


#: sRGB's primaries for the white point D50, red and green exchanged, so that nobody can miss whether it was applied.
EXCHANGED = profile(
    b"RGB ",
    {
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(2.2)),
    },
)
#: Grey values in proportion to light.
LINEAR_GREY = profile(b"GRAY", {b"kTRC": gamma(1.0)})


def near(pixels: np.ndarray, colour: tuple[int, int, int], limit: int = 12) -> bool:
    return bool(np.abs(pixels - np.array(colour)).max() <= limit)


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


def jpeg(progressive: bool = False) -> bytes:
    file = io.BytesIO()
    large = Image.fromarray(drawing(3)).resize((900, 700), Image.Resampling.BICUBIC)
    Image.fromarray(np.asarray(large)).save(file, "JPEG", quality=92, progressive=progressive)
    return file.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_jpeg_without_its_last_two_bytes_is_taken_whole(progressive: bool, cut: int, tmp_path: Path) -> None:
    (tmp_path / "whole.jpg").write_bytes(jpeg(progressive))
    (tmp_path / "cut.jpg").write_bytes(jpeg(progressive)[:-cut])
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    assert np.array_equal(pixels, read(tmp_path / "whole.jpg")[0])
    assert notice == "the file ends too early: its end mark is missing, nothing of the picture is"


@pytest.mark.parametrize("share", [0.85, 0.92, 0.98])
def test_of_a_jpeg_that_ends_early_the_rows_that_are_there_are_taken(share: float, tmp_path: Path) -> None:
    data = jpeg()
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "cut.jpg").write_bytes(data[: round(share * len(data))])
    whole = read(tmp_path / "whole.jpg")[0]
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    missing = int(notice.split("%")[0].split()[-1]) / 100
    assert 0 < missing <= MOST_MISSING
    first = round(SIDE * (1 - missing))
    assert np.array_equal(pixels[: first - 4], whole[: first - 4])
    assert near(pixels[first + 4 :], (128, 128, 128), 1)
    assert "sent as grey" in notice


def test_a_jpeg_that_lacks_more_than_a_quarter_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    data = jpeg()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 3])
    with pytest.raises(PictureError, match=r"cut\.jpg: \d\d% of its rows are missing: the file ends too early"):
        load_picture(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes(data[:400])
    with pytest.raises(PictureError, match=r"cut\.jpg: "):
        load_picture(tmp_path / "cut.jpg")


def test_a_progressive_jpeg_without_its_last_scans_is_coarser(tmp_path: Path) -> None:
    data = jpeg(progressive=True)
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    pixels, (notice,) = read(tmp_path / "cut.jpg")
    assert 0 < np.abs(pixels - read(tmp_path / "whole.jpg")[0]).mean() < 10
    assert "without its last scans" in notice


def test_a_jpeg_that_ends_early_keeps_its_orientation_and_profile(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    file = io.BytesIO()
    image = Image.new("RGB", (320, 240), (230, 20, 20))
    image.paste((20, 20, 230), (0, 0, 320, 120))
    image.save(file, "JPEG", quality=95, exif=exif, icc_profile=EXCHANGED)
    (tmp_path / "cut.jpg").write_bytes(file.getvalue()[:-2])
    pixels, _ = read(tmp_path / "cut.jpg")
    assert near(pixels[:100], (20, 230, 20))
    assert near(pixels[124:], (20, 20, 230), 20)
