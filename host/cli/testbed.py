"""Virtual boards and an edge server in this process: what ``send`` uses when no board is attached."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..codec import Codec
from ..edge.answered import AnsweredPicture
from ..edge.archive import NOT_SAVED, Archive
from ..edge.classifier import Classifier
from ..edge.server import EdgeServer
from ..log.recorder import Recorder
from ..seal.key import Key
from ..sim.virtual_boards import boards_in_world
from ..sim.world import WorldSettings
from ..transport.transport import Transport
from .log_options import EdgeLog

#: How long a decoded picture may take to be saved after its answer.
SAVE_S = 2.0
#: How much longer ago than its picture was taken the server may seem to have answered: the event loop was busy.
_SLACK_S = 1.0
#: Most answered pictures that nobody asked for: their answers came too late. Of more the oldest are forgotten.
MOST_UNASKED = 64


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a decoded picture was saved, and why something of it was not; nothing of both if nothing was decoded."""

    picture: str | None = None
    issue: str = ""


class Testbed:
    """Two virtual boards with an edge server behind the second. ``transport`` is the camera board's."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._answered: dict[int, tuple[AnsweredPicture, float]] = {}  # and when, in the event loop's time
        self._changed = asyncio.Event()

    def keep(self, picture: AnsweredPicture) -> None:
        """Take note of a picture that the server answered."""
        self._answered.pop(picture.image, None)
        self._answered[picture.image] = picture, asyncio.get_running_loop().time()
        if len(self._answered) > MOST_UNASKED:
            del self._answered[next(iter(self._answered))]
        self._changed.set()

    async def saved(self, image: int, taken_s: float) -> Saved:
        """Return where the server saved an image that it answered.

        ``taken_s`` says how long ago the picture was taken. What the server answered before is another picture: its
        answer came too late for anybody to ask, and its number has come round since.
        """
        oldest_s = asyncio.get_running_loop().time() - taken_s - _SLACK_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAVE_S):
                while self._answered.get(image, (None, oldest_s))[1] <= oldest_s:
                    self._changed.clear()
                    await self._changed.wait()
                answered, _ = self._answered.pop(image)
                issues = (issue for issue in answered.issues if issue.startswith(NOT_SAVED))
                return Saved(answered.picture, next(issues, ""))
        return Saved(issue=f"{NOT_SAVED}that takes longer than {SAVE_S:.0f} s")


@asynccontextmanager
async def virtual_testbed(
    settings: WorldSettings,
    codec: Codec,
    classifier: Classifier,
    archive: Archive,
    on_notice: Callable[[str], None],
    keys: Sequence[Key] = (),
    recorder: Recorder | None = None,
) -> AsyncIterator[Testbed]:
    """Run boards and server in real time, as long as the context lasts; record them if that is asked."""
    log = EdgeLog(recorder, sealed=bool(keys))

    def keep(picture: AnsweredPicture) -> None:
        log.picture(picture)
        testbed.keep(picture)

    async with boards_in_world(settings, on_world=log.world) as transports:
        testbed = Testbed(transports[0])
        server = EdgeServer(
            log.transport(transports[-1]),
            codec,
            classifier,
            archive=archive,
            on_picture=keep,
            on_event=log.event,
            on_notice=on_notice,
            reopen=False,
            keys=keys,
            on_opened=log.on_opened,
        )
        async with server:
            yield testbed
