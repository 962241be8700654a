"""Train a codec or a classifier from a folder of photos.

    python -m host.train --recipe default --data DIR
    python -m host.train --recipe refine --data DIR
    python -m host.train --recipe classifier --data DIR
    python -m host.train --recipe refine-classifier --data DIR
    python -m host.train --recipe classifier-lite2 --data DIR
    python -m host.train --recipe classifier --data DIR --network module:function
    python -m host.train --recipe classifier --data DIR --export DIR
    python -m host.train --recipe pnc --stage 0 --data DIR
    torchrun --nproc-per-node 2 -m host.train --recipe pnc --stage 0 --data DIR

Writes a checkpoint every few minutes and, at the end, the weights. Exit status: 0 done, 1 failed, 2 wrong usage, 130
interrupted.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("train"))

import argparse
import math
from dataclasses import replace
from pathlib import Path

from ..cli.command import USAGE, CommandError, CommandParser, argument
from ..cli.units import whole
from ..codec.layout import SIDE
from .classifier.recipe import RECIPES as CLASSIFIERS

NAME = "train"
#: The published recipe is trained in stages; every other recipe in one run with a length in minutes.
STAGED = "pnc"
#: The recipe that also adapts a user's own classifier.
CLASSIFIER = "classifier"
STAGED_OPTIONS = {"stage": "--stage", "start": "--from", "epochs": "--epochs", "batch": "--batch", "side": "--side"}
TIMED_OPTIONS = {"minutes": "--minutes"}
CLASSIFIER_OPTIONS = {
    "network": "--network",
    "features": "--features",
    "labels": "--labels",
    "export": "--export",
    "crops": "--crops",
}


_threads = argument(whole(1, 1024))
_count = argument(whole(1, 10**9))
#: Each recipe says what it takes of these.
_number = argument(whole(0, 10**6))


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return value


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="train")
    p.add_argument("--recipe", default="default", help="what to train (default: %(default)s)")
    p.add_argument("--data", type=Path, metavar="DIR", required=True, help="folder of photos")
    p.add_argument("--out", type=Path, metavar="DIR", help="folder for checkpoint and weights (default: out/RECIPE)")
    p.add_argument("--resume", action="store_true", help="continue the run in --out, or the one in --export")
    p.add_argument("--threads", type=_threads, metavar="N", default=2, help="torch threads (default: %(default)s)")
    p.add_argument("--minutes", type=_minutes, metavar="N", help="length of the whole training (default: the recipe's)")
    staged = p.add_argument_group(f"recipe {STAGED}", "The published training; one process, or several under torchrun.")
    staged.add_argument(
        "--stage",
        type=argument(whole(0, 2)),
        choices=(0, 1, 2),
        help="0: pixels, 1: through a frozen classifier, 2: it is trained too",
    )
    staged.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="FILE",
        help="weights to begin with (default: those of the previous stage)",
    )
    staged.add_argument("--epochs", type=_number, metavar="N", help="length of the whole stage (default: 70)")
    staged.add_argument(
        "--batch", type=_number, metavar="N", help="photos in a batch, for all processes together (default: 4)"
    )
    staged.add_argument(
        "--side", type=_number, metavar="PIXELS", help=f"side of the pictures, for trials (default: {SIDE})"
    )
    own = p.add_argument_group(f"recipe {CLASSIFIER}", "A classifier of your own; docs/training.md describes it.")
    own.add_argument(
        "--network",
        metavar="MODULE:FUNCTION",
        help="adapt the torch network that this function returns (with --export, also FILE.onnx: only its answers)",
    )
    own.add_argument(
        "--features", metavar="NAME,...", help="its submodules whose outputs for the original are goals, too"
    )
    own.add_argument(
        "--labels", type=Path, metavar="FILE", help="names of its classes, one a line, to keep in the ONNX file"
    )
    own.add_argument(
        "--export", type=Path, metavar="DIR", help="do not train: write decoded prefixes and answers, for any framework"
    )
    own.add_argument("--crops", type=_count, metavar="N", help="with --export: how many crops (default: one a photo)")
    return p


def check(options: argparse.Namespace) -> None:
    """Raise CommandError for options that the recipe does not have."""
    allowed, others = (STAGED_OPTIONS, TIMED_OPTIONS) if options.recipe == STAGED else (TIMED_OPTIONS, STAGED_OPTIONS)
    if options.recipe == CLASSIFIER:
        allowed = allowed | CLASSIFIER_OPTIONS
    else:
        others = others | CLASSIFIER_OPTIONS
    for name, flag in others.items():
        if getattr(options, name) is not None:
            raise CommandError(
                f"{flag} is not for recipe {options.recipe}, which takes {', '.join(allowed.values())}", USAGE
            )
    if options.recipe == STAGED and options.stage is None:
        raise CommandError(f"recipe {STAGED} is trained in stages: give --stage 0, then 1, then 2", USAGE)
    if options.export:
        for flag in ("out", "minutes", "features", "labels"):
            if getattr(options, flag) is not None:
                raise CommandError(f"--{flag} is for a training, and --export does not train", USAGE)
    elif options.crops is not None:
        raise CommandError("--crops is for --export", USAGE)
    for flag in ("features", "labels"):
        if getattr(options, flag) is not None and options.network is None:
            raise CommandError(f"--{flag} is for --network", USAGE)


def train(options: argparse.Namespace) -> int:
    """Run the training. Raises CommandError for problems that the user can fix."""
    check(options)
    options.out = options.out or Path("out") / options.recipe
    try:
        from .photos import TrainingError

        try:
            if options.recipe == STAGED:
                train_stage(options)
            elif options.recipe in CLASSIFIERS:
                train_classifier(options)
            else:
                from .command import run

                run(options.recipe, options.data, options.out, options.minutes, options.resume, options.threads)
        except TrainingError as error:
            raise CommandError(str(error)) from error
    except ImportError as error:
        raise CommandError(f"{error.name} is missing; install the extra: pip install 'pnc-link[train]'") from error
    return 0


def train_classifier(options: argparse.Namespace) -> None:
    """Train a classifier, or write what one can be trained with elsewhere."""
    if options.export:
        from .classifier.prefixes import export_prefixes

        export_prefixes(options.data, options.export, options.resume, options.threads, options.network, options.crops)
        return
    from .classifier.command import OwnOptions, run_classifier
    from .classifier.recipe import RECIPES

    own, recipe = None, RECIPES[options.recipe]
    if options.network is not None:
        features = tuple(options.features.split(",")) if options.features else ()
        own = OwnOptions(options.network, features, options.labels)
    run_classifier(options.data, options.out, options.minutes, options.resume, options.threads, recipe, own)


def train_stage(options: argparse.Namespace) -> None:
    """Run one stage of the published training."""
    from .reference.command import run_stage
    from .reference.recipe import STAGES, Run

    stage = STAGES[options.stage]
    run = Run(stage, epochs=stage.epochs)
    chosen = {name: getattr(options, name) for name in ("epochs", "batch", "side")}
    run = replace(run, **{name: value for name, value in chosen.items() if value is not None})
    run_stage(run, options.data, options.out, options.start, options.resume, options.threads)


def main() -> int:
    """Run the command line and return the exit status."""
    return train(parser().parse_args())
