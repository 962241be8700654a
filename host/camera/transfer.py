"""One picture from its file to its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..codec import Codec, load_picture
from ..link.events import Answer, Unanswered
from ..transport.driver import now_us
from ..wire import ResultStatus
from .camera import Camera
from .report import Report


async def transfer(camera: Camera, codec: Codec, file: Path, deadline_ms: float) -> Report:
    """Send a picture and wait for its answer.

    The deadline counts from the moment the picture is in memory: encoding is part of it, reading the file is not.
    Raises PictureError for a file that is no picture, DeadlineInfeasibleError for a deadline below the link's latency,
    CameraError when the board goes away.
    """
    picture = await asyncio.to_thread(load_picture, file)
    start_us = now_us()
    packets = await asyncio.to_thread(codec.encode, picture)
    encoded_us = now_us()
    outcome = await camera.send(packets, start_us + round(deadline_ms * 1000))
    delivered = [packets[rank] for rank in sorted(outcome.ranks)] if isinstance(outcome, Answer) else []
    answer = outcome if isinstance(outcome, Answer) else None
    encoded_channels = codec.channels_in(packets)
    last_useful_ms = None
    if answer is not None and delivered:
        last_useful_ms = (answer.send_by_us - answer.margin_us - start_us) / 1000
    return Report(
        file=str(file),
        image=outcome.image,
        status=_status(outcome),
        detail=answer.text if answer else "no answer: is the edge server still running, and in reach?",
        bytes_encoded=sum(len(packet.data) for packet in packets),
        bytes_delivered=sum(len(packet.data) for packet in delivered),
        packets_encoded=len(packets),
        packets_delivered=len(delivered),
        channels_encoded=encoded_channels,
        channels_delivered=encoded_channels if len(delivered) == len(packets) else codec.channels_in(delivered),
        packets_sent=outcome.sent,
        packets_resent=outcome.resent,
        deadline_ms=deadline_ms,
        encode_ms=(encoded_us - start_us) / 1000,
        last_useful_ms=last_useful_ms,
        answer_ms=(answer.answered_us - start_us) / 1000 if answer else None,
        server_ms=answer.service_us / 1000 if answer else 0.0,
        top=answer.classes if answer else (),
        picture=None,
    )


def _status(outcome: Answer | Unanswered) -> str:
    if isinstance(outcome, Unanswered):
        return "unanswered"
    if outcome.status is not ResultStatus.OK:
        return outcome.status.name.lower()
    return "late" if outcome.late else "ok"
