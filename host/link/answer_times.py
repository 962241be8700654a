"""When the server should begin with the answers of an image, so that they leave it in time."""

from __future__ import annotations

from collections.abc import Sequence

#: How long before the final answer the provisional ones begin, in connection intervals: some in case that a packet of
#: the way back is lost, some in case that the link is about to fail for a while.
PROVISIONAL = (1, 2, 3, 6, 12, 24)
#: The earlier provisional answers leave at another phase of the connection interval each time, by multiples of the
#: golden ratio: so the camera learns how short the way back can be.
_STEADY = 2
_GOLDEN = (5**0.5 - 1) / 2
#: Pictures take turns at the workers at this multiple of the time for one: it varies.
_APART = 1.2


def latest_starts(deadlines_us: Sequence[int], service_us: int, workers: int | None) -> list[int]:
    """Return when the server has to begin with each image, so that all answers leave by their deadlines, us.

    Several workers serve from the latest deadline backwards, each as late as it can. With more images than the workers
    can serve, the first ones have to begin too early.
    """
    if workers is None:
        return [deadline_us - service_us for deadline_us in deadlines_us]
    begins_us = [float("inf")] * workers  # of what each worker does next
    starts_us = [0] * len(deadlines_us)
    for index in sorted(range(len(deadlines_us)), key=lambda i: -deadlines_us[i]):
        worker = begins_us.index(max(begins_us))
        starts_us[index] = int(min(deadlines_us[index], begins_us[worker]) - service_us)
        begins_us[worker] = starts_us[index]
    return starts_us


class ProvisionalTimes:
    """Gives the moments at which provisional answers begin."""

    def __init__(self) -> None:
        self._turn = 0.0

    def before(self, final_us: int, interval_us: int, service_us: int, workers: int | None) -> list[int]:
        """Return the moments before ``final_us``, the last one first. Times in us.

        The workers take turns, so that one of them begins shortly before each moment at which an answer can leave.
        """
        apart_us = interval_us if workers is None else max(interval_us, round(_APART * service_us / workers))
        self._turn = (self._turn + _GOLDEN) % 1
        leads = [lead + (self._turn if number >= _STEADY else 0) for number, lead in enumerate(PROVISIONAL)]
        return [final_us - round(lead * apart_us) for lead in leads]
