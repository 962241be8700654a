"""Files that are never left half-written."""

from __future__ import annotations

import os
from pathlib import Path

from host.codec.errors import CodecError


def write_file(content: bytes, path: Path) -> None:
    """Writes beside ``path``, then renames into place. Raises CodecError when the disk refuses."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CodecError(f"{path}: cannot be written ({error.strerror or error})") from None
