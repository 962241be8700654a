"""A server whose pictures are arrays in your program: it reports motion, as the share of the picture that changed.

Usage: sink.py PORT [COUNT]. It stops after COUNT pictures, or by Ctrl-C.
"""

import asyncio
import sys

import numpy as np
import pnc_link

#: Values of 0 to 255 by which a pixel must change; what a jammed link leaves out changes them less.
THRESHOLD = 40


def changed(before: np.ndarray, now: np.ndarray) -> float:
    """Return the share of pixels, 0 to 1, whose brightness changed."""
    difference = np.abs(now.mean(axis=2) - before.mean(axis=2))
    return float((difference > THRESHOLD).mean())


async def main(port: str, count: int) -> None:
    before: dict[int, np.ndarray] = {}  # by camera
    server = pnc_link.EdgeServer(pnc_link.SerialTransport(port), pnc_link.load_codec(), pnc_link.load_classifier())
    async with server:
        async for picture in server:
            if picture.pixels is not None:  # uint8 [224, 224, 3] RGB; None if nothing could be decoded
                if picture.source in before:
                    share = changed(before[picture.source], picture.pixels)
                    print(f"camera {picture.source:d}: {share:.0%} changed", flush=True)
                before[picture.source] = picture.pixels
            count -= 1
            if count == 0:
                break


try:
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
except KeyboardInterrupt:
    pass
