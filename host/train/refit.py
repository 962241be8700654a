"""Fits the entropy coder again for the shipped encoder, decoder and pass order: ``python -m host.train.refit``.

    python -m host.train.refit --data DIR --out DIR

Reads the shipped weights and writes ``NAME.npz`` to the folder ``--out``. It is for a change of the coder or of the
analysis that leaves the decoder's network as it is. The photos are those on which a training would fit.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..cli.command import CommandParser, argument, run_command
from ..cli.units import whole
from ..codec.entropy import ARRAYS
from ..codec.weights import DEFAULT, content_of, kind_of, load_arrays
from .command import TABLE_PHOTOS, say, split
from .export import weights_paths
from .files import make_folder, write
from .photos import load_photos
from .recipe import RECIPES
from .tables import STEPS, WORKERS, fit_coder


def refit(data: Path, out: Path, workers: int, steps: int = STEPS) -> Path:
    """Fit the coder of the default codec on the photos in ``data``, in so many steps a pass; return the written file.

    Raises TrainingError: a problem that the user can fix.
    """
    kind, seed = kind_of(DEFAULT), RECIPES["default"].seed
    arrays = load_arrays(kind)
    make_folder(out)
    photos, _ = load_photos(data)
    _, rest = split(photos, seed)
    order = [(int(channel), int(plane)) for channel, plane in arrays["order"]]
    fitted = fit_coder(arrays, order, rest[:TABLE_PHOTOS], seed, say, steps, workers)
    assert fitted.keys() == ARRAYS.keys()
    path = weights_paths(kind, out)[0]
    write(content_of(kind, arrays | fitted), path)
    return path


def main() -> int:
    """Run the command line and return the exit status."""
    p = CommandParser(
        prog="python -m host.train.refit",
        description="Fit the entropy coder again for the shipped encoder and decoder.",
    )
    p.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of photos")
    p.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for the weights")
    p.add_argument(
        "--workers", type=argument(whole(1, 1024)), metavar="N", default=WORKERS, help="processes (%(default)s)"
    )
    options = p.parse_args()
    path = refit(options.data, options.out, options.workers)
    say(f"wrote {path} ({path.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(run_command("train", main))
