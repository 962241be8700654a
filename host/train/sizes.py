"""Mean bytes of each coding pass, by the real coder with coarsely fitted tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..codec.analysis import Analysis
from ..codec.entropy import BitPlaneCoder
from .passes import CodingPass
from .photos import whole
from .tables import TOTAL, fit_coder

#: Photos, and steps of fitting a pass: within a few percent of the sizes that more of both give.
PHOTOS = 300
STEPS = 45


def symbol_costs(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the bits of each symbol in each context of each pass, [passes, contexts, 3]; see planes.h."""
    passes = len(arrays["order"])
    zero = arrays["zero"].reshape(passes, -1, 2).astype(np.int64)
    more = arrays["more"].reshape(passes, -1, 1).astype(np.int64)
    of_zero = np.concatenate([zero[..., :1], np.diff(zero), TOTAL - zero[..., 1:]], -1)
    # A refinement has two symbols only.
    of_more = np.concatenate([more, TOTAL - more, np.full_like(more, TOTAL)], -1)
    bits: np.ndarray = -np.log2(np.concatenate([of_zero, of_more], 1) / TOTAL)
    return bits


def pass_sizes(
    encoder: dict[str, np.ndarray],
    order: list[CodingPass],
    photos: Sequence[np.ndarray],
    seed: int,
    say: Callable[[str], None],
) -> dict[CodingPass, float]:
    """Measure the mean bytes of each pass, coded after all passes before it in ``order``."""
    return sizes_with(encoder | fit_coder(encoder, order, photos[:PHOTOS], seed, say, STEPS), photos)


def sizes_with(arrays: dict[str, np.ndarray], photos: Sequence[np.ndarray]) -> dict[CodingPass, float]:
    """Measure the mean bytes of each pass with the encoder and coder of ``arrays``."""
    some = photos[:PHOTOS]
    order = [(int(channel), int(plane)) for channel, plane in arrays["order"]]
    coder, analysis, costs = BitPlaneCoder(arrays), Analysis(arrays), symbol_costs(arrays)
    bits = np.zeros(len(order))
    for photo in some:
        contexts, symbols = coder.contexts(analysis(whole(photo)).coefficients)
        for index, cost in enumerate(costs):
            bits[index] += cost[contexts[index], symbols[index]].sum()
    return dict(zip(order, (bits / 8 / len(some)).tolist(), strict=True))
