"""What came of one picture, for a person and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Report:
    """One picture on its way. Bytes are codec bytes; times count from the moment the picture was there.

    ``last_useful_ms`` is when the last packet that was used reached the edge server; None without an answer.
    ``top`` holds class index, label and probability, best first.
    """

    file: str
    image: int | None  # its number on the wire; None if it was not sent
    status: str  # ok, late, nothing, failed, unanswered, unsent
    detail: str
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
    last_useful_ms: float | None
    answer_ms: float | None
    server_ms: float
    top: tuple[tuple[int, str, float], ...]
    picture: str | None

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)

    def saved_as(self, path: str | None) -> Self:
        """With the place of the decoded picture."""
        return replace(self, picture=path)

    def lines(self) -> list[str]:
        """For a person."""
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
        return lines

    def summary(self) -> str:
        """In a few words, for a stream."""
        best = f"{self.top[0][1]} {self.top[0][2]:.0%}" if self.top else self.status
        answer = "no answer" if self.answer_ms is None else f"{self.answer_ms:.0f} ms"
        return (
            f"{self.file}: {best}, {self.bytes_delivered:,} of {self.bytes_encoded:,} bytes, {answer}"
            f"{'' if self.status == 'ok' else f' ({self.status})'}"
        )
