"""The policies under test: how the two ends of the link decide what is sent and when it is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..link.receiver import Receiver
from ..link.sender import Sender
from .ends import CameraEnd, ServerEnd
from .fifo_policy import FifoSender
from .reference_policy import ReferenceReceiver, ReferenceSender

#: The policy that knows the air; ``oracle`` computes it.
ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Policy:
    """Makes the two ends. ``camera`` takes the session's number, ``server`` also its time for a picture, us, and its
    workers."""

    camera: Callable[[int], CameraEnd]
    server: Callable[[int, int, int | None], ServerEnd]


def _receiver(nonce: int, service_us: int, workers: int | None) -> Receiver:
    return Receiver(nonce=nonce, service_us=service_us, workers=workers)


POLICIES: dict[str, Policy] = {
    "ours": Policy(lambda nonce: Sender(nonce=nonce), _receiver),
    "fifo": Policy(FifoSender, _receiver),
    "reference": Policy(ReferenceSender, lambda nonce, service_us, _workers: ReferenceReceiver(nonce, service_us)),
}
#: Every name for the command line.
NAMES = (*POLICIES, ORACLE)
