"""The command-line option that gives a key's file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..errors import PncError
from ..seal.key import Key, read_key
from .command import USAGE, CommandError


def add_key_argument(parser: argparse.ArgumentParser, *, several: bool) -> None:
    """Add ``--key``; ``several``: it may be given once for each camera."""
    parser.add_argument(
        "--key",
        action="append",
        metavar="file:PATH",
        help="the file of a key: pictures and answers are sealed between camera and edge server, which have the same "
        "key (`boards key FILE` makes one)" + ("; can be given for each of several cameras" if several else ""),
    )


def chosen_keys(arguments: argparse.Namespace) -> list[Key]:
    """Return the keys that ``--key`` gives. Raises CommandError."""
    given: Sequence[str] = arguments.key or ()
    try:
        keys = [read_key(each) for each in given]
    except PncError as error:
        raise CommandError(f"--key: {error}", USAGE) from error
    twice = {key.name for key in keys if [other.secret for other in keys].count(key.secret) > 1}
    if twice:
        raise CommandError(f"--key {min(twice)}: the same key is given twice", USAGE)
    return keys


def chosen_key(arguments: argparse.Namespace) -> Key | None:
    """Return the only key that ``--key`` gives; None without. Raises CommandError."""
    keys = chosen_keys(arguments)
    if len(keys) > 1:
        raise CommandError("--key: a camera has one key", USAGE)
    return keys[0] if keys else None
