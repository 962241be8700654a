"""PSNR and blockiness of decoded pictures."""

from __future__ import annotations

import numpy as np
import pytest

from host.evaluate.codec_under_test import Picture
from host.evaluate.fidelity import Fidelity, FidelityTotal, Steps, compare, psnr_db, steps


def blocky(picture: Picture) -> Picture:
    """Return a picture of which only the mean of each 8x8 cell is left."""
    means: Picture = np.round(picture.reshape(28, 8, 28, 8, 3).mean(axis=(1, 3))).astype(np.uint8)
    return means.repeat(8, axis=0).repeat(8, axis=1)


def total(*compared: Fidelity) -> FidelityTotal:
    found = FidelityTotal()
    for each in compared:
        found.add(each)
    return found


def test_psnr_is_that_of_the_textbook_and_is_bounded() -> None:
    grey = np.full((224, 224, 3), 100, np.uint8)
    assert psnr_db(grey + np.uint8(10), grey) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr_db(grey, grey) == pytest.approx(54.15, abs=0.01)


def test_steps_are_told_apart_by_where_they_are() -> None:
    stripes = np.zeros((224, 224, 3), np.uint8)
    stripes[:, 8::16] = 60  # one column beside every second border: a step up at the border, one down inside
    found = steps(stripes)
    assert found.border == pytest.approx(60 * 14 / 27 / 2, rel=1e-4)
    assert found.inside == pytest.approx(60 * 14 / 196 / 2, rel=1e-4)
    assert steps(stripes.transpose(1, 0, 2)) == found


def test_only_brightness_counts_for_steps() -> None:
    red = np.zeros((224, 224, 3), np.uint8)
    red[:, :112] = (100, 0, 0)
    assert steps(red).border == pytest.approx(29.9 / 27 / 2, rel=1e-4)


def test_cells_of_one_colour_are_blocky_and_the_original_is_not(pictures: list[Picture]) -> None:
    same = total(*(compare(picture, picture) for picture in pictures))
    assert same.blockiness == pytest.approx(1)
    dithered = [np.clip(blocky(p) + np.random.default_rng(0).normal(0, 1, p.shape), 0, 255) for p in pictures]
    worse = total(*(compare(d.astype(np.uint8), picture) for d, picture in zip(dithered, pictures, strict=True)))
    assert worse.blockiness is not None
    assert worse.blockiness > 3
    assert worse.mean_psnr_db is not None
    assert same.mean_psnr_db is not None
    assert worse.mean_psnr_db < 35 < same.mean_psnr_db


def test_blur_without_a_grid_is_not_blocky(pictures: list[Picture]) -> None:
    turns = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
    blurred = [np.mean([np.roll(p, turn, axis=(0, 1)) for turn in turns], axis=0) for p in pictures]
    found = total(*(compare(b.astype(np.uint8), p) for b, p in zip(blurred, pictures, strict=True))).blockiness
    assert found is not None
    assert found < 1.1


def test_totals_are_means_over_what_was_sent() -> None:
    one = Fidelity(20, Steps(4, 2), Steps(3, 3))
    other = Fidelity(30, Steps(2, 1), Steps(1, 1))
    assert total(one, other).mean_psnr_db == 25
    assert total(one, other).blockiness == pytest.approx(2)
    assert (total().mean_psnr_db, total().blockiness) == (None, None)
    flat = Fidelity(30, Steps(0, 0), Steps(0, 0))
    assert total(flat).blockiness is None
