"""A camera computer's connection to its edge server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from ..codec import Codec, load, load_picture
from ..codec.bitstream import as_integer
from ..errors import PncError, Reason
from ..link.events import (
    REASONS,
    Answer,
    Event,
    Failed,
    FailureReason,
    Implausible,
    KeyMismatch,
    LinkChanged,
    Notice,
    Opened,
    Ready,
    Unanswered,
)
from ..link.sealing import CameraSeal
from ..link.sender import Sender
from ..link.session import State
from ..ranked import RankedPacket
from ..seal.key import Key
from ..text import printable
from ..transport.driver import Driver, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Configure, LinkState, Phy, Role
from .lazy_picture import LazyPicture
from .report import TransferReport, report_on

#: How long the boards may take to find each other, and the edge server to answer.
CONNECT_S = 5.0
#: In a configure packet: do not change the transmission power, dBm.
KEEP_POWER_DBM = 127
#: Pause before a lost transport is opened again: the first one, and the longest. Each is twice the one before.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
#: How often the time of waiting pictures is looked at while there is no transport.
AWAY_TICK_S = 0.02
#: Level of a board's notices that its user has to see: faults, not a full queue.
_ERROR = 1
#: Failures of a session that may pass, if the board answered before.
_MAY_PASS = frozenset({FailureReason.SILENT, FailureReason.NO_BOARD, FailureReason.UNCONFIRMED})

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A picture that was given to the link, and has its number. Times in us, by ``now_us``."""

    image: int  # its number on the wire
    taken_us: int  # when its pixels were in memory
    encoded_us: int  # when the first packets were encoded
    deadline_us: int  # when the answer is due
    packets: int  # encoded so far
    bytes: int  # codec bytes in them


class CameraError(PncError):
    """The board, its radio link or the edge server cannot be reached; ``reason`` says which."""


