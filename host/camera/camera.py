"""A camera computer's connection to its edge server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from ..errors import PncError, Reason
from ..link.events import REASONS, Answer, Event, Failed, LinkChanged, Ready, Unanswered
from ..link.sender import Sender
from ..link.session import State
from ..ranked import RankedPacket
from ..transport.driver import Driver, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Configure, LinkState, Phy, Role

#: How long the boards may take to find each other, and the edge server to answer.
CONNECT_S = 5.0


_T = TypeVar("_T")


class CameraError(PncError):
    """The board, the link or the edge server is not there; the text is one line for a person."""


class Camera:
    """Sends pictures through the board on ``port``. Use as an asynchronous context manager.

    ``phy`` and ``interval_us`` are asked of the board; the defaults leave them as they are.
    """

    def __init__(self, port: Transport, *, phy: Phy = Phy.KEEP, interval_us: int = 0) -> None:
        self._port = port
        configure = Configure(role=Role.CAMERA, phy=phy, interval_us=interval_us, tx_power_dbm=127)
        self.sender = Sender(nonce=int.from_bytes(os.urandom(4), "little"), configure=configure)
        self._runner = Driver(self.sender, port, self._on_event)
        self._running: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[Answer | Unanswered]] = {}

    async def __aenter__(self) -> Self:
        await self._port.open()
        self._running = asyncio.create_task(self._runner.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._running
        await self._port.close()

    async def connect(self, timeout_s: float = CONNECT_S) -> Ready:
        """Wait until the edge server answers across the link; CameraError says which part is not there."""
        try:
            return await asyncio.wait_for(self._outcome(self._ready), timeout_s)
        except TimeoutError:
            raise self._what_is_missing(timeout_s) from None

    async def send(self, packets: Sequence[RankedPacket], deadline_us: int) -> Answer | Unanswered:
        """Send one picture and wait for its answer, not longer than the deadline and the grace after it.

        ``deadline_us`` is on the clock of ``transport.driver.now_us``. Raises CameraError when the board goes away,
        DeadlineInfeasibleError and ValueError as ``Sender.submit``.
        """
        number = self.sender.submit(now_us(), packets, deadline_us)
        answer: asyncio.Future[Answer | Unanswered] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._runner.wake()
        try:
            return await self._outcome(answer)
        finally:
            self._waiting.pop(number, None)

    async def _outcome(self, wanted: asyncio.Future[_T]) -> _T:
        """What a future brings, or the error that ended the session first."""
        assert self._running is not None
        both: set[asyncio.Future[Any]] = {wanted, self._running}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            try:
                self._running.result()
            except TransportError as error:
                raise CameraError.of(error) from error
        return await wanted

    def _on_event(self, event: Event) -> None:
        match event:
            case Failed():
                raise CameraError(f"{self._port.name}: {event}", reason=REASONS[event.reason])
            case LinkChanged(state=LinkState.REFUSED):
                raise CameraError(
                    f"{self._port.name}: the edge board speaks another protocol version", reason=Reason.WRONG_FIRMWARE
                )
            case Ready() if not self._ready.done():
                self._ready.set_result(event)
            case Answer() | Unanswered() if event.image in self._waiting:
                future = self._waiting[event.image]
                if not future.done():
                    future.set_result(event)

    def _what_is_missing(self, waited_s: float) -> CameraError:
        if self.sender.session.state is not State.OPEN:
            text, reason = "the board did not get ready", Reason.NOT_READY
        elif self.sender.link is not LinkState.UP:
            text, reason = f"no edge board in reach after {waited_s:.0f} s", Reason.NO_EDGE_BOARD
        else:
            text, reason = f"no edge server answered in {waited_s:.0f} s", Reason.NO_EDGE_SERVER
        return CameraError(f"{self._port.name}: {text}", reason=reason)
