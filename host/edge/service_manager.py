"""What systemd learns of the edge server: that it serves, that it makes progress, that it stops (sd_notify(3))."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

#: Progress is looked at so many times in the time after which the manager gives the service up.
_LOOKS = 4


class ServiceManager:
    """Notifies the service manager that started this process; without one every method does nothing.

    ``watchdog_s`` is the time after which the manager starts the service again if it is not fed; None: never.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._serves = False
        self.watchdog_s: float | None = None
        if self._address and environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            usec = environment.get("WATCHDOG_USEC", "")
            self.watchdog_s = int(usec) / 1e6 if usec.isascii() and usec.isdigit() and int(usec) else None

    def ready(self, status: str) -> None:
        """Report that the service serves; ``status`` is a line for a person."""
        self._serves = True
        self._notify(f"READY=1\nSTATUS={status}")

    @asynccontextmanager
    async def watching(self, progress_us: Callable[[], int]) -> AsyncIterator[None]:
        """Feed the watchdog as long as the context lasts, and report its end.

        ``progress_us`` returns when the service last made progress, on the clock of ``time.monotonic``. The watchdog is
        fed when that is later than at the last look: a service that hangs is given up, even if its event loop runs.
        Until ``ready`` it is not fed: the manager counts its time only from then on.
        """
        feeding = asyncio.create_task(self._feed(progress_us))
        try:
            yield
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await feeding
            self._notify("STOPPING=1")

    async def _feed(self, progress_us: Callable[[], int]) -> None:
        fed_us = time.monotonic_ns() // 1000
        while self.watchdog_s is not None:
            await asyncio.sleep(self.watchdog_s / _LOOKS)
            if self._serves and progress_us() > fed_us:
                fed_us = progress_us()
                self._notify("WATCHDOG=1")

    def _notify(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(text.encode(errors="replace"), address)
