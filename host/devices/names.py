"""Names for boards by USB serial number, from ``boards.toml`` in the user's folder.

camera = "683123456"
edge = "683654321"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from ..errors import Reason
from ..files import open_to_read
from .errors import BoardError

FILE = "boards.toml"


def read_names(folder: Path) -> dict[str, str]:
    """Return names and their serial numbers without leading zeros; none if there is no file.

    Raises BoardError, which says what is wrong in the file.
    """
    path = folder / FILE
    try:
        with open_to_read(path) as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: {error}", reason=Reason.BAD_FILE) from error
    names: dict[str, str] = {}
    for name, serial in content.items():
        if not isinstance(serial, str | int) or isinstance(serial, bool) or not str(serial).strip("0"):
            text = f'{path}: {name} must be a USB serial number: {name} = "683123456"'
            raise BoardError(text, reason=Reason.BAD_FILE)
        names[name] = str(serial).lstrip("0")
    return names


def name_of(names: Mapping[str, str], serial: str) -> str:
    """Return the name of a board, nothing if it has none."""
    return next((name for name, known in names.items() if serial and known == serial), "")
