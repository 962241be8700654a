"""Find, examine, pair, watch and flash the boards at this computer.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 a tool is missing, 4 no board, 5 several boards, 6 building or writing
failed, 7 wrong or no firmware answered.
"""

from __future__ import annotations

import sys

from ..cli.start import start_command

if __name__ == "__main__":  # before the imports below: cli/start.py says why
    sys.exit(start_command("boards"))

import argparse
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

from ..cli.command import CommandError, CommandParser, argument, run_async
from ..cli.units import seconds
from ..devices.choice import ROLES, choose, choose_pair
from ..devices.client import BoardClient, firmware_text
from ..devices.errors import BoardError
from ..devices.host_system import HostSystem
from ..devices.survey import BoardInfo, survey
from ..errors import Reason
from ..printing import note, show
from ..seal.key import make_key
from ..transport.transport import TransportError
from ..wire import Configure, Hello, Phy, Reset, Role
from . import doctor, flash, listing, pairing, update
from .diagnostic import Severity
from .exit_status import ExitStatus, command_errors
from .flash_options import FlashOptions
from .monitor import monitor
from .targets import TARGETS, signing, target
from .zephyr import ROOT

NAME = "boards"
#: Time for a board that was reset to answer on its port again (USB ports vanish and return).
RESET_S = 5.0
_KEEP_POWER_DBM = 127
_LONGEST_WINDOW_S = 0xFFFF
_ADVICE = {Reason.SEVERAL_BOARDS: "choose one with --board"}
#: The PHYs that a user may choose.
PHYS = {"auto": Phy.AUTO, "2m": Phy.LE_2M, "1m": Phy.LE_1M, "coded-s2": Phy.CODED_S2, "coded-s8": Phy.CODED_S8}
_ROLES_NEEDED = "`boards role` gives a board its role; `boards pair --board X` lets any other board pair with X"
_PAIR_ADVICE = {Reason.UNKNOWN_BOARD: _ROLES_NEEDED, Reason.SEVERAL_BOARDS: _ROLES_NEEDED}


