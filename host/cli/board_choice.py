"""Which board a command talks to: the port a person chose, or virtual boards and their air."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from ..devices.board_transport import BoardTransport
from ..devices.host_system import HostSystem
from ..devices.names import FILE, read_names
from ..devices.survey import port_that_answers
from ..devices.usb import UsbDevice, only_board
from ..sim.line import UART_BYTES_PER_S
from ..sim.trace import CLEAR, ChannelState, Trace, TraceError
from ..sim.world import WorldSettings
from ..transport.transport import Transport
from .command import USAGE, CommandError
from .units import bits_per_second


def add_port_arguments(parser: argparse.ArgumentParser) -> None:
    """``--port``, and the air of virtual boards."""
    parser.add_argument(
        "--port",
        default="auto",
        metavar="auto|PATH|NAME|sim",
        help="serial port of the board, or its name in boards.toml; auto: the one attached, else virtual boards; "
        "sim: virtual boards",
    )
    air = parser.add_mutually_exclusive_group()
    air.add_argument("--rate", metavar="50kbps", help="virtual boards: cap on the radio's goodput")
    air.add_argument(
        "--trace", metavar="FILE", help="virtual boards: CSV with time_s,rate_kbps[,loss]; or none, light, heavy"
    )


def chosen_port(arguments: argparse.Namespace, role: str, machine: HostSystem | None = None) -> Transport | None:
    """The port to use, not opened; None: virtual boards.

    ``role`` is the name under which boards.toml has the board that this command wants, if it has one.
    """
    here = machine or HostSystem()
    wanted: str = arguments.port
    names = read_names(here.folder)
    boards = here.boards() if wanted == "auto" or wanted in names else []
    if wanted in names:
        board: UsbDevice | None = _named(wanted, names[wanted], boards)
    elif wanted == "auto":
        board = _named(role, names[role], boards) if role in names and boards else only_board(boards)
    else:
        board = None
        if wanted != "sim" and _is_name(wanted):
            raise CommandError(
                f'{wanted} is no serial port, and {here.folder / FILE} names no board so: write {wanted} = "SERIAL" '
                "there (`python -m host.boards list` shows serial numbers)"
            )
    if board is None and wanted in ("auto", "sim"):
        return None
    port = here.open_port(wanted) if board is None else BoardTransport(here, board)
    if arguments.rate or arguments.trace:
        raise CommandError(f"--rate and --trace shape the air of virtual boards, not that of {port.name}", USAGE)
    return port


async def port_named(text: str, machine: HostSystem | None = None) -> str:
    """The port behind which the board of that name in boards.toml is; anything else is taken for a port itself."""
    here = machine or HostSystem()
    names = read_names(here.folder)
    return await port_that_answers(here, _named(text, names[text], here.boards())) if text in names else text


def _is_name(port: str) -> bool:
    """True for what no system calls a serial port: people mean a board by it."""
    is_path = "/" in port or "\\" in port or Path(port).exists()
    return not is_path and re.fullmatch("COM[0-9]+", port, re.IGNORECASE) is None


def _named(name: str, serial: str, boards: Sequence[UsbDevice]) -> UsbDevice:
    found = [board for board in boards if board.serial == serial]
    if not found:
        listed = ", ".join(f"{board.port} (serial {board.serial})" for board in boards) or "none"
        raise CommandError(f"{FILE}: {name} is {serial}, and that board is not attached; attached: {listed}")
    return found[0]


def world_settings(arguments: argparse.Namespace) -> WorldSettings:
    """The air that ``--rate`` or ``--trace`` ask for."""
    try:
        if arguments.rate:
            trace = Trace.constant(ChannelState(rate_bps=bits_per_second(arguments.rate)))
        else:
            trace = Trace.read(arguments.trace) if arguments.trace else Trace.constant(CLEAR)
    except (TraceError, ValueError) as error:
        raise CommandError(str(error), USAGE) from error
    return WorldSettings(trace=trace, bytes_per_s=UART_BYTES_PER_S)
