"""The edge server: whatever of a picture arrived by its deadline is decoded, classified and answered."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..codec import SIDE, Codec, Decoded, Decoder
from ..link.events import REASONS, Event, Failed, FailureReason, ImageCollected, LinkChanged, Notice, Opened
from ..link.rate import DelayEstimator
from ..link.receiver import Receiver
from ..transport.driver import Driver, now_us
from ..transport.transport import Transport, TransportError
from ..wire import Configure, LinkState, ResultStatus, Role
from .archive import Archive, Served
from .classifier import Classifier
from .errors import ServerError

WARM_UP = 3
REOPEN_EVERY_S = 1.0
TOP = 5


class EdgeServer:
    """Serves one port until cancelled.

    ``on_served`` gets every answer, ``on_notice`` lines for a person; ``on_serving`` is called whenever the board is
    ready. With ``keep_port`` the server waits for a port that went away, else it ends.
    """

    def __init__(
        self,
        port: Transport,
        codec: Codec,
        classifier: Classifier,
        *,
        archive: Archive | None,
        on_served: Callable[[Served], None],
        on_notice: Callable[[str], None],
        on_serving: Callable[[], None] | None = None,
        keep_port: bool = True,
        configure: Configure | None = None,
    ) -> None:
        self._port = port
        self._codec = codec
        self._classifier = classifier
        self._decoder: Decoder = codec.decoder()
        self._archive = archive
        self._on_served = on_served
        self._on_notice = on_notice
        self._on_serving = on_serving
        self._keep_port = keep_port
        self._configure = configure or Configure(role=Role.EDGE, tx_power_dbm=127)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._service = DelayEstimator()
        self._receiver = self._new_receiver()
        self._runner = Driver(self._receiver, port, self._on_event)
        self._answers: set[asyncio.Task[None]] = set()
        self._opened = False
        self._away = False

    def warm_up(self) -> None:
        """Load the networks and measure what one picture takes; blocks for a second or so."""
        grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
        packets = self._codec.encode(grey)
        for _ in range(WARM_UP):
            start = time.perf_counter()
            self._classifier.top(self._decoder.decode(packets).picture, TOP)
            duration_us = (time.perf_counter() - start) * 1e6
        self._service.add(duration_us)  # of the last: the first ones also load
        self._receiver.service_us = int(duration_us)

    async def run(self) -> None:
        """Serve; ServerError when the board or the port cannot be used."""
        try:
            await self._open(first=True)
            while True:
                try:
                    await self._runner.run()
                except TransportError as error:
                    if not self._keep_port:
                        raise ServerError.of(error) from error
                    if not self._away:  # said once, however often it fails before it is back
                        self._on_notice(f"{error}: waiting for it to come back")
                    self._away = True
                    await self._open(first=False)
        finally:
            for answer in self._answers:
                answer.cancel()
            self._worker.shutdown(wait=False, cancel_futures=True)
            await self._port.close()

    async def _open(self, *, first: bool) -> None:
        while True:
            try:
                await self._port.open()
            except TransportError as error:
                if first:
                    raise ServerError.of(error) from error
                await asyncio.sleep(REOPEN_EVERY_S)
            else:
                self._receiver = self._new_receiver()
                self._runner = Driver(self._receiver, self._port, self._on_event)
                return

    def _new_receiver(self) -> Receiver:
        nonce = int.from_bytes(os.urandom(4), "little")
        service_us = int(self._service.mean_us or 0)
        return Receiver(nonce=nonce, configure=self._configure, service_us=service_us)

    def _on_event(self, event: Event) -> None:
        match event:
            case ImageCollected():
                answer = asyncio.create_task(self._answer(self._receiver, event))
                self._answers.add(answer)
                answer.add_done_callback(self._answers.discard)
            case Failed():
                text, reason = f"{self._port.name}: {event}", REASONS[event.reason]
                came_and_went = event.reason is FailureReason.SILENT or (
                    self._opened and event.reason is FailureReason.NO_BOARD
                )
                raise (TransportError if came_and_went else ServerError)(text, reason=reason)
            case Opened():
                self._opened = True
                self._away = False
                if self._on_serving is not None:
                    self._on_serving()
            case LinkChanged(state=LinkState.REFUSED):
                self._on_notice(f"camera {event.source}: its board speaks another protocol version")
            case Notice() if event.level <= 2:
                self._on_notice(f"board: {event.text}")

    async def _answer(self, receiver: Receiver, collected: ImageCollected) -> None:
        loop = asyncio.get_running_loop()
        begun_us = now_us()
        try:
            decoded, top = await loop.run_in_executor(self._worker, self._recognise, collected)
        except Exception as error:  # whatever a codec or a classifier does with a stranger's packets, serving goes on
            receiver.refuse(now_us(), collected, ResultStatus.FAILED, f"{type(error).__name__}: {error}"[:120])
            self._on_notice(f"image {collected.image} of camera {collected.source}: {error}")
        else:
            service_us = now_us() - begun_us
            self._service.add(service_us)
            self._receiver.service_us = int(self._service.mean_us or 0)
            if decoded.used:
                used = [packet.rank for packet in collected.packets]
                receiver.answer(now_us(), collected, top, service_us=service_us, used=used)
            else:
                receiver.refuse(now_us(), collected, ResultStatus.NOTHING, "; ".join(decoded.issues)[:120])
            self._runner.wake()
            served = await loop.run_in_executor(self._worker, self._record, collected, decoded, top, service_us)
            self._on_served(served)
        self._runner.wake()

    def _recognise(self, collected: ImageCollected) -> tuple[Decoded, list[tuple[int, str, float]]]:
        decoded = self._decoder.decode(collected.packets)
        return decoded, self._classifier.top(decoded.picture, TOP) if decoded.used else []

    def _record(
        self, collected: ImageCollected, decoded: Decoded, top: list[tuple[int, str, float]], service_us: int
    ) -> Served:
        last_us = max(collected.arrived_us.values(), default=collected.deadline_us)
        served = Served(
            time=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            source=collected.source,
            image=collected.image,
            whole=collected.whole,
            packets=len(collected.packets),
            bytes=sum(len(packet.data) for packet in collected.packets),
            channels=decoded.channels,
            margin_ms=(collected.deadline_us - last_us) / 1000,
            service_ms=service_us / 1000,
            top=tuple((index, label, round(probability, 4)) for index, label, probability in top),
            faults=decoded.issues,
            picture=None,
        )
        if self._archive is None:
            return served
        return self._archive.keep(served, decoded.picture if decoded.used else None)
