"""Virtual boards and an edge server in this process: what ``send`` uses when no board is attached."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..codec import Codec
from ..edge.answered import AnsweredPicture
from ..edge.archive import Archive
from ..edge.classifier import Classifier
from ..edge.server import EdgeServer
from ..sim.virtual_boards import boards_in_world
from ..sim.world import WorldSettings
from ..transport.transport import Transport

#: How long a decoded picture may take to be saved after its answer.
SAVE_S = 2.0
#: Most answered pictures that nobody asked for: their answers came too late. Of more the oldest are forgotten.
MOST_UNASKED = 64


class Testbed:
    """Two virtual boards with an edge server behind the second. ``transport`` is the camera board's."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._answered: dict[int, AnsweredPicture] = {}
        self._changed = asyncio.Event()

    def keep(self, picture: AnsweredPicture) -> None:
        """Take note of a picture that the server answered."""
        self._answered.pop(picture.image, None)
        self._answered[picture.image] = picture
        if len(self._answered) > MOST_UNASKED:
            del self._answered[next(iter(self._answered))]
        self._changed.set()

    async def saved(self, image: int) -> str | None:
        """Return where the server saved an image that it answered; None if it did not save it within 2 s."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SAVE_S):
                while image not in self._answered:
                    self._changed.clear()
                    await self._changed.wait()
                return self._answered.pop(image).picture
        return None


@asynccontextmanager
async def virtual_testbed(
    settings: WorldSettings,
    codec: Codec,
    classifier: Classifier,
    archive: Archive,
    on_notice: Callable[[str], None],
) -> AsyncIterator[Testbed]:
    """Run boards and server in real time, as long as the context lasts."""
    async with boards_in_world(settings) as transports:
        testbed = Testbed(transports[0])
        server = EdgeServer(
            transports[-1],
            codec,
            classifier,
            archive=archive,
            on_picture=testbed.keep,
            on_notice=on_notice,
            reopen=False,
        )
        async with server:
            yield testbed
