"""``python -m host.recv``: the edge server. Decodes and classifies whatever arrives by its deadline, until stopped."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

from .board.ble_edge import BleEdgeTransport
from .board.core import PEERS
from .cli.board_choice import add_port_arguments, chosen_port, world_settings
from .cli.command import USAGE, CommandError, CommandParser, run_command
from .cli.hints import with_hint
from .cli.testbed import virtual_boards
from .codec import load
from .edge.archive import Archive, Served
from .edge.classifier import DEFAULT_CLASSIFIER
from .edge.classifier import load as load_classifier
from .edge.server import EdgeServer
from .errors import PncError
from .transport.ble import Bluetooth
from .transport.transport import Transport

NAME = "recv"


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.recv", description=__doc__)
    add_port_arguments(p)
    p.add_argument(
        "--ble",
        action="append",
        nargs="?",
        const="",
        metavar="NAME|ADDRESS",
        help="no board here: this computer's Bluetooth, to the one camera board in reach or to the one that is named; "
        f"may be given for each of up to {PEERS} cameras",
    )
    p.add_argument("--save", metavar="DIR", help="keep decoded pictures, and a JSON line each in DIR/pictures.jsonl")
    p.add_argument("--classifier", default=DEFAULT_CLASSIFIER, metavar="NAME|FILE", help="a name or any ONNX file")
    return p


async def recv(arguments: argparse.Namespace, bluetooth: Bluetooth | None = None) -> int:
    """Serve until stopped. ``bluetooth``: back ends other than the system's."""
    by_bluetooth = arguments.ble is not None
    if by_bluetooth and (arguments.port != "auto" or arguments.rate or arguments.trace):
        raise CommandError("--ble is this computer's own Bluetooth: --port, --rate and --trace are for boards", USAGE)
    if by_bluetooth:
        _check_cameras(arguments.ble)
    chosen = None if by_bluetooth else chosen_port(arguments, "edge")
    settings = world_settings(arguments)
    codec = load()
    classifier = load_classifier(arguments.classifier)
    async with AsyncExitStack() as stack:
        archive = stack.enter_context(closing(Archive(Path(arguments.save)))) if arguments.save else None
        port: Transport
        if by_bluetooth:
            port = BleEdgeTransport(*arguments.ble, on_notice=_notice, bluetooth=bluetooth)
        elif chosen is None:
            ports = await stack.enter_async_context(virtual_boards(settings))
            port = ports[-1]
            _notice(
                f"no board attached: two virtual boards; python -m host.send --port {ports[0].name} FILE sends here"
            )
        else:
            port = chosen
        server = EdgeServer(
            port,
            codec,
            classifier,
            archive=archive,
            on_served=_print,
            on_notice=_notice,
            on_serving=lambda: _notice(f"serving on {port.name}; Ctrl-C stops"),
            keep_port=by_bluetooth or chosen is not None,
        )
        await asyncio.to_thread(server.warm_up)
        await server.run()
    return 0


def _check_cameras(wanted: Sequence[str]) -> None:
    if len(wanted) > 1 and "" in wanted:
        raise CommandError("--ble without a name is for the only camera in reach: name each of several", USAGE)
    if len({one.casefold() for one in wanted}) < len(wanted):
        raise CommandError(f"--ble {max(wanted, key=wanted.count)}: it is named twice", USAGE)
    if len(wanted) > PEERS:
        raise CommandError(f"--ble: {len(wanted)} cameras, and {PEERS} are possible", USAGE)


def _print(served: Served) -> None:
    best = f"{served.top[0][1]} {served.top[0][2]:.0%}" if served.top else "nothing decodable"
    print(
        f"{served.time}  camera {served.source}  image {served.image:3}  {served.bytes:6,} bytes  "
        f"{served.packets:3} packets  {served.margin_ms:5.0f} ms to spare  {served.service_ms:4.0f} ms  {best}",
        flush=True,
    )
    for fault in served.faults:
        _notice(f"image {served.image} of camera {served.source}: {fault}")


def _notice(notice: str | PncError) -> None:
    text = with_hint(notice) if isinstance(notice, PncError) else notice
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: asyncio.run(recv(parser().parse_args()))))
