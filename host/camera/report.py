"""The report on one picture, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..link.events import Answer, Unanswered
from ..text import printable
from ..wire import ResultStatus

if TYPE_CHECKING:
    from .lazy_picture import LazyPicture

#: Values of ``TransferReport.status`` that are no ``ResultStatus`` of a server. ``UNSENT``: the board got nothing of
#: it. ``NOT_A_PICTURE``: the file could not be read.
OK, LATE, UNANSWERED, UNSENT, NOT_A_PICTURE = "ok", "late", "unanswered", "unsent", "not a picture"
#: Those that are: nothing of the picture could be decoded; the server refused it.
NOTHING, FAILED = "nothing", "failed"
#: Every status, as ``StreamSummary`` lists them.
STATUSES = (OK, LATE, NOTHING, FAILED, UNANSWERED, UNSENT, NOT_A_PICTURE)
#: Statuses of pictures that the server saves. It decoded them, or nothing of them could be decoded.
DECODED = frozenset({OK, LATE, NOTHING})


@dataclass(frozen=True, slots=True)
class TransferReport:
    """Report on one picture. Bytes are codec bytes; times count from the moment the pixels were in memory.

    For a picture whose moment is known, as a live camera's, they count from the moment when it was taken.

    A picture is encoded while it is sent. So what was encoded is a little more than what the link took.
    """

    file: str  # the picture's file, or its name in a live source; empty for pixels
    image: int | None  # its number on the wire; None if it never had one
    status: str  # ok, late, nothing, failed, unanswered, unsent or "not a picture"
    detail: str  # what went wrong; empty if nothing did
    bytes_encoded: int
    bytes_delivered: int
    packets_encoded: int
    packets_delivered: int
    channels_encoded: float
    channels_delivered: float
    packets_sent: int
    packets_resent: int
    deadline_ms: float
    encode_ms: float
    last_useful_ms: float | None  # when the last packet that was used reached the edge server; None without an answer
    answer_ms: float | None  # when the answer came; None without an answer
    server_ms: float  # time that the edge server spent on it
    top: tuple[tuple[int, str, float], ...]  # class index, label, probability; best first
    picture: str | None  # where the decoded picture was saved, if the edge server runs in this process
    notices: tuple[str, ...] = ()  # about reading the file and saving the decoded picture; a line each

    def as_json(self) -> dict[str, Any]:
        """Return all fields as a dictionary."""
        return asdict(self)

    def saved_as(self, path: str | None, issue: str = "") -> Self:
        """Return a copy that names the file of the decoded picture; ``issue``: why something of it was not saved."""
        notices = (*self.notices, f"{self.file}: {issue}") if issue else self.notices
        return replace(self, picture=path, notices=notices)

    def of_file(self, file: str | Path, notices: Sequence[str] = ()) -> Self:
        """Return a copy that names the file from which the pixels were read, with the notices about that."""
        return replace(self, file=str(file), notices=tuple(notices))

    def lines(self) -> list[str]:
        """Return the report as printable lines for a person."""
        lines = [
            f"{self.file}",
            f"  delivered  {self.bytes_delivered:,} of {self.bytes_encoded:,} bytes "
            f"({self.packets_delivered} of {self.packets_encoded} packets)",
        ]
        if self.answer_ms is not None:
            useful = "none" if self.last_useful_ms is None else f"after {self.last_useful_ms:.0f} ms"
            lines.append(
                f"  time       last useful byte {useful}, answer after {self.answer_ms:.0f} ms, "
                f"deadline {self.deadline_ms:.0f} ms ({self.status})"
            )
        if self.detail:
            lines.append(f"  {self.status:9}  {self.detail}")
        for place, (_, label, probability) in enumerate(self.top):
            lines.append(f"  {'top 5' if place == 0 else '':9}  {probability:5.1%}  {label}")
        if self.picture is not None:
            lines.append(f"  picture    {self.picture}")
        return [printable(line) for line in lines]

    def summary(self) -> str:
        """Return the report as one printable line, for a stream of pictures."""
        if self.answer_ms is None:
            return printable(f"{self.file}: {self.status}: {self.detail}")
        link = f"{self.bytes_delivered:,} of {self.bytes_encoded:,} bytes, {self.answer_ms:.0f} ms"
        if not self.top:
            return printable(f"{self.file}: {self.status}{self.detail and f': {self.detail}'}, {link}")
        best = f"{self.top[0][1]} {self.top[0][2]:.0%}"
        return printable(f"{self.file}: {best}, {link}{'' if self.status == OK else f' ({self.status})'}")


def report_without_answer(file: str | Path, status: str, detail: str, deadline_ms: float) -> TransferReport:
    """Return the report on a picture that was never given to the link; ``detail`` says why."""
    return TransferReport(
        file=str(file),
        image=None,
        status=status,
        detail=detail,
        bytes_encoded=0,
        bytes_delivered=0,
        packets_encoded=0,
        packets_delivered=0,
        channels_encoded=0.0,
        channels_delivered=0.0,
        packets_sent=0,
        packets_resent=0,
        deadline_ms=deadline_ms,
        encode_ms=0.0,
        last_useful_ms=None,
        answer_ms=None,
        server_ms=0.0,
        top=(),
        picture=None,
    )


def report_on(
    reply: Answer | Unanswered,
    picture: LazyPicture,
    deadline_ms: float,
    *,
    start_us: int,
    encode_us: int,
) -> TransferReport:
    """Return the report on a picture that was sent.

    Args:
        reply: the edge server's answer, or that there was none.
        picture: as much of the picture as was encoded.
        deadline_ms: the time that the answer had, in ms.
        start_us: when the picture was taken, or else when its pixels were in memory, in us.
        encode_us: how long it was encoded before it was sent, in us.
    """
    answer = reply if isinstance(reply, Answer) else None
    packets = picture.parts
    delivered = [packets[rank] for rank in sorted(answer.ranks)] if answer else []
    channels_encoded = picture.channels_in(packets)
    last_useful_ms = None
    if answer is not None and delivered:
        last_useful_ms = (answer.send_by_us - answer.margin_us - start_us) / 1000
    return TransferReport(
        file="",
        image=reply.image,
        status=_status(reply),
        detail=_detail(reply),
        bytes_encoded=sum(len(packet.data) for packet in packets),
        bytes_delivered=sum(len(packet.data) for packet in delivered),
        packets_encoded=len(packets),
        packets_delivered=len(delivered),
        channels_encoded=channels_encoded,
        channels_delivered=channels_encoded if len(delivered) == len(packets) else picture.channels_in(delivered),
        packets_sent=reply.sent,
        packets_resent=reply.resent,
        deadline_ms=deadline_ms,
        encode_ms=encode_us / 1000,
        last_useful_ms=last_useful_ms,
        answer_ms=(answer.answered_us - start_us) / 1000 if answer else None,
        server_ms=answer.service_us / 1000 if answer else 0.0,
        top=answer.classes if answer else (),
        picture=None,
    )


def _status(reply: Answer | Unanswered) -> str:
    if isinstance(reply, Unanswered):
        return UNANSWERED if reply.sent else UNSENT
    if reply.status is not ResultStatus.OK:
        return reply.status.name.lower()
    return LATE if reply.late else OK


def _detail(reply: Answer | Unanswered) -> str:
    if isinstance(reply, Unanswered):
        return "the edge server did not answer" if reply.sent else "nothing could be sent before the deadline"
    return reply.text
