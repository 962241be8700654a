"""Train a codec from a folder of photos.

    python -m host.train --recipe pnc-v1 --data DIR --out DIR

Writes a checkpoint every two minutes and, at the end, the weights that ship. Exit status: 0 done, 1 failed, 2 wrong
usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from host.command import CommandError, CommandParser, run_command

NAME = "train"


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.train", description="Train a codec from a folder of photos.")
    p.add_argument("--recipe", default="default", help="what to train (default: %(default)s)")
    p.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of photos")
    p.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for checkpoint and weights")
    p.add_argument("--minutes", type=float, metavar="N", help="length of the whole training (default: the recipe's)")
    p.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    p.add_argument("--threads", type=int, metavar="N", default=2, help="torch threads (default: %(default)s)")
    return p


def train(options: argparse.Namespace) -> int:
    """Run the training; raises CommandError for what the user can mend."""
    try:
        from host.codec.training.command import run
        from host.codec.training.photos import TrainingError
    except ImportError as error:
        raise CommandError(f"{error.name} is missing; install the extra: pip install 'pnc-link[train]'") from error
    try:
        run(options.recipe, options.data, options.out, options.minutes, options.resume, options.threads)
    except TrainingError as error:
        raise CommandError(str(error)) from error
    return 0


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: train(parser().parse_args())))
