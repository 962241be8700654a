"""Picture files: readable ones become 224x224 RGB, others are refused in one line that names the file."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from host.codec import PictureError, load_picture
from tests.codec.conftest import drawing


def refused(path: Path) -> str:
    """Return the message of the refusal of ``path``: one line that names the file."""
    with pytest.raises(PictureError) as caught:
        load_picture(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_a_picture_is_squashed_whole_to_224_pixels(tmp_path: Path) -> None:
    wide = np.zeros((100, 400, 3), np.uint8)
    wide[:, 200:] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    pixels = load_picture(tmp_path / "wide.png")
    assert (pixels.shape, pixels.dtype) == ((224, 224, 3), np.uint8)
    assert pixels[:, :105].max() < 30
    assert pixels[:, 119:].min() > 225


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "1", "RGBA", "LA", "I;16", "I", "F", "YCbCr", "LAB"])
def test_every_mode_of_picture_comes_out_as_the_same_rgb(mode: str, tmp_path: Path) -> None:
    grey = np.linspace(40, 200, 224 * 224).reshape(224, 224).astype(np.uint8)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode in ("I", "F"):
        image = Image.fromarray(grey.astype(np.int32 if mode == "I" else np.float32))
    elif mode == "P":
        image = Image.fromarray(grey).convert("RGB").quantize(128)
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    path = tmp_path / ("picture.png" if mode in ("RGB", "L", "P", "1", "RGBA", "LA", "I;16") else "picture.tiff")
    image.save(path)
    pixels = load_picture(path).astype(int)
    limit = 130 if mode == "1" else 12
    assert np.abs(pixels.mean(axis=2) - grey).mean() < limit
    assert pixels.mean() == pytest.approx(grey.mean(), abs=8)


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    pixels = np.zeros((224, 224, 4), np.uint8)
    pixels[:112, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    seen = load_picture(tmp_path / "half.png")
    assert seen[:100].max() < 20
    assert seen[124:].min() > 235


def test_a_picture_taken_sideways_is_turned_up(tmp_path: Path) -> None:
    upright = np.zeros((300, 300, 3), np.uint8)
    upright[:150] = 255
    lying = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "lying.jpg", exif=exif, quality=95)
    seen = load_picture(tmp_path / "lying.jpg")
    assert seen[:100].min() > 200
    assert seen[124:].max() < 50


def test_a_large_jpeg_gives_nearly_what_its_full_decoding_gives(tmp_path: Path) -> None:
    image = Image.fromarray(drawing(1)).resize((2400, 1800), Image.Resampling.BICUBIC)
    image.save(tmp_path / "large.jpg", quality=95)
    with Image.open(tmp_path / "large.jpg") as opened:
        whole = np.asarray(opened.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(load_picture(tmp_path / "large.jpg") - whole).mean() < 2


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("not a picture")
    for name in ("empty.jpg", "text.png"):
        assert "not a picture" in refused(tmp_path / name)
    assert "cannot be read" in refused(tmp_path)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "locked.png"
    Image.fromarray(drawing(0)).save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads every file")
    assert "Permission denied" in refused(path)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif", "gif", "bmp", "tiff"])
def test_a_picture_cut_short_or_damaged_is_refused_or_read_but_never_breaks(kind: str, tmp_path: Path) -> None:
    if kind == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    path = tmp_path / f"picture.{kind}"
    Image.fromarray(drawing(2)).save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for trial in range(30):
        content = bytearray(whole)
        if trial % 2:
            del content[int(rng.integers(1, len(content))) :]
        else:
            for at in rng.integers(0, min(len(content), 400), 4):
                content[at] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        with contextlib.suppress(PictureError):
            assert load_picture(path).shape == (224, 224, 3)
    path.write_bytes(whole[: len(whole) // 2])
    refused(path)


def png_that_claims(width: int, height: int) -> bytes:
    """Make a PNG file of a few bytes whose header claims a size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (40_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_by_its_claimed_size(width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_that_claims(width, height))
    assert "pixels" in refused(path)
