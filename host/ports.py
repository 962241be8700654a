"""Which board a command talks to: the port a person chose, or virtual boards and their air."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from host.board_tools.names import FILE, read_names
from host.command import USAGE, CommandError
from host.link.discover import attached, only_board
from host.sim.line import UART_BYTES_PER_S
from host.sim.trace import CLEAR, Air, Trace, TraceError
from host.sim.world import WorldSettings
from host.units import bits_per_second


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


def chosen_port(arguments: argparse.Namespace, role: str) -> str | None:
    """The serial port to use; None: virtual boards.

    ``role`` is the name under which boards.toml has the board that this command wants, if it has one.
    """
    port: str = arguments.port
    names = read_names(Path.cwd())
    if port in names:
        port = _port_of(port, names[port])
    elif port == "auto" and role in names and attached():
        port = _port_of(role, names[role])
    elif port == "auto":
        port = only_board() or "sim"
    elif port != "sim" and _is_name(port):
        raise CommandError(
            f'{port} is no serial port, and {Path.cwd() / FILE} names no board so: write {port} = "SERIAL" there '
            "(`python -m host.boards list` shows serial numbers)"
        )
    if port == "sim":
        return None
    if arguments.rate or arguments.trace:
        raise CommandError(f"--rate and --trace shape the air of virtual boards, not that of {port}", USAGE)
    return port


def port_named(text: str) -> str:
    """The port of the board that has this name in boards.toml; anything else is taken for a port itself."""
    names = read_names(Path.cwd())
    return _port_of(text, names[text]) if text in names else text


def _is_name(port: str) -> bool:
    """True for what no system calls a serial port: people mean a board by it."""
    is_path = "/" in port or "\\" in port or Path(port).exists()
    return not is_path and re.fullmatch("COM[0-9]+", port, re.IGNORECASE) is None


def _port_of(name: str, serial: str) -> str:
    boards = attached()
    found = [board.port for board in boards if board.serial == serial]
    if not found:
        listed = ", ".join(f"{board.port} (serial {board.serial})" for board in boards) or "none"
        raise CommandError(f"{FILE}: {name} is {serial}, and that board is not attached; attached: {listed}")
    return found[0]


def world_settings(arguments: argparse.Namespace) -> WorldSettings:
    """The air that ``--rate`` or ``--trace`` ask for."""
    try:
        if arguments.rate:
            trace = Trace.constant(Air(rate_bps=bits_per_second(arguments.rate)))
        else:
            trace = Trace.read(arguments.trace) if arguments.trace else Trace.constant(CLEAR)
    except (TraceError, ValueError) as error:
        raise CommandError(str(error), USAGE) from error
    return WorldSettings(trace=trace, bytes_per_s=UART_BYTES_PER_S)
