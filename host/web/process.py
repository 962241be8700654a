"""The process of the page. ``page.py`` starts it, and tells it on standard input what the server does.

It says on standard output, in lines of JSON, where the page is or why there is none. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from ..printing import OutputError, show
from ..text import json_line
from .address import Address
from .app import Pages
from .feed import from_line
from .metrics import Metrics
from .prefixes import Prefixes
from .state import State
from .stream import Stream

#: Connections at a time; a browser has up to six. Of more, each gets one line and is closed.
MOST_CONNECTIONS = 128
_LONGEST_LINE = 1 << 20
_KEEP_ALIVE_S = 15
#: How far this process steps back behind that of the link.
NICE = 10
_SECOND_S = 1.0


class _Server(uvicorn.Server):
    """A server that leaves the signals to this program."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve() -> int:
    """Serve until the input ends; return the exit status."""
    feed = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(feed), sys.stdin)
    settings = json.loads(await feed.readline())
    address = Address(settings["host"], settings["port"])
    try:
        listener = _listen(address)
    except OSError as error:
        say(error=f"{address}: {_cause(error)}")
        return 1
    metrics, prefixes = Metrics(), Prefixes()
    state = State(metrics)
    stream = Stream(state, settings["started"])
    app = Pages(state, metrics, prefixes, stream).app(settings["token"], lambda text: say(notice=text))
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    say(port=listener.getsockname()[1])
    tasks = {serving, asyncio.create_task(_follow(feed, state, stream)), asyncio.create_task(_count(state, stream))}
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in others - {serving}:
        task.cancel()
    prefixes.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await serving
    for task in done:
        task.result()
    return 0


async def _follow(feed: asyncio.StreamReader, state: State, stream: Stream) -> None:
    """Take entries until the input ends."""
    while True:
        try:
            line = await feed.readline()
        except ValueError:  # too long: not written by this release
            continue
        if not line:
            return
        with contextlib.suppress(ValueError, TypeError, KeyError):
            state.take(from_line(line))
        stream.changed()


async def _count(state: State, stream: Stream) -> None:
    """Let the seconds of the figures pass."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        due_s = max(due_s + _SECOND_S, loop.time())
        await asyncio.sleep(due_s - loop.time())
        state.second()
        stream.changed()


def _listen(address: Address) -> socket.socket:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = found[0]
    return socket.create_server(where[:2], family=family, backlog=128)


def _cause(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "this computer knows no such host"
    if isinstance(error, PermissionError):
        return "the port may not be used (those below 1024 are the system's)"
    text = error.strerror or str(error)
    return f"the port is in use ({text})" if "in use" in text else text


def say(**fields: Any) -> None:
    """Tell the program that has started this one."""
    show(json_line(fields))


def main() -> int:
    """Run until the input ends; Ctrl-C is for the other process, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICE)
    with contextlib.suppress(OutputError):
        return asyncio.run(serve())
    return 1


if __name__ == "__main__":
    sys.exit(main())
