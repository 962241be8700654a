"""What the commands share: the port a person chose, virtual boards where there is none, and how errors end."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from host.camera.camera import CameraError
from host.codec import CodecError, PictureError
from host.edge.errors import ClassifierError, ServerError
from host.evaluation.errors import EvaluationError
from host.link.discover import only_board
from host.link.port import PortError
from host.sim.line import UART_BYTES_PER_S
from host.sim.trace import CLEAR, Air, Trace, TraceError
from host.sim.world import WorldSettings
from host.units import bits_per_second

USAGE, FAILURE, INTERRUPTED = 2, 1, 130


class CommandError(Exception):
    """A command cannot do what was asked: one line for a person, and the exit status."""

    def __init__(self, text: str, status: int = FAILURE) -> None:
        super().__init__(text)
        self.status = status


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Wrong usage: says so and exits with status 2."""
        name = self.prog.rpartition(".")[2]
        self.exit(USAGE, f"{name}: {message} (`{self.prog} --help` lists the options)\n")


def add_port_arguments(parser: argparse.ArgumentParser) -> None:
    """``--port``, and the air of virtual boards."""
    parser.add_argument(
        "--port",
        default="auto",
        metavar="auto|PATH|sim",
        help="serial port of the board; auto: the one attached, else virtual boards; sim: virtual boards",
    )
    air = parser.add_mutually_exclusive_group()
    air.add_argument("--rate", metavar="50kbps", help="virtual boards: cap on the radio's goodput")
    air.add_argument(
        "--trace", metavar="FILE", help="virtual boards: CSV with time_s,rate_kbps[,loss]; or none, light, heavy"
    )


def chosen_port(arguments: argparse.Namespace) -> str | None:
    """The serial port to use; None: virtual boards."""
    port: str = arguments.port
    if port == "auto":
        found = only_board()
        port = found or "sim"
    if port == "sim":
        return None
    if arguments.rate or arguments.trace:
        raise CommandError(f"--rate and --trace shape the air of virtual boards, not that of {port}", USAGE)
    return port


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


def run_command(name: str, main: Callable[[], int]) -> int:
    """Run a command to its exit status: every foreseen error is one line on stderr."""
    try:
        return main()
    except CommandError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.status
    except (PortError, CameraError, ServerError, ClassifierError, CodecError, PictureError, EvaluationError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return FAILURE
    except BrokenPipeError:  # whoever read our output has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (the interpreter flushes it when it ends)
        return FAILURE
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        return INTERRUPTED
