"""The command ``recv``: run the edge server. It decodes and classifies what arrives in time, until it is stopped."""

from __future__ import annotations

import sys

from .cli.start import as_started, program, start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("recv"))

import argparse
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from .board.ble_edge import BleEdgeTransport
from .board.core import PEERS
from .cli.board_choice import add_port_arguments, chosen_port, why_virtual, world_settings
from .cli.command import USAGE, CommandError, CommandParser, argument, run_async
from .cli.hints import with_hint
from .cli.key_option import add_key_argument, chosen_keys
from .cli.log_options import EdgeLog, add_log_arguments, recording
from .cli.notices import Notices
from .cli.settings import parse
from .cli.sink_choice import add_sink_arguments, chosen_sinks
from .cli.verbosity import add_verbosity_arguments, event_printer, to_each
from .codec import load
from .edge.answered import AnsweredPicture
from .edge.archive import Archive
from .edge.builtin import CLASSIFIERS, DEFAULT_CLASSIFIER
from .edge.classifier import load as load_classifier
from .edge.ending import Ending
from .edge.server import EdgeServer
from .edge.service_manager import ServiceManager
from .edge.sureness import load_sureness
from .errors import PncError
from .log.recorder import Sink
from .printing import show
from .transport.ble import Bluetooth
from .transport.transport import Transport
from .web.address import DEFAULT, parse_address
from .web.page import Page

NAME = "recv"
MOST_WORKERS = 64


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command=NAME)
    add_port_arguments(p)
    add_key_argument(p, several=True)
    p.add_argument(
        "--ble",
        action="append",
        nargs="?",
        const="",
        metavar="NAME|ADDRESS",
        help="use this computer's Bluetooth instead of an edge board; connect to the camera board with this name or "
        f"address, or to the only one in reach; can be given for each of up to {PEERS} cameras",
    )
    p.add_argument(
        "--pair",
        action="store_true",
        help="with --ble: pair with the only camera board in reach, whichever it is (one that is named is paired with "
        "anyway; default: connect to it if it is paired already)",
    )
    p.add_argument("--save", metavar="DIR", help="save decoded pictures, and a line of JSON for each in pictures.jsonl")
    p.add_argument(
        "--classifier",
        default=DEFAULT_CLASSIFIER,
        metavar="NAME|FILE",
        help=CLASSIFIERS,
    )
    p.add_argument(
        "--workers",
        type=_workers,
        metavar="N",
        help=f"pictures that are decoded at a time, 1 to {MOST_WORKERS} (default: the CPUs that it may use)",
    )
    p.add_argument(
        "--sure",
        type=_probability,
        metavar="P",
        help="answer finally, and stop the camera, as soon as the answer is right with this probability, "
        "above 0 and at most 1 (default: use all that arrives in time)",
    )
    add_log_arguments(p)
    p.add_argument(
        "--web",
        nargs="?",
        const=parse_address(DEFAULT),
        type=argument(parse_address),
        metavar="HOST:PORT",
        help=f"serve a live page ({DEFAULT}); on another address than loopback with a token, which is printed",
    )
    add_sink_arguments(p)
    add_verbosity_arguments(p)
    return p


def _workers(text: str) -> int:
    """Parse a number of workers, for argparse."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_WORKERS}")
    return int(text)


def _probability(text: str) -> float:
    """Parse a probability above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most 1")
    return value


def main() -> int:
    """Run the command line and return the exit status."""
    return run_async(recv(parse(parser(), NAME)))


