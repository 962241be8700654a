"""``python -m host.boards``: the boards at this computer: find, examine, pair, watch and flash them.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 a tool is missing, 4 no board, 5 several boards, 6 building or writing
failed, 7 wrong or no firmware answered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from ..cli.command import USAGE, CommandError, CommandParser, run_command
from ..devices.client import BoardClient, firmware_text
from ..devices.errors import BoardError, ExitStatus
from ..devices.host_system import HostSystem
from ..devices.survey import NOTHING, ROLES, BoardInfo, choose, survey
from ..transport.transport import TransportError
from ..wire import VERSION, Configure, Hello, Reset, Role
from . import doctor, flash, listing, pairing
from .flash_options import FlashOptions
from .monitor import monitor
from .targets import target

NAME = "boards"
#: A board that was reset is back on its port within this time (USB ports vanish and return).
RESET_S = 5.0
_KEEP_POWER_DBM = 127
_LONGEST_WINDOW_S = 0xFFFF


def parser() -> CommandParser:
    """The command line."""
    p = CommandParser(prog="python -m host.boards", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=CommandParser)

    def command(name: str, text: str, *, board: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if board:
            sub.add_argument(
                "--board", default="", metavar="PORT|SERIAL|NAME|ROLE", help="which; needed if there are several"
            )
        return sub

    command("list", "every board: port, serial number, kind, firmware, role, connection")
    command("doctor", "what is wrong here, each with the command that mends it")
    command("info", "everything that one board says of itself", board=True)
    role = command("role", "give a board its role; another role opens its pairing window", board=True)
    role.add_argument("role", choices=list(ROLES))
    pair = command(
        "pair", "pair two boards at this computer with each other; with --board: let any board pair", board=True
    )
    pair.add_argument("--window", type=int, default=60, metavar="S", help="how long, s (60)")
    command("forget", "make a board forget everybody that it is paired with", board=True)
    command("reset", "start a board anew", board=True)
    watch = command("monitor", "a live table of statistics, until stopped", board=True)
    watch.add_argument("--interval", type=float, default=1.0, metavar="S", help="between two readings, s (1)")
    watch.add_argument("--count", type=int, default=0, metavar="N", help="readings, then stop (0: never)")
    write = command("flash", "build the firmware if it is stale, write it, hear from it")
    write.add_argument("--target", default="nrf52840dk", metavar="BOARD", help="nrf52840dk or nrf52840dongle")
    write.add_argument("--snr", default="", metavar="SERIAL", help="of several boards the one with this serial number")
    write.add_argument(
        "--role", default="", choices=["", "camera", "edge"], help="of several boards the one of this role"
    )
    write.add_argument("--usb", action="store_true", help="a kit's port is the chip's own USB socket, which is faster")
    write.add_argument("--dry-run", action="store_true", help="only print the commands")
    return p


async def boards(arguments: argparse.Namespace, machine: HostSystem) -> int:
    """Run one command; its exit status."""
    if arguments.command == "flash":
        wanted = FlashOptions(
            target(arguments.target), arguments.snr, arguments.role, own_usb=arguments.usb, dry_run=arguments.dry_run
        )
        await flash.flash(machine, wanted, _say)
        return ExitStatus.OK
    if arguments.command == "pair" and not 0 < arguments.window <= _LONGEST_WINDOW_S:
        raise CommandError(f"--window {arguments.window}: 1 to {_LONGEST_WINDOW_S} seconds", USAGE)
    if arguments.command == "doctor":
        return _doctor(machine, await survey(machine, {}))  # a broken boards.toml is for it to find
    seen = await survey(machine)
    if not seen:
        raise BoardError(NOTHING, ExitStatus.NO_BOARD)
    if arguments.command == "list":
        print("\n".join(listing.rows(seen)))
    elif arguments.command == "monitor":
        chosen = [choose(seen, arguments.board)] if arguments.board else [one for one in seen if one.role is not None]
        if not chosen:
            raise BoardError("no board answered: see `python -m host.boards list`", ExitStatus.NO_BOARD)
        await monitor(machine, chosen, interval_s=arguments.interval, count=arguments.count)
    elif arguments.command == "pair" and not arguments.board:
        await _pair_two(machine, seen, arguments.window)
    else:
        await _with_one(machine, choose(seen, arguments.board), _ACTIONS[arguments.command], arguments)
    return ExitStatus.OK


_Action = Callable[[BoardClient, Hello, argparse.Namespace], Awaitable[None]]


async def _with_one(machine: HostSystem, one: BoardInfo, action: _Action, arguments: argparse.Namespace) -> None:
    if one.hello is None and one.last_error:
        raise BoardError(f"{one.port}: {one.last_error}: see `python -m host.boards doctor`", ExitStatus.NO_BOARD)
    async with BoardClient(machine.open_port(one.port)) as client:
        hello = await client.hello()
        if hello.version != VERSION:
            raise BoardError(
                f"{one.port}: firmware {firmware_text(hello)} speaks protocol {hello.version}, this program {VERSION}: "
                "`make flash` writes this one's",
                ExitStatus.WRONG_FIRMWARE,
            )
        await client.listen(0.1)
        await action(client, hello, arguments)


async def _info(client: BoardClient, hello: Hello, _arguments: argparse.Namespace) -> None:
    print("\n".join([f"port        {client.port.name}", *await listing.info(client, hello)]))


async def _role(client: BoardClient, hello: Hello, arguments: argparse.Namespace) -> None:
    wanted = ROLES[arguments.role]
    if hello.role == wanted:
        _say(f"{client.port.name}: it is that already")
        return
    answer = await client.request(Configure(role=wanted, tx_power_dbm=_KEEP_POWER_DBM), Hello)
    window = "; it may be paired with now" if wanted is not Role.NONE else ""
    _say(f"{client.port.name}: role {Role(answer.role).name.lower()}{window}")


async def _pair(client: BoardClient, _hello: Hello, arguments: argparse.Namespace) -> None:
    await pairing.open_window(client, arguments.window, _say)


async def _forget(client: BoardClient, _hello: Hello, _arguments: argparse.Namespace) -> None:
    known = await pairing.forget(client)
    _say(f"{client.port.name}: {f'forgot {known}' if known else 'it knew nobody'}")


async def _reset(client: BoardClient, _hello: Hello, _arguments: argparse.Namespace) -> None:
    client.send(Reset())
    with contextlib.suppress(TransportError):
        await client.listen(0.2)
    hello = await client.hello_again(RESET_S)
    _say(f"{client.port.name}: started anew, firmware {firmware_text(hello)}")


_ACTIONS: dict[str, _Action] = {"info": _info, "role": _role, "pair": _pair, "forget": _forget, "reset": _reset}


async def _pair_two(machine: HostSystem, seen: Sequence[BoardInfo], window_s: int) -> None:
    """A camera and an edge board at this computer."""
    cameras = [one for one in seen if one.role is Role.CAMERA]
    edges = [one for one in seen if one.role is Role.EDGE]
    if len(cameras) != 1 or len(edges) != 1:
        counts = f"{len(cameras)} of role camera, {len(edges)} of role edge"
        status = ExitStatus.NO_BOARD if len(cameras) + len(edges) < 2 else ExitStatus.SEVERAL_BOARDS
        raise BoardError(
            f"one camera and one edge board are needed, and here are {counts}: `boards role` gives a board its role; "
            "with --board one board is opened to any other",
            status,
        )
    async with AsyncExitStack() as stack:
        clients = []
        for one in (cameras[0], edges[0]):
            client = await stack.enter_async_context(BoardClient(machine.open_port(one.port)))
            await client.hello()
            clients.append(client)
        await pairing.pair_out_of_band(clients[0], clients[1], window_s, _say)


def _doctor(machine: HostSystem, seen: Sequence[BoardInfo]) -> int:
    findings = doctor.examine(machine, seen)
    for finding in findings:
        print("\n".join(finding.lines()))
    if not findings:
        print("nothing is wrong")
    return ExitStatus.FAILED if any(finding.pressing for finding in findings) else ExitStatus.OK


def _say(text: str) -> None:
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run_command(NAME, lambda: asyncio.run(boards(parser().parse_args(), HostSystem()))))
