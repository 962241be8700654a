"""Pairing boards: with each other, out of band, when both are attached; else by a window on one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..devices.client import BoardClient
from ..devices.errors import BoardError
from ..wire import Pair, PairAction, Pairing, PairMethod
from .listing import address_text


async def open_window(client: BoardClient, window_s: int, say: Callable[[str], None]) -> None:
    """Let any board pair with this one, and wait until one has; BoardError when the window closes without."""
    opened = await client.request(Pair(action=PairAction.OPEN, window_s=window_s), Pairing)
    say(f"{client.port.name}: pairing is open for {opened.left_s} s; whoever pairs now is trusted from then on")
    await _wait(client, opened)
    say(f"{client.port.name}: paired")


def secret_of(shown: Pairing, window_s: int) -> Pair:
    """What lets another board pair with the one that shows its secret, and with nobody else."""
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
    """Let two boards pair with each other and nobody else: the second is given the first one's secret."""
    show = Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND, window_s=window_s)
    shown = await showing.request(show, Pairing)
    opened = await given.request(secret_of(shown, window_s), Pairing)
    say(f"{given.port.name} may pair with {address_text(shown.address)} ({showing.port.name}) and nobody else")
    try:
        await asyncio.gather(_wait(showing, shown), _wait(given, opened))
    finally:
        for client in (showing, given):
            client.send(Pair(action=PairAction.CLOSE))
    say("paired")


async def forget(client: BoardClient) -> int:
    """Make a board forget everybody it is paired with; returns how many it knew."""
    before = await client.request(Pair(), Pairing)
    after = await client.request(Pair(action=PairAction.FORGET), Pairing)
    if after.bonds:
        raise BoardError(f"{client.port.name}: it still knows {after.bonds}: try again")
    return before.bonds


async def _wait(client: BoardClient, opened: Pairing) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + opened.left_s + 1
    while True:
        now = await client.wait_for(Pairing, max(0.0, end_s - loop.time()))
        if now is not None and now.paired != opened.paired:
            return
        if now is not None and now.failed != opened.failed:
            raise BoardError(f"{client.port.name}: an attempt to pair failed: try again")
        if now is None or not now.open:
            raise BoardError(
                f"{client.port.name}: nobody paired: is the other board powered, near and of the other role?"
            )