class Camera:
    """Sends pictures through the board on ``transport``. Use it as an asynchronous context manager.

    Several pictures may be under way at a time: ``send_picture`` may be called while earlier calls wait.

    Args:
        transport: the camera board, not opened yet. The camera opens and closes it.
        codec: encodes the pictures; by default the shipped codec, loaded with the first picture.
        phy: the PHY that the board is to use. The default does not change it.
        interval_us: the connection interval that the board is to use, in us. 0 does not change it.
        key: seals the pictures, so that only an edge server with the same key can read them, and no other answers.
            None: pictures and answers are not sealed.
        reopen: whether the camera outlives an outage: a transport that is lost, and a board that falls silent after it
            answered once. It then opens the transport again, with growing pauses; the pictures of the meantime end
            without an answer. Otherwise an outage ends every call with a CameraError.
        on_event: is called in the event loop with every event of the link. It must not block or raise.
        on_submitted: is called in the event loop with every picture that the link has taken, as ``on_event``.
        on_notice: is called in the event loop with printable lines for a person: when an outage begins and ends, and
            what was guessed, ignored or missing when a picture file was read (``load_picture``).
    """

    def __init__(
        self,
        transport: Transport,
        codec: Codec | None = None,
        *,
        phy: Phy = Phy.KEEP,
        interval_us: int = 0,
        key: Key | None = None,
        reopen: bool = False,
        on_event: Callable[[Event], None] | None = None,
        on_submitted: Callable[[Submitted], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self._codec = codec
        self._loading_codec = asyncio.Lock()
        self._reopen = reopen
        self._on_event = on_event
        self._on_submitted = on_submitted
        self._on_notice = on_notice
        configure = Configure(role=Role.CAMERA, phy=phy, interval_us=interval_us, tx_power_dbm=KEEP_POWER_DBM)
        self.sender = Sender(nonce=int.from_bytes(os.urandom(4), "little"), configure=configure, seal=_seal_of(key))
        self._driver = Driver(self.sender, transport, self._handle)
        self._driving: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._replies: dict[int, asyncio.Future[Answer | Unanswered]] = {}
        self._opened = False  # a board answered
        self._away = False
        self._pause_s = FIRST_PAUSE_S

    async def __aenter__(self) -> Self:
        """Open the transport. Raises TransportError."""
        await self._transport.open()
        self._driving = asyncio.create_task(self._run())
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
            async with asyncio.timeout(timeout_s):
                return await self._result_of(self._ready)
        except TimeoutError:
            raise self._not_connected(timeout_s) from None

    async def send_picture(
        self,
        picture: np.ndarray | str | Path,
        deadline_ms: float,
        *,
        max_bytes: int | None = None,
        taken_us: int | None = None,
    ) -> TransferReport:
        """Encode a picture, send it and wait for its answer, at most until shortly after the deadline.

        Only what the link is likely to carry is encoded beforehand, the rest as the link takes it.

        Args:
            picture: pixels as uint8 [224, 224, 3] RGB, or a picture file of any size.
            deadline_ms: time for the answer in ms. It counts from the moment the pixels are in memory: encoding is
                included, reading a file is not.
            max_bytes: most codec bytes of the picture: the less important ones are not sent. None: all.
            taken_us: when the picture was taken, by ``now_us``: its time counts from then. None: from now.

        Returns:
            What arrived, when, and the answer.

        Raises:
            PictureError: the file is not a picture.
            DeadlineInfeasibleError: the deadline is below the link's latency.
            ValueError: ``max_bytes`` is below 1.
            TypeError: ``max_bytes`` is no integer.
            CameraError: the board went away.
        """
        if max_bytes is not None and as_integer(max_bytes, "max_bytes") < 1:
            raise ValueError(f"a picture of at most {max_bytes} bytes: nothing to send")
        codec = await self._loaded_codec()
        pixels, notices = picture, list[str]()
        if not isinstance(pixels, np.ndarray):
            pixels = await asyncio.to_thread(load_picture, pixels, notices.append)
            for line in notices:
                self._notice(line)
        encoding_us = now_us()
        start_us = encoding_us if taken_us is None else min(taken_us, encoding_us)
        deadline_us = start_us + round(deadline_ms * 1000)
        likely = self.sender.likely_bytes(encoding_us, deadline_us)
        sizes = self.sender.part_bytes(), self.sender.key.packet_bytes
        picture_sent = await asyncio.to_thread(LazyPicture, codec, pixels, likely, max_bytes, *sizes)
        encoded_us = now_us()
        times_us = (start_us, encoded_us)
        reply = await self._send(picture_sent.parts, deadline_us, picture_sent.more, times_us)
        file = "" if isinstance(picture, np.ndarray) else str(picture)
        report = report_on(
            reply,
            picture_sent,
            deadline_ms,
            start_us=start_us,
            encode_us=encoded_us - encoding_us,
        )
        return report.of_file(file, notices)

    async def send(self, packets: Sequence[RankedPacket], deadline_us: int) -> Answer | Unanswered:
        """Send one encoded picture and wait for its final answer, at most until shortly after the deadline.

        Provisional answers are passed to ``on_event`` only.

        Args:
            packets: the picture, most important packet first.
            deadline_us: when the answer is due, on the clock of ``now_us``, in us.

        Raises:
            DeadlineInfeasibleError: the deadline is below the link's latency.
            ValueError: there are no packets, their ranks do not count up from 0, or there is a key and a packet has
                more than 228 codec bytes, or the first one more than 220.
            CameraError: the board went away.
        """
        taken_us = now_us()
        return await self._send(packets, deadline_us, None, (taken_us, taken_us))

    async def _send(
        self,
        packets: Sequence[RankedPacket],
        deadline_us: int,
        more: Callable[[], Sequence[RankedPacket]] | None,
        times_us: tuple[int, int],
    ) -> Answer | Unanswered:
        count, size = len(packets), sum(len(packet.data) for packet in packets)
        number = self.sender.submit(now_us(), packets, deadline_us, more)
        if self._on_submitted is not None:
            self._on_submitted(Submitted(number, *times_us, deadline_us, count, size))
        reply: asyncio.Future[Answer | Unanswered] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._driver.wake()
        try:
            return await self._result_of(reply)
        finally:
            if self._replies.get(number) is reply:  # not that of a later picture with the same number
                del self._replies[number]

    async def _loaded_codec(self) -> Codec:
        async with self._loading_codec:
            if self._codec is None:
                self._codec = await asyncio.to_thread(load)
            return self._codec

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

    async def _run(self) -> None:
        """Run the link until cancelled. Raises TransportError or CameraError when it cannot go on."""
        while True:
            try:
                await self._driver.run()
            except TransportError as error:
                if not self._reopen or not self._opened:
                    raise
                if not self._away:  # one notice, however many attempts fail until it is back
                    self._notice(f"{error}: waiting for it to come back")
                self._away = True
            await self._wait_for_transport()

    async def _wait_for_transport(self) -> None:
        """Open the transport again, and report the pictures whose time is over meanwhile."""
        self.sender.start(now_us())  # it shall give nothing more to the board that is gone
        opening = asyncio.create_task(self._open_again())
        try:
            while not opening.done():
                for event in self.sender.tick(now_us()):
                    if not isinstance(event, Failed):
                        self._handle(event)
                self.sender.output()
                await asyncio.wait({opening}, timeout=AWAY_TICK_S)
            opening.result()
        finally:
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await opening

    async def _open_again(self) -> None:
        while True:
            await self._transport.close()
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            with contextlib.suppress(TransportError):
                await self._transport.open()
                return

    def _handle(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
        match event:
            case Failed():
                text, reason = f"{self._transport.name}: {event}", REASONS[event.reason]
                may_pass = self._opened and event.reason in _MAY_PASS
                raise TransportError(text, reason=reason) if may_pass else CameraError(text, reason=reason)
            case Opened():
                if self._away:
                    self._notice(f"{self._transport.name}: the board is back")
                self._opened, self._away, self._pause_s = True, False, FIRST_PAUSE_S
            case LinkChanged(state=LinkState.REFUSED):
                raise CameraError(
                    f"{self._transport.name}: the edge board speaks another protocol version",
                    reason=Reason.WRONG_FIRMWARE,
                )
            case KeyMismatch():
                text = f"{self._transport.name}: {event}"
                if not self._ready.done():
                    raise CameraError(text, reason=Reason.WRONG_KEY)
                self._notice(text)
            case Notice() if event.level <= _ERROR:
                self._notice(f"board: {event.text}")
            case Implausible():
                self._notice(f"{self._transport.name}: {event}")
            case Ready() if not self._ready.done():
                self._ready.set_result(event)
            case Answer(final=True) | Unanswered():
                # The sender may give the number to another picture from now on.
                reply = self._replies.pop(event.image, None)
                if reply is not None and not reply.done():
                    reply.set_result(event)

    def _notice(self, text: str) -> None:
        if self._on_notice is not None:
            self._on_notice(printable(text))

    def _not_connected(self, waited_s: float) -> CameraError:
        if self.sender.session.state is not State.OPEN:
            text, reason = "the board did not become ready", Reason.NOT_READY
        elif self.sender.link is not LinkState.UP:
            text, reason = f"no edge board in reach after {waited_s:.0f} s", Reason.NO_EDGE_BOARD
        else:
            text, reason = f"no edge server answered in {waited_s:.0f} s", Reason.NO_EDGE_SERVER
        return CameraError(f"{self._transport.name}: {text}", reason=reason)


def _seal_of(key: Key | None) -> CameraSeal | None:
    """Return what seals pictures with a key. Raises PncError if the package for that is not installed."""
    if key is None:
        return None
    from ..seal.camera_seal import KeyedCamera  # only here: most cameras have no key, and need no cryptography

    return KeyedCamera(key)
