"""What held-out photos say during training, in the opinion of a judge that does not train along."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ...reference.efficientnet import published
from ..photos import whole
from .parts import Pictures
from .samples import Samples

BUDGETS_BYTES = (500, 1000, 2000, 5000)
_BATCH = 16


class HeldOut:
    """Photos as they are and at some numbers of bytes, with the judge's first answer for each and the teachers'."""

    def __init__(self, photos: Sequence[np.ndarray], samples: Samples, judge: str | None) -> None:
        """``judge``: a published network; None for the teacher itself."""
        originals = np.stack([whole(photo) for photo in photos])
        self._sets: dict[str, Pictures] = {}
        parts = max(1, len(originals) // _BATCH)
        for budget in BUDGETS_BYTES:
            batches = np.array_split(originals, parts)
            self._sets[f"{budget}B"] = np.concatenate([samples.prefixes(b, [budget] * len(b)) for b in batches])
        self._sets["originals"] = originals
        wanted = np.concatenate([samples.goals(part).answers for part in np.array_split(originals, parts)])
        self._wanted = torch.from_numpy(wanted)
        said = published.load(judge, threads=1).probabilities(originals) if judge else wanted
        self._best = said.argmax(axis=1)

    @torch.no_grad()
    def ask(self, network: nn.Module) -> str:
        """Say in one line: agreement with the judge (top-5 / top-1), divergence from the teachers in nats."""
        best = torch.from_numpy(self._best)
        rows = []
        for name, pictures in self._sets.items():
            parts = np.split(pictures, range(_BATCH, len(pictures), _BATCH))
            said = torch.cat([network(torch.from_numpy(part)) for part in parts])
            five = said.topk(min(5, said.shape[1]), dim=1).indices == best[:, None]
            logs = torch.log_softmax(said, 1)
            apart = (self._wanted * (self._wanted.clamp_min(1e-9).log() - logs)).sum(1).mean()
            rows.append(f"{name} {five.any(1).float().mean():.3f}/{five[:, 0].float().mean():.3f} {apart:.3f}")
        return f"held out: {' | '.join(rows)}"
