"""The page of an edge server: starts the process that serves it, and feeds it. The link never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ..edge.ending import Ending
from ..errors import PncError, Reason
from ..text import printable
from .address import Address
from .feed import FeedSink, settings_line

PACKAGE = __name__.partition(".")[0]
#: The packages of the extra ``web``, as they are imported.
NEEDED = ("starlette", "uvicorn", "prometheus_client")
#: What is said of a page that is not served.
WITHOUT = "pictures are answered as before"
#: How long the process may take to end.
_END_S = 3.0
_LONGEST_LINE = 1 << 16
#: Lines of a fault of the process that are passed on.
_LAST_LINES = 1


class PageError(PncError):
    """The page cannot be served."""


class Page:
    """A page at an address. Use it as an asynchronous context manager; ``sink`` is one of the recorder's.

    ``on_notice`` is called with lines for a person: where the page is, and why it is not or no longer there. That ends
    nothing else. A host that does not exist is an error at the start.
    """

    def __init__(
        self,
        address: Address,
        on_notice: Callable[[str], None],
        without: str = WITHOUT,
        ending: Ending | None = None,
    ) -> None:
        """Prepare. Raises PageError if a package is missing.

        Args:
            address: where to serve.
            on_notice: called with each line.
            without: what is said after the reason why there is no page.
            ending: the time that the program has for its end; by default it is the page's alone.
        """
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            text = f"the page needs {', '.join(missing)}, which is not installed"
            raise PageError(text, reason=Reason.MISSING_PACKAGE, subject="pnc-link[web]")
        self.sink = FeedSink()
        self.token = "" if address.is_loopback else secrets.token_urlsafe(16)
        self.url = ""  # when it is served
        self.ready = asyncio.Event()  # it is served, or will not be
        self._address = address
        self._on_notice, self._without = on_notice, without
        self._ending = ending or Ending()
        self._process: Process | None = None
        self._pipe = -1
        self._tasks: list[asyncio.Task[None]] = []
        self._is_ending = False

    async def __aenter__(self) -> Self:
        """Start the process. It gets ready by and by. Raises PageError if this computer knows no such host."""
        await self._resolve()
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        read, write = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", f"{PACKAGE}.web.process"),
                env={**os.environ, "PYTHONPATH": path},
                stdin=read,
                stdout=PIPE,
                stderr=PIPE,
                limit=_LONGEST_LINE,
            )
        except OSError as error:
            os.close(write)
            self._not_served(error.strerror or str(error))
            return self
        finally:
            os.close(read)
        self._pipe = write
        settings = {
            "host": self._address.host,
            "port": self._address.port,
            "token": self.token,
            "started": secrets.token_hex(4),
        }
        os.write(write, settings_line(settings))
        self.sink.connect(write)
        self._tasks = [asyncio.create_task(self._listen(self._process))]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._is_ending = True
        if self._process is None:
            return
        self.sink.disconnect()
        os.close(self._pipe)
        try:
            async with asyncio.timeout(self._ending.left_s(_END_S)):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _resolve(self) -> None:
        host, port = self._address.host, self._address.port
        try:
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:  # UnicodeError: a part of the name is empty or too long
            raise PageError(f"the page cannot be at {self._address}: this computer knows no such host") from error

    async def _listen(self, process: Process) -> None:
        """Pass on what the process says, until it ends."""
        assert process.stdout is not None
        assert process.stderr is not None
        faults = asyncio.create_task(_last_line(process.stderr))
        reason = ""
        async for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            reason = str(said.get("error", reason))
            if "notice" in said:
                self._on_notice(printable(str(said["notice"])))
            if "port" in said:
                self._served(int(said["port"]))
        fault = await faults
        self.sink.disconnect()
        if not self._is_ending:
            self._not_served(reason or fault or "its process has ended")

    def _served(self, port: int) -> None:
        address = Address("localhost" if self._address.is_everywhere else self._address.host, port)
        self.url = f"http://{address}/" + (f"?token={self.token}" if self.token else "")
        where = " (and at this computer's other addresses)" if self._address.is_everywhere else ""
        self._on_notice(f"page: {self.url}{where}")
        self.ready.set()

    def _not_served(self, why: str) -> None:
        self.url = ""
        self.ready.set()
        self._on_notice(f"no page: {printable(why)}; {self._without}")


async def _last_line(stream: asyncio.StreamReader) -> str:
    """Read to the end; return the last line that is not empty."""
    last = ""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return last
        last = line.decode(errors="replace").strip() or last
