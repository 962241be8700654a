"""boards.toml beside the user's project: names for boards, by USB serial number.

camera = "683123456"
edge = "683654321"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from .errors import BoardError

FILE = "boards.toml"


def read_names(folder: Path) -> dict[str, str]:
    """Names and serial numbers, leading zeros taken off; empty if there is no file. BoardError names what is wrong."""
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: {error}") from error
    names: dict[str, str] = {}
    for name, serial in content.items():
        if not isinstance(serial, str | int) or isinstance(serial, bool) or not str(serial).strip("0"):
            raise BoardError(f'{path}: {name} must be a USB serial number: {name} = "683123456"')
        names[name] = str(serial).lstrip("0")
    return names


def name_of(names: Mapping[str, str], serial: str) -> str:
    """The name of a board; empty if it has none."""
    return next((name for name, known in names.items() if serial and known == serial), "")