async def recv(arguments: argparse.Namespace, bluetooth: Bluetooth | None = None) -> int:
    """Serve until stopped. ``bluetooth`` are the back ends to use instead of the system's."""
    by_bluetooth = arguments.ble is not None
    if by_bluetooth and (arguments.port != "auto" or arguments.rate or arguments.trace):
        raise CommandError("--ble uses this computer's own Bluetooth: --port, --rate and --trace are for boards", USAGE)
    if by_bluetooth:
        _check_cameras(arguments.ble)
    elif arguments.pair:
        raise CommandError("--pair is for --ble; `python -m host.boards pair` pairs two boards", USAGE)
    keys = chosen_keys(arguments)
    chosen = None if by_bluetooth else chosen_port(arguments, "edge")
    codec = load()
    classifier = load_classifier(arguments.classifier)
    sureness = load_sureness(arguments.classifier) if arguments.sure is not None else None
    ending = Ending()
    async with AsyncExitStack() as stack:
        notice = stack.enter_context(Notices(NAME))
        on_event = event_printer(arguments, notice)
        to_sinks = await stack.enter_async_context(chosen_sinks(arguments, notice, ending))
        archive = Archive(Path(arguments.save)) if arguments.save else None
        if archive is not None and (trouble := archive.trouble()):
            notice(f"pictures will be answered, but not saved: {trouble}")
        sinks: list[Sink] = []
        if arguments.web is not None:
            page = await stack.enter_async_context(Page(arguments.web, notice, ending=ending))
            sinks.append(page.sink)
        log = EdgeLog(stack.enter_context(recording(arguments, NAME, notice, sinks)), sealed=bool(keys))
        transport: Transport
        if by_bluetooth:
            transport = BleEdgeTransport(
                *arguments.ble,
                on_notice=lambda text: notice(_with_advice(text)),
                bluetooth=bluetooth,
                pair=arguments.pair,
            )
        elif chosen is not None:
            transport = chosen
        else:
            transport = await _virtual_edge(stack, arguments, notice, log)

        def show_and_give(picture: AnsweredPicture) -> None:
            _show(picture, notice, log)
            to_sinks(picture)

        manager = ServiceManager()
        server = EdgeServer(
            log.transport(transport),
            codec,
            classifier,
            archive=archive,
            on_picture=show_and_give,
            on_event=to_each(log.event, on_event),
            on_notice=notice,
            on_ready=lambda: _ready(manager, transport, notice),
            reopen=by_bluetooth or chosen is not None,
            workers=arguments.workers,
            sure=arguments.sure,
            sureness=sureness,
            keys=keys,
            on_opened=log.on_opened,
        )
        async with manager.watching(lambda: server.progress_us), log.asking(server):
            await ending.of(server.run())
    return 0


def _ready(manager: ServiceManager, transport: Transport, notice: Notices) -> None:
    notice(f"serving on {transport.name}; Ctrl-C stops")
    manager.ready(f"serving on {transport.name}")


async def _virtual_edge(
    stack: AsyncExitStack, arguments: argparse.Namespace, notice: Notices, log: EdgeLog
) -> Transport:
    """Start two virtual boards, report how to send to them, and return the edge board's transport."""
    from .sim.virtual_boards import boards_in_world  # only here: with a board or Bluetooth nothing is simulated

    boards = await stack.enter_async_context(
        boards_in_world(world_settings(arguments), terminals=True, on_world=log.world)
    )
    why = why_virtual(arguments)
    notice(f"{why}: two virtual boards; {program('send')} --port {boards[0].name} FILE sends here")
    return boards[-1]


def _check_cameras(names: Sequence[str]) -> None:
    if len(names) > 1 and "" in names:
        raise CommandError("--ble without a name is for the only camera in reach: name each of several", USAGE)
    if len({name.casefold() for name in names}) < len(names):
        raise CommandError(f"--ble {max(names, key=names.count)}: it is named twice", USAGE)
    if len(names) > PEERS:
        raise CommandError(f"--ble: {len(names)} cameras given, at most {PEERS} are possible", USAGE)


def _show(picture: AnsweredPicture, notice: Notices, log: EdgeLog) -> None:
    log.picture(picture)
    best = f"{picture.top[0][1]} {picture.top[0][2]:.0%}" if picture.top else "nothing decodable"
    show(
        f"{picture.time}  camera {picture.source}  image {picture.image:5}  {picture.bytes:6,} bytes  "
        f"{picture.packets:3} packets  {picture.margin_ms:5.0f} ms to spare  {picture.service_ms:4.0f} ms  {best}"
        f"{'  enough' if picture.enough else ''}"
    )
    notice.of_picture(f"image {picture.image} of camera {picture.source}", picture.issues)


def _with_advice(notice: str | PncError) -> str:
    return as_started(with_hint(notice)) if isinstance(notice, PncError) else notice
