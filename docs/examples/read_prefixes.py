"""Read the files that ``host.train --recipe classifier --export DIR`` wrote, and train with them.

Usage: read_prefixes.py DIR

Only numpy is needed, so any framework can do the same. The network here is one layer on the mean colours of 64 tiles.
"""

import sys
from pathlib import Path

import numpy as np


def features(pictures: np.ndarray) -> np.ndarray:
    """Return mean colours of 8x8 tiles and a constant, float64 [..., 193], of uint8 [..., 224, 224, 3]."""
    *several, _, _, _ = pictures.shape
    tiles = pictures.reshape(*several, 8, 28, 8, 28, 3).mean(axis=(-4, -2)).reshape(*several, -1) / 128 - 1
    return np.concatenate([tiles, np.ones((*several, 1))], axis=-1)


def main(folder: str) -> None:
    weights = None
    for epoch in range(5):
        losses = []
        for file in sorted(Path(folder).glob("prefixes-*.npz")):
            data = np.load(file)
            answers = data["answers"]  # probabilities [crops, classes]: what the teacher says of the originals
            shown = np.concatenate([data["originals"][:, None], data["prefixes"]], axis=1)  # [crops, 5, 224, 224, 3]
            if weights is None:
                weights = np.zeros((193, answers.shape[1]))
            for crop, answer in zip(features(shown), answers, strict=True):
                scores = crop @ weights
                logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
                losses.append(-(answer * logs).sum(axis=1).mean())  # cross entropy: what the teacher's answer costs
                weights -= 0.02 * crop.T @ (np.exp(logs) - answer) / len(crop)
        print(f"epoch {epoch:d}: {len(losses)} crops, loss {np.mean(losses):.3f}")


main(sys.argv[1])
