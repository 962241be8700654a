"""Shows every sample twice.

Making a sample (two teachers, a codec) takes as long as learning from it. A second look, later and among others,
teaches nearly as much as a new sample (data echoing, arXiv 1907.05550).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .samples import Batch

#: New batches whose samples are mixed to make as many others.
BLOCK = 16


class Echo:
    """Gives new batches and, from the second block on, by turns with them those mixed of the block before."""

    def __init__(self, make: Callable[[np.random.Generator], Batch], block: int = BLOCK) -> None:
        self._make, self._block = make, block
        self._new: list[Batch] = []
        self._mixed: list[Batch] = []
        self._new_is_due = True

    def draw(self, rng: np.random.Generator) -> Batch:
        """Give the next batch."""
        if self._mixed and not self._new_is_due:
            self._new_is_due = True
            return self._mixed.pop()
        self._new_is_due = False
        batch = self._make(rng)
        self._new.append(batch)
        if len(self._new) == self._block:
            self._mixed, self._new = mix(self._new, rng), []
        return batch


def mix(batches: list[Batch], rng: np.random.Generator) -> list[Batch]:
    """Exchange samples between batches, each for one of the same place (as many bytes)."""
    pictures, answers = np.stack([b.pictures for b in batches]), np.stack([b.answers for b in batches])
    maps = [np.stack(each) for each in zip(*(b.maps for b in batches), strict=True)]
    place = np.arange(pictures.shape[1])
    order = rng.permuted(np.tile(np.arange(len(batches)), (len(place), 1)), axis=1)
    return [Batch(pictures[at, place], answers[at, place], tuple(each[at, place] for each in maps)) for at in order.T]
