"""Pair boards: two attached boards with each other, out of band; one board with any other by a pairing window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..cli.command import CommandError
from ..cli.hints import fault_with_hint
from ..devices.client import BoardClient
from ..wire import ErrorCode, Pair, PairAction, Pairing, PairMethod
from .listing import address_text


async def open_window(client: BoardClient, window_s: int, say: Callable[[str], None]) -> None:
    """Let any board pair with this one, and wait for it. Raises CommandError if none has when the window closes."""
    opened = await client.request(Pair(action=PairAction.OPEN, window_s=window_s), Pairing)
    say(f"{client.name}: pairing is open for {opened.left_s} s; a board that pairs now is trusted from then on")
    await _wait(client, opened)
    say(f"{client.name}: paired")


def secret_of(shown: Pairing, window_s: int) -> Pair:
    """Return the packet that lets another board pair with the board of this secret only."""
    return Pair(
        action=PairAction.OPEN,
        method=PairMethod.OUT_OF_BAND,
        window_s=window_s,
        address_type=shown.address_type,
        address=shown.address,
        random=shown.random,
        confirm=shown.confirm,
    )


async def pair_out_of_band(showing: BoardClient, given: BoardClient, window_s: int, say: Callable[[str], None]) -> None:
    """Pair two boards with each other only: the second receives the secret of the first."""
    show = Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND, window_s=window_s)
    shown = await showing.request(show, Pairing)
    opened = await given.request(secret_of(shown, window_s), Pairing)
    say(f"{given.name} may pair with {address_text(shown.address)} ({showing.name}) only")
    try:
        await asyncio.gather(_wait(showing, shown), _wait(given, opened))
    finally:
        for client in (showing, given):
            client.send(Pair(action=PairAction.CLOSE))
    say("paired")


async def forget(client: BoardClient) -> int:
    """Remove all bonds of a board; return how many it had."""
    before = await client.request(Pair(), Pairing)
    after = await client.request(Pair(action=PairAction.FORGET), Pairing)
    if after.bonds:
        raise CommandError(f"{client.name}: it still has {after.bonds} bonds: try again")
    return before.bonds


async def _wait(client: BoardClient, opened: Pairing) -> None:
    client.faults.pop(ErrorCode.BONDS_FULL, None)
    loop = asyncio.get_running_loop()
    end_s = loop.time() + opened.left_s + 1
    while True:
        now = await client.wait_for(Pairing, max(0.0, end_s - loop.time()))
        if now is not None and now.paired != opened.paired:
            return
        full = client.faults.get(ErrorCode.BONDS_FULL)
        if now is not None and now.failed != opened.failed and full is not None:
            raise CommandError(f"{client.name}: {fault_with_hint(full)}")
        if now is not None and now.failed != opened.failed:
            raise CommandError(f"{client.name}: an attempt to pair failed: try again")
        if now is None or not now.open:
            raise CommandError(
                f"{client.name}: no board paired: is the other board powered, near and of the other role?"
            )
