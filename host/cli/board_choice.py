"""The command-line options that choose a board, or virtual boards and their air."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..devices.board_transport import BoardTransport
from ..devices.choice import AUTO, choose_for_role
from ..devices.host_system import HostSystem
from ..devices.names import FILE
from ..transport.transport import Transport
from .command import USAGE, CommandError
from .units import bits_per_second

if TYPE_CHECKING:
    from ..sim.world import WorldSettings

SIM = "sim"


def add_port_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--port``, and the options for the air of virtual boards."""
    parser.add_argument(
        "--port",
        default=AUTO,
        metavar="auto|PATH|NAME|sim",
        help="serial port of the board, or its name in boards.toml; auto: the one attached, else virtual boards; "
        "sim: virtual boards",
    )
    air = parser.add_mutually_exclusive_group()
    air.add_argument("--rate", metavar="50kbps", help="virtual boards: cap on the radio's goodput")
    air.add_argument(
        "--trace", metavar="FILE", help="virtual boards: CSV with time_s,rate_kbps[,loss]; or none, light, heavy"
    )


def chosen_port(arguments: argparse.Namespace, role: str, host_system: HostSystem | None = None) -> Transport | None:
    """Return the transport that ``--port`` chooses, not opened; None for virtual boards.

    ``role`` is the name that this command's board has in ``boards.toml``, if it is there.
    """
    host_system = host_system or HostSystem()
    requested: str = arguments.port
    board = choose_for_role(host_system, requested, role)
    if board is None and requested in (AUTO, SIM):
        return None
    if board is None and _is_name(requested):
        raise CommandError(
            f"{requested} is not a serial port, and {host_system.folder / FILE} has no such name: add the line "
            f'{requested} = "SERIAL" (`python -m host.boards list` shows serial numbers)'
        )
    port = host_system.open_port(requested) if board is None else BoardTransport(host_system, board)
    if arguments.rate or arguments.trace:
        raise CommandError(f"--rate and --trace shape the air of virtual boards, not that of {port.name}", USAGE)
    return port


def why_virtual(arguments: argparse.Namespace) -> str:
    """Return why virtual boards run, as the beginning of a line; for arguments without a port of ``chosen_port``."""
    return f"--port {SIM}" if arguments.port == SIM else "no board attached"


def world_settings(arguments: argparse.Namespace) -> WorldSettings:
    """Return the virtual boards' air for ``--rate`` or ``--trace``."""
    # Imported here: with a board nothing is simulated.
    from ..sim.line import UART_BYTES_PER_S
    from ..sim.trace import CLEAR, ChannelState, Trace, TraceError
    from ..sim.world import WorldSettings

    try:
        if arguments.rate:
            trace = Trace.constant(ChannelState(rate_bps=bits_per_second(arguments.rate)))
        else:
            trace = Trace.read(arguments.trace) if arguments.trace else Trace.constant(CLEAR)
    except (TraceError, ValueError) as error:
        raise CommandError(str(error), USAGE) from error
    return WorldSettings(trace=trace, bytes_per_s=UART_BYTES_PER_S)


def _is_name(port: str) -> bool:
    """Return True for a word that no OS uses as a serial port: it must be the name of a board."""
    is_path = "/" in port or "\\" in port or Path(port).exists()
    return not is_path and re.fullmatch("COM[0-9]+", port, re.IGNORECASE) is None
