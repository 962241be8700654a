"""What each piece costs: bits of the real coder's tables, which are fitted in haste."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..codec.analysis import Analysis
from ..codec.entropy import PlaneCoder
from .photos import whole
from .passes import Piece
from .tables import TOTAL, fit_planes

#: Photos, and steps in fitting a piece: within a few percent of what more of both give.
PHOTOS = 300
STEPS = 45


def symbol_costs(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Bits of each symbol in each context of each piece, [pieces, contexts, 3]; see ``pnc_planes_survey``."""
    pieces = len(arrays["order"])
    zero = arrays["zero"].reshape(pieces, -1, 2).astype(np.int64)
    more = arrays["more"].reshape(pieces, -1, 1).astype(np.int64)
    of_zero = np.concatenate([zero[..., :1], np.diff(zero), TOTAL - zero[..., 1:]], -1)
    # A refinement has two symbols: the third never comes.
    of_more = np.concatenate([more, TOTAL - more, np.full_like(more, TOTAL)], -1)
    bits: np.ndarray = -np.log2(np.concatenate([of_zero, of_more], 1) / TOTAL)
    return bits


def piece_sizes(
    encoder: dict[str, np.ndarray],
    order: list[Piece],
    photos: Sequence[np.ndarray],
    seed: int,
    say: Callable[[str], None],
) -> dict[Piece, float]:
    """Mean bytes of each piece, where all pieces before it in ``order`` are known."""
    some = photos[:PHOTOS]
    arrays = fit_planes(encoder, order, some, seed, say, STEPS)
    coder, analysis, costs = PlaneCoder(arrays), Analysis(encoder), symbol_costs(arrays)
    bits = np.zeros(len(order))
    for photo in some:
        contexts, symbols = coder.survey(analysis(whole(photo)))
        for piece, cost in enumerate(costs):
            bits[piece] += cost[contexts[piece], symbols[piece]].sum()
    return dict(zip(order, (bits / 8 / len(some)).tolist(), strict=True))
