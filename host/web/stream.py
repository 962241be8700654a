"""The state as server-sent events: each browser gets what has changed since it got something last."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from .state import State

#: Browsers that follow the page at a time.
MOST_VIEWERS = 32
#: Time between two messages to a browser, at least and at most, s.
_LEAST_S, _MOST_S = 0.15, 1.0
#: A browser that takes nothing for so long is disconnected, s.
PATIENCE_S = 20.0
#: After so long without news from the page's server, a browser says so; docs and page.js know it, too, ms.
_RETRY_MS = 1000


class Stream:
    """Sends the state to any number of browsers. What it sends is written once, however many there are."""

    def __init__(self, state: State, started: str) -> None:
        """Prepare; ``started`` identifies this run, so that a browser forgets the pictures of the one before."""
        self.viewers = 0
        self._state = state
        self._started = started
        self._changed = asyncio.Event()
        self._cameras: dict[int, tuple[int, str]] = {}  # version and text of each

    def changed(self) -> None:
        """Take note that the state has changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser until it goes."""
        if self.viewers >= MOST_VIEWERS:
            text = f"{MOST_VIEWERS} browsers already follow this page\n"
            await PlainTextResponse(text, 503, {"retry-after": "10"})(scope, receive, send)
            return
        self.viewers += 1
        gone = asyncio.create_task(_gone(receive))
        try:
            await self._serve(send, gone)
        finally:
            self.viewers -= 1
            gone.cancel()

    async def _serve(self, send: Send, gone: asyncio.Task[None]) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        seen, is_first = -1, True
        with contextlib.suppress(TimeoutError):
            while not gone.done():
                seen, text = self._message(seen)
                retry = f"retry: {_RETRY_MS}\n" if is_first else ""
                is_first = False
                body = f"{retry}event: state\ndata: {text}\n\n".encode()
                async with asyncio.timeout(PATIENCE_S):
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                await asyncio.sleep(_LEAST_S)
                if self._state.version == seen:
                    await self._wait(gone)

    async def _wait(self, gone: asyncio.Task[None]) -> None:
        """Wait for a change, at most until the next message is due anyway."""
        changed = asyncio.create_task(self._changed.wait())
        await asyncio.wait({changed, gone}, timeout=_MOST_S, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()

    def _message(self, seen: int) -> tuple[int, str]:
        """Return the state's version, and what is newer than ``seen`` as JSON."""
        state = self._state
        texts = [self._camera(source) for source, camera in sorted(state.cameras.items()) if camera.version > seen]
        head: dict[str, Any] = {
            "started": self._started,
            "port": state.port,
            "trouble": state.trouble,
            "viewers": self.viewers,
            "time": time.time(),
            "all": sorted(state.cameras),
        }
        return state.version, f'{json.dumps(head)[:-1]}, "cameras": [{", ".join(texts)}]}}'

    def _camera(self, source: int) -> str:
        camera = self._state.cameras[source]
        version, text = self._cameras.get(source, (-1, ""))
        if version != camera.version:
            text = json.dumps(camera.as_json(), separators=(",", ":"))
            self._cameras[source] = camera.version, text
        return text


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
