"""The edge server: decodes, classifies and answers what arrived of a picture by its deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from ..codec import Codec
from ..codec.onnx_session import usable_cpus
from ..link.events import (
    REASONS,
    Event,
    Failed,
    FailureReason,
    ImageCollected,
    Implausible,
    KeyMismatch,
    LinkChanged,
    Notice,
    Opened,
)
from ..link.receiver import Receiver
from ..link.sealing import ServerSeal
from ..link.session import State
from ..seal.key import Key
from ..text import printable
from ..transport.driver import Driver, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Configure, LinkState, Picture, Result, Role, StatisticsRequest
from .answered import AnsweredPicture
from .answering import Answered, Answering
from .archive import Archive
from .errors import ServerError
from .heard_seal import HeardSeal
from .recogniser import PictureClassifier, Recogniser
from .sureness import Sureness
from .workers import Job, WorkerPool

REOPEN_EVERY_S = 1.0
#: How long a server that is stopped may take to hand over its last answers to the board and to record the pictures.
FINISH_S = 1.0
_FINISH_POLL_S = 0.01
#: How long it then waits for pictures that are still being saved, while its workers end, which takes 2 s at most.
CLOSE_RECORDER_S = 1.0
#: Pictures that wait to be saved; of more some are not.
MOST_UNSAVED = 64
#: Answered pictures that wait for the program's ``async for``; of more the oldest are dropped.
MAX_WAITING = 16
#: In a configure packet: do not change the transmission power, dBm.
KEEP_POWER_DBM = 127
#: The least severe level of a board's messages that is passed on.
_WARNING = 2


class EdgeServer:
    """Serves the cameras behind one transport.

    Use it in one of two ways. ``await server.run()`` serves until it is cancelled and gives every answered picture to
    ``on_picture``. As an asynchronous context manager it serves as long as the context lasts, and is an asynchronous
    iterator of the answered pictures.

    Args:
        transport: the edge board, not opened yet. The server opens and closes it.
        codec: the codec of the cameras.
        classifier: names what is in the decoded pictures: ``load_classifier``, or any object with the method ``top``.
        archive: saves the answered pictures. The caller closes it.
        on_picture: is called in the event loop with every answered picture. What it raises ends the server.
        on_notice: is called in the event loop with printable lines for a person.
        on_ready: is called in the event loop whenever the board is ready: at the start and after an interruption.
        on_event: is called in the event loop with every event of the link.
        reopen: whether the server waits for a transport that is lost. Otherwise it ends.
        configure: the configuration of the board. By default it only gets the role edge.
        workers: number of pictures that are decoded at a time. By default as many as this process may use CPUs.
        sure: how sure, above 0 and at most 1, an answer must be to be final before everything has arrived. The camera
            then stops sending the rest. None: every picture is completed.
        sureness: says how sure an answer is. None: as the probability of its first class.
        keys: open the pictures of the cameras, each of which has one of them, and seal the answers. Pictures of other
            cameras are not taken. Empty: no picture is sealed.
        on_opened: with keys, is called in the event loop with every packet that was opened, and with every answer
            before it is sealed.
    """

    def __init__(
        self,
        transport: Transport,
        codec: Codec,
        classifier: PictureClassifier,
        *,
        archive: Archive | None = None,
        on_picture: Callable[[AnsweredPicture], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        on_ready: Callable[[], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        reopen: bool = True,
        configure: Configure | None = None,
        workers: int | None = None,
        sure: float | None = None,
        sureness: Sureness | None = None,
        keys: Sequence[Key] = (),
        on_opened: Callable[[Picture | Result], None] | None = None,
    ) -> None:
        """Load the networks. Raises CodecError or ClassifierError, or PncError if keys need a package."""
        self._seal = _seal_of(keys, on_opened)
        self._transport = transport
        self._archive = archive
        self._on_picture = on_picture
        self._on_notice = on_notice
        self._on_ready = on_ready
        self._on_event = on_event
        self._reopen = reopen
        self._configure = configure or Configure(role=Role.EDGE, tx_power_dbm=KEEP_POWER_DBM)
        count = workers or usable_cpus()
        self._answering = Answering(
            Recogniser(codec, classifier, count),
            count,
            sure=sure,
            sureness=sureness,
            on_final=self._record,
            on_notice=self._notice,
        )
        self._recorder: WorkerPool
        self._receiver: Receiver  # of the session with the board; a reopened transport begins another
        self._driver: Driver
        self._serving: asyncio.Task[None] | None = None
        self._answered: asyncio.Queue[AnsweredPicture | None] = asyncio.Queue()  # None: there will be no more
        self._looked_us = 0  # when the transport was last found to be away
        self._opened = False
        self._away = False
        self._is_reported = False  # the iterator raised what ended the server

    def warm_up(self) -> None:
        """Load the networks and measure the time for one picture. Blocks for a second or so.

        ``run`` and the context call it, unless it was called before.
        """
        self._answering.warm_up()

    @property
    def progress_us(self) -> int:
        """When the part that is furthest behind, link or workers, last made progress, by ``now_us``; 0 at first."""
        if self._serving is None:
            return 0
        return min(self._answering.progress_us, max(self._driver.turned_us, self._looked_us))

    def request_statistics(self, source: int) -> None:
        """Ask the board for its statistics about a camera, if the link is open. Nothing waits for the answer."""
        if self._serving is not None and self._receiver.session.state is State.OPEN:
            self._receiver.session.channel.write(now_us(), StatisticsRequest(peer=source))
            self._driver.wake()

    async def run(self) -> None:
        """Serve until cancelled. Raises ServerError when the board or the transport cannot be used."""
        async with self:
            assert self._serving is not None
            await asyncio.shield(self._serving)  # the context ends it, after its last answers

    async def __aenter__(self) -> Self:
        """Warm up, open the transport and begin to serve. Raises ServerError when the transport cannot be opened."""
        self._recorder = WorkerPool(1, "record")
        try:
            await self._answering.open()
            await self._transport.open()
        except BaseException as error:
            await self._end()
            if isinstance(error, TransportError):
                raise ServerError.of(error) from error
            raise
        self._begin_session()
        self._serving = asyncio.create_task(self._serve())
        self._serving.add_done_callback(lambda _: self._answered.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop. Raises ServerError if the server failed and neither the iterator nor the context reported that."""
        assert self._serving is not None
        await self._finish()
        is_over = self._serving.done() and not self._serving.cancelled()
        failure = self._serving.exception() if is_over else None
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._serving
        await self._end()
        if failure is not None and error is None and not self._is_reported:
            raise failure

    def __aiter__(self) -> AsyncIterator[AnsweredPicture]:
        return self

    async def __anext__(self) -> AnsweredPicture:
        """Wait for the next answered picture. Raises ServerError when the server failed."""
        assert self._serving is not None, "the server is used outside its context"
        picture = await self._answered.get()
        if picture is None:
            self._answered.put_nowait(None)
            self._is_reported = True
            if not self._serving.cancelled():
                self._serving.result()
            raise StopAsyncIteration
        return picture

    async def _end(self) -> None:
        """End the workers and the transport, all at the same time."""
        await asyncio.gather(self._answering.end(), self._recorder.end(CLOSE_RECORDER_S), self._transport.close())

    async def _finish(self) -> None:
        """Wait until the answers in progress are recorded and the board has them, at most ``FINISH_S``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                while self._answering.pending or self._recorder.pending or self._has_frames_in_flight():
                    await asyncio.sleep(_FINISH_POLL_S)

    def _has_frames_in_flight(self) -> bool:
        assert self._serving is not None
        session = self._receiver.session
        return not self._serving.done() and session.state is State.OPEN and session.channel.oldest_us() is not None

    def _begin_session(self) -> None:
        """Prepare a session with the board behind the transport that was just opened."""
        self._receiver = Receiver(
            nonce=int.from_bytes(os.urandom(4), "little"),
            configure=self._configure,
            seal=self._seal,
        )
        self._driver = Driver(self._receiver, self._transport, self._handle)
        self._answering.begin(self._receiver, self._driver.wake)

    async def _serve(self) -> None:
        """Serve until cancelled. Raises ServerError when the transport, the board or too many workers fail."""
        linking = asyncio.create_task(self._link())
        try:
            await asyncio.wait({linking, self._answering.failure}, return_when=asyncio.FIRST_COMPLETED)
            await (self._answering.failure if self._answering.failure.done() else linking)
        finally:
            linking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await linking

    async def _link(self) -> None:
        while True:
            try:
                await self._driver.run()
            except TransportError as error:
                if not self._reopen:
                    raise ServerError.of(error) from error
                if not self._away:  # one notice, however many attempts fail until it is back
                    self._notice(f"{error}: waiting for it to come back")
                self._away = True
            await self._wait_for_transport()
            self._begin_session()

    async def _wait_for_transport(self) -> None:
        """Open the transport, as soon as that is possible."""
        while True:
            try:
                await self._transport.open()
            except TransportError:
                self._looked_us = now_us()
                await asyncio.sleep(REOPEN_EVERY_S)
            else:
                return

    def _handle(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
        match event:
            case ImageCollected():
                self._answering.add(event)
            case Failed():
                text, reason = f"{self._transport.name}: {event}", REASONS[event.reason]
                may_come_back = event.reason is FailureReason.SILENT or (
                    self._opened and event.reason is FailureReason.NO_BOARD
                )
                raise TransportError(text, reason=reason) if may_come_back else ServerError(text, reason=reason)
            case Opened():
                self._opened = True
                self._away = False
                if self._on_ready is not None:
                    self._on_ready()
            case LinkChanged(state=LinkState.REFUSED):
                self._notice(f"camera {event.source}: its board speaks another protocol version")
            case Notice() if event.level <= _WARNING:
                self._notice(f"board: {event.text}")
            case Implausible() | KeyMismatch():
                self._notice(f"{self._transport.name}: {event}")

    def _record(self, final: Answered) -> None:
        """Save a picture in a thread, and publish it."""
        collected, recognised = final.collected, final.recognised
        last_us = max(collected.arrived_us.values(), default=collected.deadline_us)
        answered = AnsweredPicture(
            time=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            source=collected.source,
            image=collected.image,
            whole=collected.whole,
            packets=len(collected.packets),
            bytes=sum(len(packet.data) for packet in collected.packets),
            used_bytes=recognised.decoded.used_bytes,
            channels=recognised.decoded.channels,
            interpolated=round(float(recognised.decoded.interpolated.mean()), 4),
            margin_ms=(collected.deadline_us - last_us) / 1000,
            service_ms=final.service_us / 1000,
            top=tuple((index, label, round(probability, 4)) for index, label, probability in recognised.top),
            issues=recognised.issues,
            pixels=recognised.decoded.picture if recognised.decoded.used else None,
            cells=recognised.decoded.interpolated if recognised.decoded.used else None,
            enough=final.enough,
        )
        if self._archive is None:
            self._publish(answered)
        elif self._recorder.pending < MOST_UNSAVED:
            self._recorder.submit(partial(self._archive.keep, answered), partial(self._saved, answered))
        else:
            self._publish(replace(answered, issues=(*answered.issues, "not saved: too many pictures wait for that")))

    def _saved(
        self,
        answered: AnsweredPicture,
        _: Job[AnsweredPicture],
        saved: AnsweredPicture | None,
        error: BaseException | None,
    ) -> None:
        self._publish(saved or replace(answered, issues=(*answered.issues, f"not saved: {error}")))

    def _publish(self, picture: AnsweredPicture) -> None:
        if self._serving is not None and not self._serving.done():
            if self._answered.qsize() >= MAX_WAITING:
                self._answered.get_nowait()
            self._answered.put_nowait(picture)
        if self._on_picture is not None:
            try:
                self._on_picture(picture)
            except Exception as error:  # the caller's: it ends ``run`` or the context
                self._answering.fail(error)

    def _notice(self, text: str) -> None:
        if self._on_notice is not None:
            self._on_notice(printable(text))


def _seal_of(keys: Sequence[Key], on_opened: Callable[[Picture | Result], None] | None) -> ServerSeal | None:
    """Return what opens pictures with keys. Raises PncError if the package for that is not installed."""
    if not keys:
        return None
    from ..seal.server_seal import KeyedServer  # only here: without keys no cryptography is needed

    seal = KeyedServer(keys)
    return seal if on_opened is None else HeardSeal(seal, on_opened)