def parser() -> CommandParser:
    """Return the parser of the command line."""
    p = CommandParser(command="boards", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=CommandParser)

    def command(name: str, text: str, *, board: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if board:
            sub.add_argument(
                "--board",
                default="",
                metavar="PORT|SERIAL|NAME|ROLE",
                help="which board, if several are attached",
            )
        return sub

    command("list", "every board: port, serial number, kind, firmware, role, connection")
    command("doctor", "problems of this computer and its boards, each with its fix")
    command("info", "everything that one board reports about itself", board=True)
    role = command("role", "set the role of a board; a new role opens its pairing window", board=True)
    role.add_argument("role", choices=list(ROLES))
    role.add_argument("--phy", choices=list(PHYS), help="its PHY; auto: a camera chooses by conditions (as it is)")
    pair = command(
        "pair", "pair the two boards at this computer with each other; with --board: let any board pair", board=True
    )
    pair.add_argument("--window", type=_window_s, default=60, metavar="S", help="how long pairing is possible, s (60)")
    command("forget", "remove all bonds of a board", board=True)
    command("reset", "restart a board", board=True)
    watch = command("monitor", "a live table of statistics, until stopped", board=True)
    watch.add_argument(
        "--interval", type=argument(seconds), default=1.0, metavar="S", help="time between two tables, s (1)"
    )
    watch.add_argument("--count", type=_count, default=0, metavar="N", help="tables to print (0: until stopped)")
    update_ = command(
        "update", "write firmware that was built with MCUBOOT=KEY over the board's serial port", board=True
    )
    update_.add_argument("file", metavar="FILE", help="the signed firmware: zephyr.signed.bin")
    key = command(
        "key", "make a key for a camera and its edge server: a file of 16 random bytes for send and recv --key"
    )
    key.add_argument("file", metavar="FILE", help="the file to make; it must not exist")
    write = command("flash", "build the firmware if it is stale, write it, wait for its hello")
    write.add_argument("--target", default="nrf52840dk", metavar="BOARD", help=", ".join(TARGETS))
    write.add_argument("--snr", default="", metavar="SERIAL", help="choose the board with this serial number")
    write.add_argument("--role", default="", choices=["", "camera", "edge"], help="choose the board with this role")
    write.add_argument("--usb", action="store_true", help="use the chip's own USB socket of a kit, which is faster")
    write.add_argument("--erase", action="store_true", help="erase the whole chip before, settings and bonds included")
    write.add_argument(
        "--mcuboot", default="", metavar="KEY", help="write MCUboot, and the firmware signed with the key in this file"
    )
    write.add_argument("--dry-run", action="store_true", help="print the commands only")
    return p


def _window_s(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _LONGEST_WINDOW_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to {_LONGEST_WINDOW_S}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


async def boards(arguments: argparse.Namespace, host_system: HostSystem) -> int:
    """Run one command; return its exit status. Raises CommandError."""
    advice = _PAIR_ADVICE if arguments.command == "pair" and not arguments.board else _ADVICE
    with command_errors(advice):
        return await _run(arguments, host_system)


async def _run(arguments: argparse.Namespace, host_system: HostSystem) -> int:
    command, requested = arguments.command, getattr(arguments, "board", "")
    if command == "key":
        show(f"{make_key(arguments.file).name}: a new key; copy it to the other computer over a way that you trust")
        return ExitStatus.OK
    if command == "flash":
        options = FlashOptions(
            target(arguments.target),
            arguments.snr,
            arguments.role,
            own_usb=arguments.usb,
            erase=arguments.erase,
            signing=signing(host_system, arguments.mcuboot, arguments.target, own_usb=arguments.usb),
            dry_run=arguments.dry_run,
        )
        await flash.flash(host_system, options, _say)
        return ExitStatus.OK
    if command == "doctor":
        return _doctor(host_system, await survey(host_system, {}))  # a broken boards.toml is one of its diagnostics
    attached = await survey(host_system)
    if not attached:
        raise BoardError("no board is attached", reason=Reason.NOT_ATTACHED)
    if command == "list":
        show(*listing.rows(attached))
    elif command == "monitor":
        watched = [choose(attached, requested)] if requested else [info for info in attached if info.role is not None]
        if not watched:
            raise CommandError("no board answered: see `python -m host.boards list`", ExitStatus.NO_BOARD)
        await monitor(host_system, watched, interval_s=arguments.interval, count=arguments.count)
    elif command == "update":
        await update.update(host_system, choose(attached, requested), arguments.file, _say)
    elif command == "pair" and not requested:
        await _pair_two(host_system, attached, arguments.window)
    else:
        chosen = choose(attached, requested)
        action = partial(_info, chosen) if command == "info" else _ACTIONS[command]
        await _with_one(host_system, chosen, action, arguments)
    return ExitStatus.OK


_Action = Callable[[BoardClient, Hello, argparse.Namespace], Awaitable[None]]


async def _with_one(host_system: HostSystem, info: BoardInfo, action: _Action, arguments: argparse.Namespace) -> None:
    if info.hello is None and info.last_error:
        raise CommandError(f"{info.port}: {info.last_error}: see `python -m host.boards doctor`", ExitStatus.NO_BOARD)
    async with BoardClient(host_system.open_port(info.port)) as client:
        hello = await client.greet_same()
        await client.listen(0.1)
        await action(client, hello, arguments)


async def _info(info: BoardInfo, client: BoardClient, hello: Hello, _arguments: argparse.Namespace) -> None:
    show(f"port        {client.name}", *await listing.details(client, hello, info.board.kind))


async def _role(client: BoardClient, hello: Hello, arguments: argparse.Namespace) -> None:
    role, phy = ROLES[arguments.role], PHYS.get(arguments.phy, Phy.KEEP)
    if hello.role == role and phy == Phy.KEEP:
        _say(f"{client.name}: it already has this role")
        return
    answer = await client.request(Configure(role=role, phy=phy, tx_power_dbm=_KEEP_POWER_DBM), Hello)
    window = "; its pairing window is open" if role not in (Role.NONE, hello.role) else ""
    chosen = f", PHY {arguments.phy}" if phy != Phy.KEEP else ""
    _say(f"{client.name}: role {listing.role_text(answer.role)}{chosen}{window}")


async def _pair(client: BoardClient, _hello: Hello, arguments: argparse.Namespace) -> None:
    await pairing.open_window(client, arguments.window, _say)


async def _forget(client: BoardClient, _hello: Hello, _arguments: argparse.Namespace) -> None:
    bonds = await pairing.forget(client)
    _say(f"{client.name}: {f'forgot {bonds}' if bonds else 'it was not paired'}")


async def _reset(client: BoardClient, _hello: Hello, _arguments: argparse.Namespace) -> None:
    client.send(Reset())
    with contextlib.suppress(TransportError):
        await client.listen(0.2)
    hello = await client.greet_again(RESET_S)
    _say(f"{client.name}: restarted, firmware {firmware_text(hello)}")


_ACTIONS: dict[str, _Action] = {"role": _role, "pair": _pair, "forget": _forget, "reset": _reset}


async def _pair_two(host_system: HostSystem, attached: Sequence[BoardInfo], window_s: int) -> None:
    """Pair the camera board and the edge board at this computer."""
    async with AsyncExitStack() as stack:
        clients = []
        for info in choose_pair(attached):
            client = await stack.enter_async_context(BoardClient(host_system.open_port(info.port)))
            await client.greet_same()
            clients.append(client)
        await pairing.pair_out_of_band(clients[0], clients[1], window_s, _say)


def _doctor(host_system: HostSystem, attached: Sequence[BoardInfo]) -> int:
    diagnostics = doctor.examine(host_system, attached)
    for diagnostic in diagnostics:
        show(*diagnostic.lines())
    if not diagnostics:
        show("nothing is wrong")
    failed = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return ExitStatus.FAILED if failed else ExitStatus.OK


def _say(text: str) -> None:
    note(f"{NAME}: {text}")


def main() -> int:
    """Run the command line and return the exit status."""
    return run_async(boards(parser().parse_args(), HostSystem(root=ROOT)))
