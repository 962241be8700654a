"""Decodes prefixes of pictures for the page: only what a browser asks for, each once, the newest first."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from ..codec import SIDE, Decoder, load
from ..errors import PncError
from ..ranked import RankedPacket

#: Decoded revisions that are kept; about 10 kB each.
MOST_KEPT = 512
#: Revisions that wait to be decoded; of more the oldest are refused.
MOST_WAITING = 128
_QUALITY = 82
_LOWEST_PRIORITY = 19

#: The page's number of a picture, and the revision.
Key = tuple[int, int]


class BusyError(Exception):
    """Too many revisions wait."""


class Prefixes:
    """Makes WebP files of pictures' prefixes in a thread of the lowest priority."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._waiting: OrderedDict[Key, tuple[Sequence[RankedPacket], asyncio.Future[bytes]]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "prefixes", initializer=_lower_priority)
        self._working: asyncio.Task[None] | None = None
        self._decoder: Decoder | None = None

    async def get(self, key: Key, packets: Sequence[RankedPacket]) -> bytes:
        """Return the WebP file of a revision. Raises BusyError."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._waiting:
            self._waiting[key] = packets, asyncio.get_running_loop().create_future()
            if len(self._waiting) > MOST_WAITING:
                _, (_, oldest) = self._waiting.popitem(last=False)
                oldest.set_exception(BusyError())
                oldest.exception()  # it is no matter if nobody waits for it any more
        future = self._waiting[key][1]
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await asyncio.shield(future)

    def close(self) -> None:
        """Decode no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            key = next(reversed(self._waiting))
            packets, future = self._waiting[key]
            try:
                content = await loop.run_in_executor(self._thread, self._decode, packets)
            except Exception as error:
                self._waiting.pop(key, None)
                if not future.done():
                    future.set_exception(error)
                    future.exception()
                continue
            self._waiting.pop(key, None)
            self._kept[key] = content
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            if not future.done():
                future.set_result(content)

    def _decode(self, packets: Sequence[RankedPacket]) -> bytes:
        """Return the picture that these packets decode to, grey if they decode to none."""
        if self._decoder is None:
            self._decoder = load().decoder(threads=1)
        try:
            pixels = self._decoder.decode(packets).picture
        except PncError:
            pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, format="WEBP", quality=_QUALITY, method=2)
        return content.getvalue()


def _lower_priority() -> None:
    """Let every other thread of the computer go first, where the system knows priorities of threads."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
