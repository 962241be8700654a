"""The deadline that this machine and its link can hold, measured: ``send --deadline auto``, and ``demo``."""

from __future__ import annotations

import math

from ..camera.camera import Camera
from ..codec import load_picture
from ..errors import PncError, Reason

AUTO = "auto"
#: Pictures that are sent to measure; the first one also warms up.
PICTURES = 4
#: Time for each of them, and for the shortest deadline that is chosen, ms.
PATIENCE_MS, LEAST_MS = 10_000.0, 300.0
#: The deadline is so many times as long as the slowest answer, rounded up to this, ms.
MARGIN, STEP_MS = 1.5, 50.0


async def measured_deadline_ms(camera: Camera, sample: str) -> tuple[float, float]:
    """Send a picture some times; return the slowest answer and the deadline with a margin, both ms.

    Args:
        camera: connected.
        sample: the picture.

    Raises:
        PncError: a picture was not answered, however long it had.
    """
    pixels = load_picture(sample)
    times_ms: list[float] = []
    for _ in range(PICTURES):
        report = await camera.send_picture(pixels, PATIENCE_MS)
        if report.answer_ms is None:
            text = f"no answer within {PATIENCE_MS / 1000:.0f} s: no deadline can be measured"
            raise PncError(text, reason=Reason.NO_EDGE_SERVER)
        times_ms.append(report.answer_ms)
    slowest_ms = max(times_ms[1:])
    return slowest_ms, max(LEAST_MS, STEP_MS * math.ceil(MARGIN * slowest_ms / STEP_MS))
