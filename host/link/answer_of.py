"""Makes the answer to an image of a result; what the result says that cannot be true is counted and left out."""

from __future__ import annotations

from ..wire import MalformedError, Result, ResultStatus
from .answers import unpack_classes, unpack_ranks
from .border import Border, Flaw
from .events import Answer
from .outgoing import OutgoingImage

#: The two ends agree on the moment that an image names at least this closely, us.
_CLOCKS_DIFFER_US = 1_000_000


def answer_of(now_us: int, image: OutgoingImage, result: Result, border: Border) -> Answer:
    """Return a provisional answer. Its ranks were sent, and its times lie between ``submit`` and now."""
    status, text = ResultStatus.FAILED, ""
    if result.status in list(ResultStatus):
        status = ResultStatus(result.status)
    else:
        border.count(Flaw.RESULT_STATUS)
    classes: tuple[tuple[int, str, float], ...] = ()
    if status is ResultStatus.OK:
        try:
            classes = unpack_classes(result.text)
        except MalformedError as error:
            border.count(Flaw.MALFORMED)
            status, text = ResultStatus.FAILED, str(error)
    else:
        text = result.text.decode(errors="replace")
    return Answer(
        image=image.number,
        status=status,
        text=text,
        classes=classes,
        ranks=_sent_ranks(image, result, border),
        send_by_us=image.send_by_us,
        margin_us=_margin_us(now_us, image, result, border) - (image.leaves_by_us - image.send_by_us),
        service_us=min(result.service_us, max(0, now_us - image.submitted_us)),
        answered_us=now_us,
        late=now_us > image.answer_by_us,
        final=False,
        sent=len(image.sent),
        resent=image.resent,
    )


def _sent_ranks(image: OutgoingImage, result: Result, border: Border) -> frozenset[int]:
    named = unpack_ranks(result.ranks)
    ranks = frozenset(rank for rank in named if rank < image.first_unsent)
    if ranks != named:
        border.count(Flaw.RESULT_RANKS)
    return ranks


def _margin_us(now_us: int, image: OutgoingImage, result: Result, border: Border) -> int:
    """Return the time from the arrival of the last used packet to the moment that the image names."""
    least_us = image.leaves_by_us - now_us - _CLOCKS_DIFFER_US
    most_us = image.leaves_by_us - image.submitted_us + _CLOCKS_DIFFER_US
    margin_us = result.margin_ms * 1000
    if not least_us <= margin_us <= most_us and result.status == ResultStatus.OK:
        border.count(Flaw.RESULT_MARGIN)
    return min(max(margin_us, least_us), most_us)
