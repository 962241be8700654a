"""Serial ports: pyserial under asyncio, with one reading thread for each port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sys
import threading
from typing import Any

import serial

from ..errors import Reason
from .transport import TransportError

#: Highest speed of a development kit's debugger port; USB ports ignore it.
DEFAULT_BAUD = 1_000_000
_POLL_S = 0.2


class SerialTransport:
    """A board's serial port; ``name`` is the system's name for it (``/dev/ttyACM0``, ``COM3``).

    Reading blocks in a thread. The same code therefore runs on Linux, macOS and Windows, and notices an unplugged port
    at once. After a TransportError from ``read`` the port may be opened again.
    """

    def __init__(self, name: str, baud: int = DEFAULT_BAUD) -> None:
        self.name = name
        self._baud = baud
        self._serial: Any = None  # serial.Serial, or None when closed
        self._received: asyncio.Queue[bytes | TransportError] = asyncio.Queue()
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._reader: threading.Thread | None = None
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the port for this program alone; TransportError names the port and the cause."""
        await self.close()
        try:
            port = await asyncio.to_thread(self._open_blocking)
        except (serial.SerialException, OSError, ValueError) as error:
            cause, reason = _cause(error)
            raise TransportError(f"{self.name}: {cause}", reason=reason) from error
        self._serial = port
        self._received = asyncio.Queue()
        self._outgoing = asyncio.Queue()
        arguments = (port, asyncio.get_running_loop(), self._received)
        self._reader = threading.Thread(
            target=self._read_forever, args=arguments, name=f"read {self.name}", daemon=True
        )
        self._reader.start()
        self._writer = asyncio.create_task(self._write_forever(port))

    def write(self, data: bytes) -> None:
        """Send bytes without blocking."""
        if self._serial is not None and data:
            self._outgoing.put_nowait(data)

    async def read(self) -> bytes:
        """Wait for bytes; TransportError when the port is lost."""
        item = await self._received.get()
        if isinstance(item, TransportError):
            await self.close()
            raise item
        return item

    async def close(self) -> None:
        """Close the port and end its thread."""
        port, self._serial = self._serial, None
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        if port is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                port.cancel_read()
            if reader is not None:
                await asyncio.to_thread(reader.join)
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()

    def _open_blocking(self) -> serial.Serial:
        exclusive = True if sys.platform != "win32" else None
        return serial.Serial(
            self.name, self._baud, timeout=_POLL_S, write_timeout=1.0, rtscts=False, exclusive=exclusive
        )

    def _read_forever(
        self, port: Any, loop: asyncio.AbstractEventLoop, received: asyncio.Queue[bytes | TransportError]
    ) -> None:
        while self._serial is port:
            try:
                item: bytes | TransportError = port.read(max(1, port.in_waiting))
            except (serial.SerialException, OSError) as error:
                item = self._lost("the port went away", error)
            if item:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(received.put_nowait, item)
            if isinstance(item, TransportError):
                return

    async def _write_forever(self, port: serial.Serial) -> None:
        while True:
            data = await self._outgoing.get()
            while not self._outgoing.empty():
                data += self._outgoing.get_nowait()
            try:
                await asyncio.to_thread(port.write, data)
            except (serial.SerialException, OSError) as error:
                self._received.put_nowait(self._lost("cannot write", error))
                return

    def _lost(self, what: str, error: Exception) -> TransportError:
        return TransportError(f"{self.name}: {what} ({_cause(error)[0]})", reason=Reason.PORT_LOST)


def _cause(error: Exception) -> tuple[str, Reason]:
    """Return the cause of an error in words and as a reason."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "No such file" in text or "FileNotFoundError" in text:
        return "no such port", Reason.PORT_MISSING
    if number == errno.EACCES or "Permission denied" in text:
        return "no permission", Reason.PORT_DENIED
    if number == errno.EBUSY or "exclusively lock" in text or "Resource busy" in text or "PermissionError" in text:
        return "in use by another program", Reason.PORT_BUSY
    if number in (errno.EIO, errno.ENXIO, errno.ENODEV) or "disconnected" in text or "Device not configured" in text:
        return "unplugged?", Reason.PORT_LOST
    if number == errno.ENOTTY or "Inappropriate ioctl" in text or "not a tty" in text.lower():
        return "not a serial port", Reason.OTHER
    return text.splitlines()[0] if text else type(error).__name__, Reason.OTHER
