"""``python -m host.train``: train a codec from a folder of photos."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status (2 usage, 1 failure)."""
    parser = argparse.ArgumentParser(prog="python -m host.train", description=__doc__)
    parser.add_argument("--recipe", default="default", help="what to train (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder of photos")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and weights")
    parser.add_argument("--minutes", type=float, help="length of the whole training (default: the recipe's)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--threads", type=int, default=2, help="torch threads (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        from host.codec.training.command import run
        from host.codec.training.photos import TrainingError
    except ImportError as error:
        print(f"host.train: {error.name} is missing; install the extra: pip install 'pnc-link[train]'", file=sys.stderr)
        return 1
    try:
        run(options.recipe, options.data, options.out, options.minutes, options.resume, options.threads)
    except TrainingError as error:
        print(f"host.train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("host.train: stopped; go on with --resume", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
