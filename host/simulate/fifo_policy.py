"""The policy ``fifo``: everything to the board at once; its queue's order and expiry do the rest."""

from __future__ import annotations

from ..wire import Picture
from .plain_sender import PlainSender

_LEAST_US = 5_000


class FifoSender(PlainSender):
    """Gives the board every packet as soon as it has room, picture by picture."""

    def send_by_us(self, now_us: int, deadline_us: int) -> int:
        """Return the deadline less the time that the answer needs."""
        return max(round(deadline_us - self.answer_time_us()), now_us + _LEAST_US)

    def fill(self, now_us: int) -> None:
        """Give the board what it has room for."""
        transit_us = round(self.round_trip.min_us or 0.0) // 2
        for image in list(self._pending.values()):
            while image.next < len(image.packets) and now_us < image.send_by_us and self.has_room():
                packet = image.packets[image.next]
                picture = Picture(
                    image=image.number,
                    rank=packet.rank,
                    position=packet.position,
                    remaining_ms=max(0, (image.send_by_us - transit_us - now_us) // 1000),
                    data=packet.data,
                    last=packet.rank == len(image.packets) - 1,
                )
                image.next += 1
                self.give(now_us, picture)
