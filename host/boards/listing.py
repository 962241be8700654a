"""``host.boards list`` and ``info``: the attached boards and their answers."""

from __future__ import annotations

from collections.abc import Sequence

from ..cli import table
from ..cli.hints import fault_with_hint
from ..devices.client import BoardClient
from ..devices.survey import BoardInfo
from ..devices.usb import Kind
from ..wire import (
    VERSION,
    Boot,
    Capability,
    Hello,
    Link,
    LinkState,
    Pair,
    Pairing,
    Phy,
    Statistics,
    StatisticsRequest,
)

HEAD = ("port", "serial", "name", "kind", "firmware", "role", "link")


def rows(boards: Sequence[BoardInfo]) -> list[str]:
    """Return the column names and a line for each board."""
    return table.lines(HEAD, [_row(info) for info in boards])


def _row(info: BoardInfo) -> tuple[str, ...]:
    if info.hello is not None and info.hello.version != VERSION:
        link = f"speaks protocol {info.hello.version}, this program {VERSION}: `make flash`"
    else:
        link = links_text(info.links) if info.hello is not None else info.last_error
    role = info.role.name.lower() if info.role is not None else "-"
    kind, firmware = info.board.kind.value, info.firmware or "-"
    return (info.port, info.board.serial or "-", info.name or "-", kind, firmware, role, link)


def links_text(links: Sequence[Link]) -> str:
    """Return connections in words."""
    if not links:
        return "not connected"
    states = {LinkState.UP: "up", LinkState.REFUSED: "refused: other protocol version"}
    texts = []
    for link in links:
        state = states.get(LinkState(link.state), "down") if link.state in list(LinkState) else "unknown"
        texts.append(f"{state} {phy_text(link.phy)} {link.interval_us / 1000:g} ms MTU {link.mtu}")
    return ", ".join(texts)


def phy_text(phy: int) -> str:
    """Return the usual name of a PHY."""
    names = {Phy.LE_1M: "1M", Phy.LE_2M: "2M", Phy.CODED_S2: "coded S2", Phy.CODED_S8: "coded S8"}
    return names.get(Phy(phy), "unknown") if phy in list(Phy) else "unknown"


async def details(client: BoardClient, hello: Hello, kind: Kind) -> list[str]:
    """Ask a board of this kind for everything it reports about itself; return a line for each fact."""
    pairing = await client.request(Pair(), Pairing)
    statistics = await client.request(StatisticsRequest(), Statistics)
    capabilities = [bit.name.lower() for bit in Capability if hello.capabilities & bit and bit.name is not None]
    boot = Boot(hello.boot).name.lower() if hello.boot in list(Boot) else str(hello.boot)
    address = ("public", "random")[pairing.address_type & 1]
    return [
        f"name        {hello.name.decode(errors='replace')}",
        f"board       {hello.board_id:016x}",
        f"address     {address_text(pairing.address)} ({address})",
        f"firmware    {'.'.join(map(str, hello.firmware))}, protocol {hello.version}",
        f"role        {role_text(hello.role)}",
        f"started     {statistics.uptime_ms / 1000:.0f} s ago ({boot})",
        f"can         {', '.join(capabilities) or '-'}; {hello.slots} packets queued, {hello.in_flight} in the radio",
        f"pairing     {f'open for {pairing.left_s} s' if pairing.open else 'closed'}, knows {pairing.bonds}",
        f"connection  {links_text(list(client.links.values()))}",
        *(f"last reset  {note}" for note in client.notes),
        *(f"fault       {fault_with_hint(fault, kind)}" for fault in client.faults.values()),
    ]


def address_text(address: bytes) -> str:
    """Return a Bluetooth address in the usual notation. On the wire its last byte comes first."""
    return ":".join(f"{byte:02X}" for byte in reversed(address))


def role_text(role: int) -> str:
    """Return the name of a role, or its number if it has none."""
    return {0: "none", 1: "camera", 2: "edge"}.get(role, str(role))
