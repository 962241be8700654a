"""A detector in the place of the classifier: the answer says where something is, and the camera gets it in time.

Usage: detector.py PICTURE. The detector finds what differs in brightness from the edge of the picture. One with a
network of its own has the same method: any object with `top` can stand where `load_classifier()` does.
"""

import asyncio
import sys

import numpy as np
import pnc_link

#: Values of 0 to 255 by which a pixel of an object differs from the background.
THRESHOLD = 50
NOTHING, OBJECT = 0, 1


class Detector:
    """Finds one object. The index is its class, and the label says where it is; both reach the camera."""

    def top(self, picture: np.ndarray, k: int = 5) -> list[tuple[int, str, float]]:
        brightness = picture.mean(axis=2)
        border = np.concatenate([brightness[0], brightness[-1], brightness[:, 0], brightness[:, -1]])
        inside = np.abs(brightness - np.median(border)) > THRESHOLD
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if len(rows) == 0:
            return [(NOTHING, "nothing", 1.0)]
        left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        filled = float(inside[top:bottom, left:right].mean())  # how well the box fits stands for a probability
        found = [
            (OBJECT, f"object at {left},{top} to {right},{bottom}", filled),
            (NOTHING, "nothing", 1 - filled),
        ]
        return sorted(found, key=lambda each: -each[2])[:k]


async def main(file: str) -> None:
    codec = pnc_link.load_codec()
    async with (
        pnc_link.virtual_boards() as (camera_board, edge_board),
        pnc_link.EdgeServer(edge_board, codec, Detector()),
        pnc_link.Camera(camera_board, codec) as camera,
    ):
        await camera.connect()
        report = await camera.send_picture(file, deadline_ms=5000)
    print(pnc_link.printable(report.top[0][1] if report.top else report.status))


try:
    asyncio.run(main(sys.argv[1]))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
