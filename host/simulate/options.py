"""The command line of ``python -m host.simulate``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection
from pathlib import Path

from ..cli.command import CommandParser, argument
from ..cli.units import milliseconds
from ..evaluate.classifiers import DEFAULT_CLASSIFIER
from ..evaluate.labels import add_picture_arguments
from ..sim.trace import TraceError
from ..wire import MAX_DEADLINE_MS
from .policies import NAMES
from .scenario import Scenario, ScenarioError
from .scenario_file import read_scenarios
from .streams import STREAMS


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="simulate")
    add_picture_arguments(p)
    p.add_argument(
        "--scenario",
        type=_scenarios,
        default="none,light,heavy",
        metavar="NAME|FILE.toml,…",
        help="shipped scenarios, files, or all (default %(default)s)",
    )
    p.add_argument(
        "--deadlines",
        type=_deadlines,
        metavar="300ms,…",
        help="from a picture to its answer (default: those of each scenario)",
    )
    p.add_argument(
        "--policy",
        type=_names("policy", NAMES),
        default="ours",
        metavar="NAME,…",
        help=f"how the link decides: {', '.join(NAMES)} (default %(default)s)",
    )
    p.add_argument(
        "--codec",
        type=_names("codec", STREAMS),
        default="pnc-v2",
        metavar="NAME,…",
        help=f"{', '.join(STREAMS)} (default %(default)s)",
    )
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help="a built-in classifier or an ONNX file (default %(default)s)",
    )
    p.add_argument(
        "--cache",
        type=Path,
        default=_default_cache(),
        metavar="FOLDER",
        help="what was classified, for later runs (default %(default)s)",
    )
    p.add_argument(
        "--bytes-only",
        action="store_true",
        help="neither decode nor classify: no accuracies, in a fraction of the time",
    )
    p.add_argument("--json", metavar="FILE", type=Path, help="where to write the figures")
    p.add_argument("--plot", metavar="FILE", type=Path, help="where to draw accuracy against deadline (.svg, .png)")
    p.add_argument(
        "--log",
        metavar="FILE",
        type=Path,
        help="append the event log of the first scenario, deadline, codec and policy (docs/log.md)",
    )
    p.add_argument(
        "--timeline",
        metavar="FILE",
        type=Path,
        help="where to draw the first pictures of the first scenario and policy (.svg, .png)",
    )
    return p


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pnc-link" / "simulate"


def _scenarios(text: str) -> list[Scenario]:
    """Read scenarios by names or files, separated by commas."""
    try:
        return read_scenarios(text)
    except (ScenarioError, TraceError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _deadlines(text: str) -> list[float]:
    """Parse deadlines in ms, separated by commas."""
    deadlines_ms = []
    for part in text.split(","):
        deadline_ms = argument(milliseconds)(part)
        if not 0 < deadline_ms <= MAX_DEADLINE_MS:
            raise argparse.ArgumentTypeError(f"{part!r} is not above 0 ms and at most {MAX_DEADLINE_MS} ms")
        deadlines_ms.append(deadline_ms)
    return deadlines_ms


def _names(what: str, known: Collection[str]) -> Callable[[str], list[str]]:
    """Return a parser of names, separated by commas."""

    def parse(text: str) -> list[str]:
        names = list(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is no {what}: there is {', '.join(known)}")
        return names

    return parse
