"""Imports PNC's published codec, completes networks trained here, exchanges encoders and classifiers as ONNX.

    python -m host.reference import ENCODER DECODER --tables DIR --out pnc.npz
    python -m host.reference fit NETWORKS.npz --photos DIR --out pnc.npz
    python -m host.reference export pnc.npz --onnx encoder.onnx [--int8 DIR]
    python -m host.reference import-onnx encoder.onnx --into pnc.npz --out new.npz
    python -m host.reference classifier efficientnet-lite0 --out lite0.onnx

ENCODER and DECODER are folders of TensorFlow SavedModels, --tables the folder of the published Huffman tables. Nothing
in them is executed. Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("reference"))

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ..camera.pictures import find_pictures
from ..cli.command import USAGE, CommandError, CommandParser
from ..codec.errors import CodecError
from ..codec.picture import sound_pictures
from ..edge.builtin import PUBLISHED
from ..files import write_file
from ..printing import note

NAME = "reference"
#: Names of the published tables, by channel.
TABLE_NAME = "huffman_table_fine_stoch_6_bit_{}"


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="reference")
    commands = p.add_subparsers(dest="command", metavar="COMMAND", required=True)

    c = commands.add_parser("import", help="convert the published SavedModels and Huffman tables to one file")
    c.add_argument("encoder", metavar="ENCODER", type=Path, help="folder of the encoder's SavedModel")
    c.add_argument("decoder", metavar="DECODER", type=Path, help="folder of the decoder's SavedModel")
    c.add_argument("--tables", metavar="DIR", type=Path, required=True, help=f"folder of {TABLE_NAME.format('0 to 9')}")
    c.add_argument("--out", metavar="FILE", type=Path, required=True, help="the codec, one .npz file")

    c = commands.add_parser(
        "fit", help="find the activations' step and the Huffman tables for networks that host.train trained"
    )
    c.add_argument("networks", metavar="NETWORKS", type=Path, help=".npz that host.train --recipe pnc wrote")
    c.add_argument("--photos", metavar="DIR", required=True, help="photos to fit them to")
    c.add_argument("--out", metavar="FILE", type=Path, required=True, help="the codec, one .npz file")

    c = commands.add_parser("export", help="write an encoder as ONNX")
    c.add_argument("model", metavar="FILE", type=Path, help="a file made by import or fit")
    c.add_argument("--onnx", metavar="FILE", type=Path, required=True, help="where to write it")
    c.add_argument("--int8", metavar="DIR", help="int8 weights, uint8 activations, calibrated on the photos in DIR")

    c = commands.add_parser("import-onnx", help="put an encoder from ONNX, float or int8, into a codec")
    c.add_argument("encoder", metavar="ONNX", type=Path, help="a file made by export")
    c.add_argument("--into", metavar="FILE", type=Path, required=True, help="the codec whose encoder it replaces")
    c.add_argument("--out", metavar="FILE", type=Path, required=True, help="the codec with that encoder")

    c = commands.add_parser("classifier", help="write a published classifier as ONNX, for recv --classifier FILE")
    c.add_argument("name", metavar="NAME", choices=PUBLISHED, help=", ".join(PUBLISHED))
    c.add_argument("--out", metavar="FILE.onnx", type=Path, required=True, help="where to write it")
    return p


def pictures(folder: str) -> Iterator[np.ndarray]:
    """Yield the photos in a folder, uint8 [224, 224, 3]; at the end report on stderr how many files were broken.

    Raises CommandError when there is no usable photo.
    """
    try:
        files = find_pictures([folder])
    except FileNotFoundError as error:
        raise CommandError(str(error)) from None
    broken: list[Path] = []
    for _, picture in sound_pictures(files, broken):
        yield picture
    if len(broken) == len(files):
        raise CommandError(f"{folder}: no usable photo (all {len(broken)} are broken)")
    if broken:
        note(f"{NAME}: {folder}: {len(broken)} broken files left out")


def run(options: argparse.Namespace) -> int:
    """Run a subcommand. Raises CommandError or CodecError for mistakes of the user."""
    try:
        return COMMANDS[options.command](options)
    except ImportError as error:
        raise CommandError(f"{error.name} is missing; install it: pip install 'pnc-link[edge,train]'") from error


def import_published(options: argparse.Namespace) -> int:
    """Convert published files to one file."""
    from .model import CHANNELS
    from .model_file import ReferenceModel, save_model
    from .pickles import read_table
    from .published import import_decoder, import_encoder
    from .quantizer import PUBLISHED_SCALE

    tables = [read_table(options.tables / TABLE_NAME.format(channel)) for channel in range(CHANNELS)]
    encoder, decoder = import_encoder(options.encoder), import_decoder(options.decoder)
    save_model(ReferenceModel(encoder, decoder, tables, PUBLISHED_SCALE), options.out)
    return 0


def fit(options: argparse.Namespace) -> int:
    """Add step and tables to networks."""
    from .fit import fit_model
    from .model_file import load_networks, save_model

    save_model(fit_model(*load_networks(options.networks), pictures(options.photos)), options.out)
    return 0


def export(options: argparse.Namespace) -> int:
    """Write an encoder as ONNX."""
    from .model_file import load_networks
    from .onnx_encoder import encoder_graph, quantized

    model = encoder_graph(load_networks(options.model)[0])
    if options.int8:
        model = quantized(model, pictures(options.int8))
    write_file(model.SerializeToString(), options.onnx, CodecError)
    return 0


def import_onnx(options: argparse.Namespace) -> int:
    """Replace a codec's encoder by one from ONNX."""
    from .model_file import load_model, save_model
    from .onnx_encoder import read_encoder

    encoder = read_encoder(options.encoder)
    save_model(dataclasses.replace(load_model(options.into), encoder=encoder), options.out)
    return 0


def classifier(options: argparse.Namespace) -> int:
    """Write a published classifier and, if there is one, the curve that ``recv --sure`` needs."""
    from .efficientnet import published

    if options.out.suffix != ".onnx":
        raise CommandError(f"--out {options.out}: the file's name must end in .onnx", USAGE)
    write_file(published.model_bytes(options.name), options.out, CodecError)
    curve = published.sureness_file(options.name)
    if curve.exists():
        write_file(curve.read_bytes(), options.out.with_suffix(curve.suffixes[-2] + curve.suffixes[-1]), CodecError)
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "import": import_published,
    "fit": fit,
    "export": export,
    "import-onnx": import_onnx,
    "classifier": classifier,
}


def main() -> int:
    """Run the command line and return the exit status."""
    return run(parser().parse_args())
