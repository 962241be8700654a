"""Files of the reference: whole, or a line that says why not."""

from __future__ import annotations

from pathlib import Path

from ..codec.errors import CodecError
from ..codec.files import write_whole


def write_file(content: bytes, path: Path) -> None:
    """Raises CodecError, naming the file, when the disk refuses."""
    try:
        write_whole(content, path)
    except OSError as error:
        raise CodecError(f"{path}: cannot be written ({error.strerror or error})") from None
