"""A stream of pictures, several of them under way at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from ..codec import PictureError
from ..errors import PncError
from ..link.sender import DeadlineInfeasibleError
from .camera import Camera
from .report import NOT_A_PICTURE, OK, UNSENT, TransferReport, report_without_answer
from .source import Source, SourcePicture
from .under_way import UnderWayLimit

#: Most pictures under way in a stream with a period. A picture beyond them is not sent, and reported so.
MOST_UNDER_WAY = 64
#: Files read at a time. They have threads of their own: encoding and the serial port never wait for a slow disk.
READERS = 4


class PictureStream:
    """Sends the pictures of a source through a camera. One object sends one stream.

    Every picture that the source gives is reported. Neither one that cannot be read nor a deadline that the link cannot
    meet ends the stream, nor does an outage, if the camera reopens its transport.

    Args:
        camera: connected.
        source: gives the pictures. The caller has entered its context.
        deadline_ms: time for each answer in ms.
        on_report: is called in the event loop with the report on each picture, in the order of the source.
        complete: completes a report before it is given to ``on_report``. It may take its time: the picture is no longer
            under way.
        period_ms: time from the start of a picture to the start of the next, whether or not those before are answered.
            None: ``UnderWayLimit`` says how many are under way.
        max_bytes: most codec bytes of each picture; None: all.
        count: most pictures; None: all that the source gives.
    """

    def __init__(
        self,
        camera: Camera,
        source: Source,
        deadline_ms: float,
        *,
        on_report: Callable[[TransferReport], None],
        complete: Callable[[TransferReport], Awaitable[TransferReport]] | None = None,
        period_ms: float | None = None,
        max_bytes: int | None = None,
        count: int | None = None,
    ) -> None:
        self._camera = camera
        self._source = source
        self._deadline_ms = deadline_ms
        self._on_report = on_report
        self._complete = complete
        self._period_s = None if period_ms is None else period_ms / 1000
        self._max_bytes = max_bytes
        self._count = count
        self._limit = UnderWayLimit()
        self._under_way = 0
        self._ended = asyncio.Event()  # a picture is no longer under way
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read pictures")
        self._due_s = 0.0  # with a period: when the next picture starts, in the event loop's time
        self._reports: dict[int, TransferReport] = {}  # by the number of the picture; an earlier one has not ended yet
        self._reported = 0

    async def run(self) -> None:
        """Send all pictures. When it is cancelled or fails, those that have ended are still reported.

        Raises:
            CameraError: the camera cannot go on.
            SourceError: the source cannot.
        """
        self._due_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                number = 0
                while self._count is None or number < self._count:
                    await self._wait_for_turn()
                    picture = await self._source.next()
                    if picture is None:
                        break
                    self._under_way += 1
                    group.create_task(self._send(number, picture))
                    number += 1
        except asyncio.CancelledError:
            self._report_rest()
            raise
        except BaseExceptionGroup as errors:
            error = errors.exceptions[0]
            if isinstance(error, PncError):
                self._report_rest()
            raise error from None
        finally:
            self._readers.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_turn(self) -> None:
        if self._period_s is None:
            while self._under_way >= self._limit.value:
                self._ended.clear()
                await self._ended.wait()
            return
        time_s = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._due_s - time_s()))
        if time_s() - self._due_s > self._period_s:  # this computer was busy: what it missed is not made up for
            self._due_s = time_s()
        self._due_s += self._period_s

    async def _send(self, number: int, picture: SourcePicture) -> None:
        try:
            report = await self._report_on(picture)
        finally:
            self._under_way -= 1
            self._ended.set()
        if self._complete is not None:
            report = await self._complete(report)
        self._reports[number] = report
        while self._reported in self._reports:
            self._on_report(self._reports.pop(self._reported))
            self._reported += 1

    async def _report_on(self, picture: SourcePicture) -> TransferReport:
        name = picture.name
        if self._period_s is not None and self._under_way > MOST_UNDER_WAY:
            detail = f"{MOST_UNDER_WAY} pictures are already under way"
            return report_without_answer(name, UNSENT, detail, self._deadline_ms)
        notices: list[str] = []
        try:
            loop = asyncio.get_running_loop()
            pixels = await loop.run_in_executor(self._readers, picture.load, notices.append)
        except PictureError as error:
            return report_without_answer(name, NOT_A_PICTURE, str(error), self._deadline_ms)
        try:
            report = await self._camera.send_picture(
                pixels, self._deadline_ms, max_bytes=self._max_bytes, taken_us=picture.taken_us
            )
        except DeadlineInfeasibleError as error:
            report = report_without_answer(name, UNSENT, str(error), self._deadline_ms)
        spare = 0.0
        if report.status == OK and report.answer_ms is not None:
            spare = 1 - report.answer_ms / self._deadline_ms
        self._limit.ended(spare)
        return report.of_file(name, notices)

    def _report_rest(self) -> None:
        for number in sorted(self._reports):
            self._on_report(self._reports.pop(number))
