"""The weights that ship with the codec: which there are, and reading them without trusting them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from ..errors import Reason
from ..files import UNREADABLE_NPZ
from .errors import CodecError

FOLDER = Path(__file__).parent / "weights"


class Family(Enum):
    """How a codec works: symbols in packets that stand alone, or bit-planes in a chain of packets."""

    CHANNELS = "channels"
    PLANES = "planes"


@dataclass(frozen=True)
class Kind:
    """A codec that this code runs. The first byte of each packet is ``number * 16 + version``."""

    name: str
    number: int
    version: int
    family: Family

    @property
    def mark(self) -> int:
        return self.number * 16 + self.version


#: Numbers are never given twice.
KINDS: dict[str, Kind] = {
    "pnc-v1": Kind("pnc-v1", number=1, version=1, family=Family.CHANNELS),
    "pnc-v2": Kind("pnc-v2", number=2, version=4, family=Family.PLANES),
}
DEFAULT = "pnc-v2"


def kind_of(name: str) -> Kind:
    """The codec of that name. Raises CodecError when there is none."""
    if name not in KINDS:
        raise CodecError(f"{name}: no such codec; there is {', '.join(KINDS)}")
    return KINDS[name]


def describe_mark(mark: int) -> str:
    """What the first byte of a packet says, in words: the codec's name, where it is known, and its version."""
    number, version = divmod(mark, 16)
    for kind in KINDS.values():
        if kind.number == number:
            return f"{kind.name} version {version}"
    return f"an unknown codec (number {number}, version {version})"


def check(path: Path, kind: Kind, name: str, version: str) -> None:
    """Raises CodecError unless weights that call themselves ``name`` and ``version`` are those of ``kind``."""
    if (name, version) != (kind.name, str(kind.version)):
        raise CodecError(
            f"{path}: weights of {name} version {version}, but this program runs {kind.name} version {kind.version}",
            reason=Reason.INCOMPLETE,
        )


def load_arrays(kind: Kind, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Arrays of the encoder and the entropy coder. Nothing in the file is executed. Raises CodecError."""
    path = folder / f"{kind.name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        name, version = str(arrays.pop("name")), str(arrays.pop("version"))
    except FileNotFoundError:
        raise CodecError(f"{path}: the codec's weights are missing", reason=Reason.INCOMPLETE) from None
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
