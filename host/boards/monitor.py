"""``host.boards monitor``: a live table of the boards' statistics."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from ..cli import table
from ..devices.client import BoardClient
from ..devices.host_system import HostSystem
from ..devices.survey import BoardInfo
from ..printing import show
from ..wire import LinkState, Statistics, StatisticsRequest
from .listing import phy_text, role_text

HEAD = (
    "board", "peer", "queue", "kbit/s", "accepted", "sent", "acked", "expired", "evicted", "flushed", "lost", "damaged",
    "link", "phy", "interval", "mtu", "rssi",
)  # fmt: skip
_UNKNOWN_RSSI = 127


async def monitor(host_system: HostSystem, boards: Sequence[BoardInfo], *, interval_s: float, count: int) -> None:
    """Print the table ``count`` times; until stopped if it is 0. On a terminal each replaces the one before.

    Raises BoardError or TransportError: a board speaks another protocol version, refuses or no longer answers.
    """
    async with AsyncExitStack() as stack:
        clients = []
        for info in boards:
            client = await stack.enter_async_context(BoardClient(host_system.open_port(info.port)))
            hello = await client.greet_same()
            await client.listen(0.1)
            clients.append((info.name or role_text(hello.role), client))
        shown = 0
        while True:
            rows = [row for name, client in clients for row in await _rows(name, client)]
            show(*table.lines(HEAD, rows), clear=True)
            shown += 1
            if shown == count:
                return
            for _, client in clients:
                await client.listen(interval_s / len(clients))


async def _rows(name: str, client: BoardClient) -> list[tuple[str, ...]]:
    """Return a row for each camera that a board is connected to, one row if there is none."""
    return [
        row(name, peer, await client.request(StatisticsRequest(peer=peer), Statistics))
        for peer in sorted(client.links) or [0]
    ]


def row(name: str, peer: int, statistics: Statistics) -> tuple[str, ...]:
    """Return the cells of one row."""
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
