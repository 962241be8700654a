"""The file of a reference codec: both networks, the Huffman tables, and the step of the activations."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..codec.errors import CodecError
from ..files import UNREADABLE_NPZ, write_file
from .huffman import HuffmanTable
from .model import CHANNELS, Decoder, Encoder

NAME, VERSION = "pnc-reference", 1
#: The published networks take 1.5 MB.
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class ReferenceModel:
    """The parts of the codec.

    ``scale``: a step of the uint8 activations, whose zero point is 0; ``tables``: one for each channel.
    """

    encoder: Encoder
    decoder: Decoder
    tables: Sequence[HuffmanTable]
    scale: float


def save_model(model: ReferenceModel, path: Path) -> None:
    """Write ``model`` to ``path``. Raises CodecError when it cannot be written."""
    arrays = {
        "name": np.array(NAME),
        "version": np.array(str(VERSION)),
        "scale": np.array(model.scale),
        "bits": np.stack([table.bits for table in model.tables]).astype(np.uint8),
        "codes": np.stack([table.codes for table in model.tables]),
    }
    for part, network in (("encoder", model.encoder), ("decoder", model.decoder)):
        arrays |= {f"{part}.{name}": values.cpu().numpy() for name, values in network.state_dict().items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_file(buffer.getvalue(), path, CodecError)


def load_model(path: Path) -> ReferenceModel:
    """Return the model in ``path``. Nothing in the file is executed. Raises CodecError for any other file."""
    arrays = _arrays(path)
    encoder, decoder = _networks(path, arrays)
    if "scale" not in arrays:
        raise CodecError(f"{path}: networks without Huffman tables; `python -m host.reference fit` adds them")
    try:
        scale, bits, codes = float(arrays["scale"]), arrays["bits"], arrays["codes"]
        if not (np.isfinite(scale) and scale > 0 and len(bits) == len(codes) == CHANNELS):
            raise ValueError("no step of the activations, or not a Huffman table for each channel")
        if bits.dtype != np.uint8 or codes.dtype != np.uint64:
            raise ValueError("Huffman tables of another type")
        tables = [HuffmanTable(*pair) for pair in zip(bits, codes, strict=True)]
    except (KeyError, ValueError, TypeError, CodecError) as error:
        raise _unsound(path, error) from None
    return ReferenceModel(encoder, decoder, tables, scale)


def load_networks(path: Path) -> tuple[Encoder, Decoder]:
    """Return the networks in ``path``, which may lack tables: training writes such files. Raises CodecError."""
    return _networks(path, _arrays(path))


def _networks(path: Path, arrays: dict[str, np.ndarray]) -> tuple[Encoder, Decoder]:
    name, version = str(arrays.get("name", "nothing")), str(arrays.get("version", "?"))
    if (name, version) != (NAME, str(VERSION)):
        raise CodecError(f"{path}: a model of {name} version {version}, but this program runs {NAME} version {VERSION}")
    encoder, decoder = Encoder().eval(), Decoder().eval()
    try:
        _fill(encoder, "encoder", arrays)
        _fill(decoder, "decoder", arrays)
    except (KeyError, ValueError) as error:
        raise _unsound(path, error) from None
    return encoder, decoder


def _unsound(path: Path, error: Exception) -> CodecError:
    what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
    return CodecError(f"{path}: not a valid model of {NAME}: {what}")


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise CodecError(f"{path}: holds more than {_MAX_BYTES >> 20} MB, which no reference model does")
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise CodecError(f"{path}: no such file") from None
    except UNREADABLE_NPZ as error:
        raise CodecError(f"{path}: not a readable file of weights ({error})") from None


def _fill(network: nn.Module, part: str, arrays: dict[str, np.ndarray]) -> None:
    """Load arrays into a network. Raises KeyError for a missing one, ValueError for one that does not fit."""
    state = {}
    for name, values in network.state_dict().items():
        array = arrays[f"{part}.{name}"]
        if array.shape != tuple(values.shape) or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{part}.{name} is not float32 {list(values.shape)}, all finite")
        state[name] = torch.from_numpy(array)
    network.load_state_dict(state)
