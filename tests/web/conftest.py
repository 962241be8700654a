"""A page in its own process, fed by the test."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from host.codec import load, load_picture
from host.log.entry import Entry
from host.transport.driver import now_us
from host.web.address import parse_address
from host.web.page import Page
from tests import pace
from tests.commands.conftest import SAMPLE

#: Starting the process takes a second or two.
LIMIT_S = 60


@dataclass
class Served:
    """A page, and what it said."""

    page: Page
    notices: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        port = urlsplit(self.page.url).port
        assert port is not None
        return port

    def feed(self, *entries: Entry) -> None:
        """Give it entries, as the recorder does."""
        self.page.sink.take(entries, "aa")

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer."""

        def ask() -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=pace.seconds(20))
            try:
                connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
                answer = connection.getresponse()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            finally:
                connection.close()

        return await asyncio.to_thread(ask)


@asynccontextmanager
async def served(address: str = "127.0.0.1:0") -> AsyncIterator[Served]:
    """Serve a page until the context ends."""
    notices: list[str] = []
    async with Page(parse_address(address), notices.append) as page:
        async with asyncio.timeout(pace.seconds(LIMIT_S)):
            await page.ready.wait()
        yield Served(page, notices)


def picture_entries(image: int = 5) -> list[Entry]:
    """Return what the log says of the sample, answered."""
    packets = load().encode(load_picture(SAMPLE))
    start_us = now_us()
    entries = [
        Entry(start_us, "edge", "port opened", {"port": "test"}),
        Entry(start_us, "edge", "opened", {}),
        Entry(start_us, "edge", "link", {"source": 0, "state": "up", "phy": "le_2m", "interval_us": 7_500}),
    ]
    own = {"source": 0, "image": image, "program": 1}
    for packet in packets:
        fields = {"rank": packet.rank, "position": packet.position, "bytes": len(packet.data), "remaining_ms": 300}
        last = {"last": packet is packets[-1]}
        entries.append(
            Entry(start_us + packet.rank * 1000, "edge", "arrived", own | fields | last, payload=packet.data)
        )
    top = [[967, "espresso", 0.6], [968, "<b>cup</b>", 0.1]]
    done = {"final": True, "status": "ok", "packets": len(packets), "top": top}
    return [*entries, Entry(start_us + 90_000, "edge", "result", own | done)]
