"""The order in which pieces are sent, chosen by measurement on held-out photos."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ..codec.layout import CHANNELS, PLANES
from .passes import Cuts, Piece, first_order
from .model import PlaneModel
from .recipe import PlaneRecipe
from .validation import BUDGETS, HeldOut, on_grid

#: Photos on which pieces are measured; the rest choose between orders. More cost minutes.
PHOTOS = 64
#: A piece of fewer mean bytes says nothing about what a byte brings.
SMALL_BYTES = 4.0
#: What a channel's worth is drawn towards the mean by, in bytes of evidence.
PRIOR_BYTES = 12.0
#: How much of the difference between channels orders to choose from go by.
SHARES = (0.7, 1.0, 1.3, 1.6)


@torch.no_grad()
def measured_worth(
    model: PlaneModel, held: HeldOut, recipe: PlaneRecipe, sizes: Mapping[Piece, float]
) -> dict[Piece, tuple[float, float]]:
    """For each piece: its mean bytes, and what it alone takes off the loss where all planes above are known."""
    which = slice(0, PHOTOS)
    y = model.analysis(held.pixels[which])
    top = model.embedded.top.flatten().cpu().numpy()
    worth: dict[Piece, tuple[float, float]] = {}
    for p in reversed(range(PLANES)):
        above = np.minimum(top, p + 1)
        base_loss = held.loss(model, y, on_grid(above, y), recipe, which)
        for c in np.flatnonzero(top > p).tolist():
            if sizes[c, p] >= SMALL_BYTES:
                more = above.copy()
                more[c] = p
                worth[c, p] = sizes[c, p], base_loss - held.loss(model, y, on_grid(more, y), recipe, which)
    return worth


def smooth_worth(worth: dict[Piece, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Log of the worth of a byte as a sum of the channel's [C] and the plane's [planes] share; falling with the planes.

    One piece's measurement is mostly noise; channels and planes are told apart well.
    """
    equations, answers = [], []
    floor = 0.1 * np.median([gain / size for size, gain in worth.values()])
    for (c, p), (size, gain) in worth.items():
        row = np.zeros(CHANNELS + PLANES)
        row[[c, CHANNELS + p]] = weight = np.sqrt(min(size, 60.0))
        equations.append(row)
        answers.append(weight * np.log(max(gain / size, floor, 1e-9)))
    for c in range(CHANNELS):
        row = np.zeros(CHANNELS + PLANES)
        row[c] = np.sqrt(PRIOR_BYTES)
        equations.append(row)
        answers.append(0.0)
    solved = np.linalg.lstsq(np.stack(equations), np.array(answers), rcond=None)[0]
    channel, plane = solved[:CHANNELS], solved[CHANNELS:]
    # Planes that hardly any picture has were not measured: each is worth at least twice the one below.
    for p in range(1, PLANES):
        plane[p] = max(plane[p], plane[p - 1] + np.log(2) / 2)
    return channel, plane


def by_worth(top: list[int], channel: np.ndarray, plane: np.ndarray, share: float) -> list[Piece]:
    """Pieces by the worth of a byte; ``share`` of the difference between channels counts."""
    pieces = [(c, p) for c in range(CHANNELS) for p in range(top[c])]
    return sorted(pieces, key=lambda piece: (-plane[piece[1]] - share * channel[piece[0]], -piece[1], piece[0]))


@torch.no_grad()
def best_order(
    model: PlaneModel, held: HeldOut, recipe: PlaneRecipe, sizes: Mapping[Piece, float]
) -> tuple[list[Piece], str]:
    """Plane by plane, or by measured worth: what loses least over the budgets on photos that were not measured."""
    top = [int(t) for t in model.embedded.top.flatten().tolist()]
    channel, plane = smooth_worth(measured_worth(model, held, recipe, sizes))
    orders = {f"worth {share:g}": by_worth(top, channel, plane, share) for share in SHARES}
    orders = {"plane by plane": first_order(top), **orders}
    rest = slice(PHOTOS, None) if len(held.pixels) > PHOTOS else slice(None)
    y = model.analysis(held.pixels[rest])
    losses = {}
    for name, order in orders.items():
        cuts = Cuts(order, sizes)
        levels = [torch.from_numpy(cuts.levels(cuts.place(budget), y.shape[-1])) for budget in BUDGETS]
        losses[name] = float(np.mean([held.loss(model, y, level.to(y), recipe, rest) for level in levels]))
    best = min(losses, key=lambda name: losses[name])
    return orders[best], ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items()) + f": {best}"
