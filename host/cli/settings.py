"""The settings file ``pnc.toml``: options of ``send`` and ``recv`` that need not be given each time."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import PncError
from ..files import read_file
from ..printing import note
from .command import USAGE, CommandError, CommandParser

FILE = "pnc.toml"
_LARGEST_BYTES = 1 << 16
#: Options that a settings file may give, as keys. What runs a program or sends pictures away is not among them: a file
#: in a folder of somebody else's must not do that.
KEYS = frozenset(
    {
        *("deadline", "period", "connect", "max_bytes", "crop", "resolution", "camera", "watch", "recursive", "json"),
        *("port", "rate", "trace", "save", "classifier", "workers", "sure", "ble", "key"),
        *("verbose", "quiet"),
    }
)
#: The tables of single commands.
COMMANDS = ("send", "recv")
#: Options that exclude each other: if the command line gives one, a settings file gives none of the others.
_EXCLUSIVE = (("files", "camera", "watch"), ("rate", "trace"), ("verbose", "quiet"), ("ble", "port"))


def parse(parser: CommandParser, name: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of a command line, completed by the settings file in this folder.

    What the command line gives wins, and the command's own table wins over the top of the file. A key that no command
    knows is reported and left out.

    Args:
        parser: that of the command.
        name: the command.
        arguments: the command line; None: that of this process.

    Raises:
        CommandError: the file cannot be read, or a value is of a wrong type.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    found = _settings(Path(FILE), name)
    if not found:
        return parser.parse_args(words)
    options = _options(parser)
    given = _given(parser, words)
    excluded = {each for group in _EXCLUSIVE if given & set(group) for each in group}
    used = {key: value for key, value in found.items() if key in options and key not in given | excluded}
    parsed = parser.parse_args([*_words(used, options), *words])
    if used and not getattr(parsed, "quiet", False):
        note(f"{name}: {FILE} gives {', '.join(sorted(used))}")
    return parsed


def _settings(path: Path, name: str) -> dict[str, Any]:
    """Return the settings for a command, by key. Raises CommandError."""
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(read_file(path, _LARGEST_BYTES, "settings", PncError).decode())
    except PncError as error:
        raise CommandError(str(error), USAGE) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"{path}: not a TOML file ({error})", USAGE) from error
    tables = {command: data.pop(command, {}) for command in COMMANDS}
    for command, table in tables.items():
        if not isinstance(table, dict):
            raise CommandError(f"{path}: {command}: write a table, [{command}]", USAGE)
    found: dict[str, Any] = {}
    for table, where in ((data, ""), (tables[name], f"[{name}] ")):
        for written, value in table.items():
            key = written.replace("-", "_")
            if key in KEYS:
                found[key] = value
                continue
            near = get_close_matches(key, KEYS, 1)
            hint = f"; is {near[0]} meant?" if near else f" (known are {', '.join(sorted(KEYS))})"
            note(f"{name}: {path}: {where}{written}: no such setting, it is left out{hint}")
    return found


def _options(parser: CommandParser) -> dict[str, tuple[argparse.Action, str]]:
    """Return a parser's options, and how each is written, by their keys."""
    return {
        string[2:].replace("-", "_"): (action, string)
        for action in parser._actions
        for string in action.option_strings
        if string.startswith("--")
    }


def _given(parser: CommandParser, words: Sequence[str]) -> set[str]:
    """Return the keys of what a command line gives: those that are set when no option has a default."""
    defaults = {action: action.default for action in parser._actions}
    try:
        for action in parser._actions:
            action.default = argparse.SUPPRESS
        parsed = vars(parser.parse_args(list(words)))
    finally:
        for action, default in defaults.items():
            action.default = default
    return {key for key, value in parsed.items() if value not in (None, [])}


def _words(settings: dict[str, Any], options: dict[str, tuple[argparse.Action, str]]) -> Iterator[str]:
    """Yield settings as words of a command line. Raises CommandError."""
    for key, value in settings.items():
        action, option = options[key]
        values = value if isinstance(value, list) and isinstance(action, argparse._AppendAction) else [value]
        if action.nargs == 0:
            if not isinstance(value, bool):
                raise CommandError(f"{FILE}: {key}: write true or false", USAGE)
            if value:
                yield option
            continue
        for each in values:
            if isinstance(each, bool) and each and action.nargs == "?":
                yield option  # the option without a value, such as --camera
                continue
            if not isinstance(each, str | int | float) or isinstance(each, bool):
                raise CommandError(f"{FILE}: {key}: write a text or a number", USAGE)
            _check(action, key, str(each))
            yield f"{option}={each}"


def _check(action: argparse.Action, key: str, value: str) -> None:
    """Raise CommandError if an option does not take a value, so that the line names the file."""
    convert: Callable[[str], object] = action.type if callable(action.type) else str
    try:
        converted = convert(value)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise CommandError(f"{FILE}: {key}: {error}", USAGE) from error
    if action.choices is not None and converted not in action.choices:
        raise CommandError(f"{FILE}: {key}: {value!r} is none of {', '.join(map(str, action.choices))}", USAGE)
