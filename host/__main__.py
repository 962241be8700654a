"""``python -m host``: list the commands."""

from __future__ import annotations

import sys

from .cli.command import run_command
from .cli.start import COMMANDS, PACKAGE
from .printing import note, show
from .version import __version__

_USAGE = 2


def main() -> int:
    """Print every command with one line on what it does; return the exit status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        show(f"pnc-link {__version__}")
        return 0
    if arguments not in ([], ["-h"], ["--help"]):
        first = f"{PACKAGE}.{arguments[0]}" if arguments[0] in COMMANDS else f"{PACKAGE}.COMMAND"
        note(f"{PACKAGE}: it takes no arguments; start a command as `python -m {first}`")
        return _USAGE
    names = {name: f"python -m host.{name}" if PACKAGE == "host" else f"pnc-{name}" for name in COMMANDS}
    width = max(map(len, names.values()))
    show(f"PNC Link {__version__}: pictures across weak radio links, in time. The commands:", "")
    show(*(f"  {names[name].ljust(width)}  {summary}" for name, (_, summary) in COMMANDS.items()))
    show("", "Each has --help and --version.")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(PACKAGE, main))
