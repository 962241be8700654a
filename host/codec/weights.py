"""The shipped weights: which codecs there are, and reading their files without trusting them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import Reason
from ..files import UNREADABLE_NPZ
from .errors import CodecError

FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Kind:
    """A codec that this program runs, with the version of its bitstream and weights."""

    name: str
    number: int
    version: int

    @property
    def tag(self) -> int:
        """The codec tag: the first byte of each packet, ``number * 16 + version``."""
        return self.number * 16 + self.version


#: The shipped codecs.
KINDS: dict[str, Kind] = {"pnc-v2": Kind("pnc-v2", number=2, version=5)}
DEFAULT = "pnc-v2"
#: Every codec number that was ever assigned. A number is never assigned again, so that packets of retired codecs are
#: refused by name.
NUMBERS: dict[int, str] = {1: "pnc-v1", 2: "pnc-v2"}


def kind_of(name: str) -> Kind:
    """Return the codec of that name. Raises CodecError if there is none."""
    if name not in KINDS:
        raise CodecError(f"{name}: no such codec; known are {', '.join(KINDS)}", reason=Reason.BAD_USAGE)
    return KINDS[name]


def describe_tag(tag: int) -> str:
    """Describe a codec tag in words: the codec's name, if it is known, and its version."""
    number, version = divmod(tag, 16)
    if number in NUMBERS:
        return f"{NUMBERS[number]} version {version}"
    return f"an unknown codec (number {number}, version {version})"


def check(path: Path, kind: Kind, name: str, version: str) -> None:
    """Raise CodecError unless the weights in ``path``, labelled ``name`` and ``version``, are those of ``kind``."""
    if (name, version) != (kind.name, str(kind.version)):
        raise CodecError(
            f"{path}: weights of {name} version {version}, but this program runs {kind.name} version {kind.version}",
            reason=Reason.INCOMPLETE,
        )


def load_arrays(kind: Kind, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Read the arrays of encoder and entropy coder. Nothing in the file is executed.

    Raises CodecError if the file is missing, unreadable or of another codec or version.
    """
    path = folder / f"{kind.name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        name, version = str(arrays.pop("name")), str(arrays.pop("version"))
    except FileNotFoundError:
        raise CodecError(f"{path}: the codec's weights are missing", reason=Reason.INCOMPLETE) from None
    except UNREADABLE_NPZ as error:
        raise CodecError(f"{path}: not a readable file of weights ({error})", reason=Reason.BAD_FILE) from None
    check(path, kind, name, version)
    return arrays


def content_of(kind: Kind, arrays: dict[str, np.ndarray]) -> bytes:
    """Return the content of a file from which ``load_arrays`` reads ``arrays``."""
    buffer = io.BytesIO()
    name, version = np.array(kind.name), np.array(str(kind.version))
    np.savez_compressed(buffer, name=name, version=version, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
