"""A camera computer's connection to its edge server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from ..codec import Codec, load, load_picture
from ..errors import PncError, Reason
from ..link.events import REASONS, Answer, Event, Failed, LinkChanged, Ready, Unanswered
from ..link.sender import Sender
from ..link.session import State
from ..ranked import RankedPacket
from ..transport.driver import Driver, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Configure, LinkState, Phy, Role
from .report import TransferReport, report_on

#: How long the boards may take to find each other, and the edge server to answer.
CONNECT_S = 5.0
#: In a configure packet: do not change the transmission power, dBm.
KEEP_POWER_DBM = 127

_T = TypeVar("_T")


class CameraError(PncError):
    """The board, its radio link or the edge server cannot be reached; ``reason`` says which."""


class Camera:
    """Sends pictures through the board on ``transport``. Use it as an asynchronous context manager.

    Args:
        transport: the camera board, not opened yet. The camera opens and closes it.
        codec: encodes the pictures; by default the shipped codec, loaded with the first picture.
        phy: the PHY that the board is to use. The default does not change it.
        interval_us: the connection interval that the board is to use, in us. 0 does not change it.
        on_event: is called in the event loop with every event of the link. It must not block or raise.
    """

    def __init__(
        self,
        transport: Transport,
        codec: Codec | None = None,
        *,
        phy: Phy = Phy.KEEP,
        interval_us: int = 0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._transport = transport
        self._codec = codec
        self._on_event = on_event
        configure = Configure(role=Role.CAMERA, phy=phy, interval_us=interval_us, tx_power_dbm=KEEP_POWER_DBM)
        self.sender = Sender(nonce=int.from_bytes(os.urandom(4), "little"), configure=configure)
        self._driver = Driver(self.sender, transport, self._handle)
        self._driving: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._replies: dict[int, asyncio.Future[Answer | Unanswered]] = {}

    async def __aenter__(self) -> Self:
        """Open the transport. Raises TransportError."""
        await self._transport.open()
        self._driving = asyncio.create_task(self._driver.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._driving is not None:
            self._driving.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._driving
        await self._transport.close()

    async def connect(self, timeout_s: float = CONNECT_S) -> Ready:
        """Wait until the edge server answers across the link. Raises CameraError, which names what is missing."""
        try:
            return await asyncio.wait_for(self._result_of(self._ready), timeout_s)
        except TimeoutError:
            raise self._not_connected(timeout_s) from None

    async def send_picture(self, picture: np.ndarray | str | Path, deadline_ms: float) -> TransferReport:
        """Encode a picture, send it and wait for its answer, at most until shortly after the deadline.

        Args:
            picture: pixels as uint8 [224, 224, 3] RGB, or a picture file of any size.
            deadline_ms: time for the answer in ms. It counts from the moment the pixels are in memory: encoding is
                included, reading a file is not.

        Returns:
            What arrived, when, and the answer.

        Raises:
            PictureError: the file is not a picture.
            DeadlineInfeasibleError: the deadline is below the link's latency.
            CameraError: the board went away.
        """
        if self._codec is None:
            self._codec = await asyncio.to_thread(load)
        codec = self._codec
        pixels = picture if isinstance(picture, np.ndarray) else await asyncio.to_thread(load_picture, picture)
        start_us = now_us()
        packets = await asyncio.to_thread(codec.encode, pixels)
        encoded_us = now_us()
        reply = await self.send(packets, start_us + round(deadline_ms * 1000))
        file = "" if isinstance(picture, np.ndarray) else str(picture)
        return report_on(reply, packets, codec, file, deadline_ms, start_us=start_us, encoded_us=encoded_us)

    async def send(self, packets: Sequence[RankedPacket], deadline_us: int) -> Answer | Unanswered:
        """Send one encoded picture and wait for its answer, at most until shortly after the deadline.

        Args:
            packets: the picture, most important packet first.
            deadline_us: when the answer is due, on the clock of ``now_us``, in us.

        Raises:
            DeadlineInfeasibleError: the deadline is below the link's latency.
            ValueError: there are no packets, or their ranks do not count up from 0.
            CameraError: the board went away.
        """
        number = self.sender.submit(now_us(), packets, deadline_us)
        reply: asyncio.Future[Answer | Unanswered] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._driver.wake()
        try:
            return await self._result_of(reply)
        finally:
            self._replies.pop(number, None)

    async def _result_of(self, future: asyncio.Future[_T]) -> _T:
        """Wait for a future. Raises the error that ended the session, if that comes first."""
        assert self._driving is not None, "the camera is used outside its context"
        both: set[asyncio.Future[Any]] = {future, self._driving}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            try:
                self._driving.result()
            except TransportError as error:
                raise CameraError.of(error) from error
        return await future

    def _handle(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
        match event:
            case Failed():
                raise CameraError(f"{self._transport.name}: {event}", reason=REASONS[event.reason])
            case LinkChanged(state=LinkState.REFUSED):
                raise CameraError(
                    f"{self._transport.name}: the edge board speaks another protocol version",
                    reason=Reason.WRONG_FIRMWARE,
                )
            case Ready() if not self._ready.done():
                self._ready.set_result(event)
            case Answer() | Unanswered() if event.image in self._replies:
                reply = self._replies[event.image]
                if not reply.done():
                    reply.set_result(event)

    def _not_connected(self, waited_s: float) -> CameraError:
        if self.sender.session.state is not State.OPEN:
            text, reason = "the board did not become ready", Reason.NOT_READY
        elif self.sender.link is not LinkState.UP:
            text, reason = f"no edge board in reach after {waited_s:.0f} s", Reason.NO_EDGE_BOARD
        else:
            text, reason = f"no edge server answered in {waited_s:.0f} s", Reason.NO_EDGE_SERVER
        return CameraError(f"{self._transport.name}: {text}", reason=reason)
