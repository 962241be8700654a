"""Entries of what sender and receiver report."""

from __future__ import annotations

from ..link.events import (
    Answer,
    Event,
    Failed,
    ImageCollected,
    Implausible,
    Notice,
    Opened,
    Ready,
    Unanswered,
)
from .entry import Entry


def of_event(time_us: int, vantage: str, event: Event, source: int | None = None) -> list[Entry]:
    """Return the entry of an event; none for a change of the connection, which ``PacketLog`` reports.

    ``source`` is the camera's number, where a camera knows it.
    """
    own = {} if source is None else {"source": source}
    match event:
        case Opened():
            name, fields = "opened", {"board": event.hello.name.decode(errors="replace"), "restarted": event.restarted}
        case Failed():
            name, fields = "failed", {"text": str(event)}
        case Ready():
            name, fields = "ready", {"round_trip_us": event.round_trip_us, "service_us": event.service_us}
        case Answer():
            name = "answer"
            fields = {
                "image": event.image,
                "status": event.status.name.lower(),
                "late": event.late,
                "final": event.final,
                "packets": len(event.ranks),
                "sent": event.sent,
                "resent": event.resent,
                "service_us": event.service_us,
                "top": [(index, label, round(probability, 4)) for index, label, probability in event.classes],
            }
        case Unanswered():
            name, fields = "unanswered", {"image": event.image, "sent": event.sent, "resent": event.resent}
        case ImageCollected():
            name = "collected"
            own = {}
            fields = {
                "source": event.source,
                "image": event.image,
                "program": event.program,
                "packets": len(event.packets),
                "bytes": sum(len(packet.data) for packet in event.packets),
                "whole": event.whole,
                "final": event.final,
                "left_us": event.deadline_us - time_us,
            }
        case Notice():
            name, fields = "notice", {"level": event.level, "text": event.text}
        case Implausible():
            name, fields = "implausible", {"text": event.text, "times": event.times}
        case _:
            return []
    return [Entry(time_us, vantage, name, own | fields)]
