"""``host.boards monitor``: a table of what boards report, every second."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from ..cli import table
from ..devices.client import BoardClient
from ..devices.host_system import HostSystem
from ..devices.survey import BoardInfo
from ..wire import LinkState, Role, Statistics, StatisticsRequest
from .listing import phy_text

HEAD = (
    "board", "peer", "queue", "kbit/s", "accepted", "sent", "acked", "expired", "evicted", "flushed", "lost", "damaged",
    "link", "phy", "interval", "mtu", "rssi",
)  # fmt: skip
_UNKNOWN_RSSI = 127
_CLEAR = "\x1b[H\x1b[J"


async def monitor(machine: HostSystem, seen: Sequence[BoardInfo], *, interval_s: float, count: int) -> None:
    """Ask the boards again and again; ``count`` 0: until stopped. On a terminal the table stays in its place."""
    live = sys.stdout.isatty()
    async with AsyncExitStack() as stack:
        clients = []
        for one in seen:
            client = await stack.enter_async_context(BoardClient(machine.open_port(one.port)))
            hello = await client.hello()
            await client.listen(0.1)
            clients.append((one.name or Role(hello.role).name.lower(), client))
        shown = 0
        while True:
            rows = [row for name, client in clients for row in await _rows(name, client)]
            print((_CLEAR if live else "") + "\n".join(table.lines(HEAD, rows)), flush=True)
            shown += 1
            if shown == count:
                return
            for _, client in clients:
                await client.listen(interval_s / len(clients))


async def _rows(name: str, client: BoardClient) -> list[tuple[str, ...]]:
    """A row for every camera that a board is connected to, one for a board without."""
    return [
        row(name, peer, await client.request(StatisticsRequest(peer=peer), Statistics))
        for peer in sorted(client.links) or [0]
    ]


def row(name: str, peer: int, statistics: Statistics) -> tuple[str, ...]:
    """One line of the table."""
    s = statistics
    up = s.link == LinkState.UP
    state = LinkState(s.link).name.lower() if s.link in list(LinkState) else "?"
    return (
        name,
        str(peer),
        str(s.waiting),
        f"{s.goodput_bps / 1000:.0f}",
        *(str(number) for number in (s.accepted, s.sent, s.acked, s.expired, s.evicted, s.flushed, s.lost, s.damaged)),
        state,
        phy_text(s.phy) if up else "-",
        f"{s.interval_us / 1000:g} ms" if up else "-",
        str(s.mtu) if up else "-",
        "-" if s.rssi_dbm == _UNKNOWN_RSSI or not up else f"{s.rssi_dbm} dBm",
    )
