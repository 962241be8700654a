"""Choice of the pass order by measurement on held-out photos."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ..codec.layout import CHANNELS, FINER, PLANES
from .model import CodecModel
from .passes import CodingPass, PassOrder, level_of, plane_by_plane
from .recipe import CodecRecipe
from .validation import BUDGETS, HeldOut, on_grid

#: Photos on which passes are measured; the rest choose between orders. More photos would cost minutes.
PHOTOS = 64
#: Smaller passes, in mean bytes, are not measured: their gain per byte is noise.
SMALL_BYTES = 4.0
#: Strength of the prior that all channels are alike, in bytes of evidence.
PRIOR_BYTES = 12.0
#: Candidate orders apply this much of the difference between channels.
STRENGTHS = (0.7, 1.0, 1.3, 1.6)


@torch.no_grad()
def measured_gains(
    model: CodecModel, held: HeldOut, recipe: CodecRecipe, sizes: Mapping[CodingPass, float]
) -> dict[CodingPass, tuple[float, float]]:
    """Measure for each pass its mean bytes, and the loss it removes where all planes above are known.

    Passes over the planes of ``FINER`` are left out: they come last.
    """
    which = slice(0, PHOTOS)
    y = model.analysis(held.pixels[which])
    plane_counts = model.embedded.top.flatten().cpu().numpy()
    gains: dict[CodingPass, tuple[float, float]] = {}
    for level in reversed(range(PLANES)):
        above = np.minimum(plane_counts, FINER + level + 1)
        base_loss = held.loss(model, y, on_grid(above, y), recipe, which)
        for c in np.flatnonzero(plane_counts > FINER + level).tolist():
            p = level + int(FINER[c])
            if sizes[c, p] >= SMALL_BYTES:
                more = above.copy()
                more[c] = p
                gains[c, p] = sizes[c, p], base_loss - held.loss(model, y, on_grid(more, y), recipe, which)
    return gains


def smooth_gains(gains: dict[CodingPass, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Fit the logarithm of the gain per byte as a sum of a channel's [C] and a plane's [planes] part.

    Planes are counted from the first one above ``FINER``.

    The plane's part falls from plane to plane. A single pass's measurement is mostly noise; the parts are not.
    """
    equations, answers = [], []
    floor = 0.1 * np.median([gain / size for size, gain in gains.values()])
    for (c, p), (size, gain) in gains.items():
        row = np.zeros(CHANNELS + PLANES)
        row[[c, CHANNELS + level_of((c, p))]] = weight = np.sqrt(min(size, 60.0))
        equations.append(row)
        answers.append(weight * np.log(max(gain / size, floor, 1e-9)))
    for c in range(CHANNELS):
        row = np.zeros(CHANNELS + PLANES)
        row[c] = np.sqrt(PRIOR_BYTES)
        equations.append(row)
        answers.append(0.0)
    solved = np.linalg.lstsq(np.stack(equations), np.array(answers), rcond=None)[0]
    channel, plane = solved[:CHANNELS], solved[CHANNELS:]
    # Planes that few pictures reach were not measured. Each gains at least sqrt(2) times as much as the one below.
    for p in range(1, PLANES):
        plane[p] = max(plane[p], plane[p - 1] + np.log(2) / 2)
    return channel, plane


def by_gain(plane_counts: list[int], channel: np.ndarray, plane: np.ndarray, strength: float) -> list[CodingPass]:
    """Order passes by gain per byte; ``strength`` scales the difference between channels.

    Passes over the planes of ``FINER`` come last, plane by plane.
    """

    def gain(coding_pass: CodingPass) -> float:
        level = level_of(coding_pass)
        return float(plane[level] + strength * channel[coding_pass[0]]) if level >= 0 else -np.inf

    return sorted(plane_by_plane(plane_counts), key=lambda coding_pass: -gain(coding_pass))


@torch.no_grad()
def best_order(
    model: CodecModel, held: HeldOut, recipe: CodecRecipe, sizes: Mapping[CodingPass, float]
) -> tuple[list[CodingPass], str]:
    """Choose between plane by plane and orders by gain: the lowest mean loss over the budgets on the other photos.

    Returns the order, and a line with the losses.
    """
    plane_counts = [int(t) for t in model.embedded.top.flatten().tolist()]
    channel, plane = smooth_gains(measured_gains(model, held, recipe, sizes))
    orders = {f"gain {strength:g}": by_gain(plane_counts, channel, plane, strength) for strength in STRENGTHS}
    orders = {"plane by plane": plane_by_plane(plane_counts), **orders}
    rest = slice(PHOTOS, None) if len(held.pixels) > PHOTOS else slice(None)
    y = model.analysis(held.pixels[rest])
    losses = {}
    for name, order in orders.items():
        passes = PassOrder(order, sizes)
        cuts = [torch.from_numpy(passes.missing_planes(passes.end_at(b), y.shape[-1])) for b in BUDGETS]
        losses[name] = float(np.mean([held.loss(model, y, missing.to(y), recipe, rest) for missing in cuts]))
    best = min(losses, key=lambda name: losses[name])
    return orders[best], ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items()) + f": {best}"
