"""The weights that ship with the codec: which there are, and reading them without trusting them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import CodecError
from .files import UNREADABLE_NPZ

FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Kind:
    """A codec that this code runs. The first byte of each packet is ``number * 16 + version``."""

    name: str
    number: int
    version: int

    @property
    def mark(self) -> int:
        return self.number * 16 + self.version


#: The codecs that ship.
KINDS: dict[str, Kind] = {"pnc-v2": Kind("pnc-v2", number=2, version=4)}
#: Every number that was ever given, with its codec: numbers are never given twice.
NAMES: dict[int, str] = {1: "pnc-v1", 2: "pnc-v2"}
DEFAULT = "pnc-v2"


def kind_of(name: str) -> Kind:
    """The codec of that name. Raises CodecError when there is none."""
    if name not in KINDS:
        raise CodecError(f"{name}: no such codec; there is {', '.join(KINDS)}")
    return KINDS[name]


def describe_mark(mark: int) -> str:
    """What the first byte of a packet says, in words: the codec's name, where it is known, and its version."""
    number, version = divmod(mark, 16)
    if number in NAMES:
        return f"{NAMES[number]} version {version}"
    return f"an unknown codec (number {number}, version {version})"


def check(path: Path, kind: Kind, name: str, version: str) -> None:
    """Raises CodecError unless weights that call themselves ``name`` and ``version`` are those of ``kind``."""
    if (name, version) != (kind.name, str(kind.version)):
        raise CodecError(
            f"{path}: weights of {name} version {version}, but this program runs {kind.name} version {kind.version}; "
            "install the weights and the program from the same release"
        )


def load_arrays(kind: Kind, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Arrays of the encoder and the entropy coder. Nothing in the file is executed. Raises CodecError."""
    path = folder / f"{kind.name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        name, version = str(arrays.pop("name")), str(arrays.pop("version"))
    except FileNotFoundError:
        raise CodecError(f"{path}: the codec's weights are missing; install the package again") from None
    except UNREADABLE_NPZ as error:
        raise CodecError(f"{path}: not a readable file of weights ({error})") from None
    check(path, kind, name, version)
    return arrays


def content_of(kind: Kind, arrays: dict[str, np.ndarray]) -> bytes:
    """The file of which ``load_arrays`` reads ``arrays``."""
    buffer = io.BytesIO()
    name, version = np.array(kind.name), np.array(str(kind.version))
    np.savez_compressed(buffer, name=name, version=version, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
