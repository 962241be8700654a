"""Browsers that follow the page, as a program of its own: events, and the newest picture of each camera."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from urllib.parse import urlsplit

from ..printing import show
from ..text import json_line

#: On other computers they would take nothing from this one.
_NICE = 19
#: How long the pictures may take that are loading at the end, s.
_LAST_S = 30.0


class Viewers:
    """So many browsers; counts what they get."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self.loading: list[dict[int, asyncio.Task[None]]] = []
        self.messages = 0
        self.pictures = 0
        self.refused = 0

    async def view(self) -> None:
        """Follow the events; while a camera's picture is loading, ask for no other one of it."""
        reader, _ = await self._ask("/events")
        loading: dict[int, asyncio.Task[None]] = {}
        self.loading.append(loading)
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            self.messages += 1
            for camera in json.loads(line[6:])["cameras"]:
                picture, number = camera["picture"], camera["camera"]
                if picture and picture["revision"] and (number not in loading or loading[number].done()):
                    path = f"/cam/{number}/{picture['id']}/rev/{picture['revision']}.webp"
                    loading[number] = asyncio.create_task(self._load(path))

    async def _load(self, path: str) -> None:
        with contextlib.suppress(OSError):
            reader, writer = await self._ask(path)
            is_ok = b" 200 " in await reader.readline()
            await reader.read()
            writer.close()
            self.pictures += is_ok
            self.refused += not is_ok

    async def _ask(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        head = f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        return reader, writer


async def follow(url: str, count: int, seconds: float) -> Viewers:
    """Follow a page with so many browsers for so long."""
    viewers = Viewers(url)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(viewers.view())
    open_loads = {task for loading in viewers.loading for task in loading.values()}
    if open_loads:
        await asyncio.wait(open_loads, timeout=_LAST_S)
    return viewers


def main() -> int:
    """Run ``viewers URL COUNT SECONDS``; print what they got."""
    url, count, seconds = sys.argv[1:]
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICE)
    viewers = asyncio.run(follow(url, int(count), float(seconds)))
    show(json_line({"messages": viewers.messages, "pictures": viewers.pictures, "refused": viewers.refused}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
