"""The time line of each picture, made from the entries of a log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from .entry import CAMERA, Entry

#: Entries with the same image number belong to one picture only if they are at most so far apart, us. The number comes
#: round after 65.5 s.
_APART_US = 30_000_000

#: Label, probability.
Best = tuple[str, float]


@dataclass(slots=True)
class PacketTimes:
    """When a packet was where, us; None if that is not known."""

    rank: int
    bytes: int
    sent_us: int | None = None  # given to the camera's board, the first time
    in_radio_us: int | None = None  # given by the camera's board to its radio
    on_air: int = 0  # transmissions
    arrived_us: int | None = None  # at the edge server


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """An answer, provisional or final."""

    time_us: int
    final: bool
    status: str
    packets: int
    best: Best | None


@dataclass(slots=True)
class PictureTimes:
    """What happened to one picture. Times in us; None if it did not happen, or no program that wrote a log saw it."""

    image: int
    program: int | None
    source: int | None
    first_us: int
    last_us: int
    taken_us: int | None = None
    encoded_us: int | None = None
    encoded_bytes: int = 0  # of what was encoded before the sending began
    due_us: int | None = None  # when the answer is due at the camera
    leaves_us: int | None = None  # when the answer must leave the edge server
    decided_us: int | None = None  # when the edge server began with the final answer
    whole: bool | None = None
    answered_us: int | None = None  # when the final answer was at the camera
    status: str = ""  # ok, late, nothing, failed, unanswered, as the camera, or else the edge server, has it
    packets: dict[int, PacketTimes] = field(default_factory=dict)
    results: list[AnswerTime] = field(default_factory=list)  # given by the edge server
    answers: list[AnswerTime] = field(default_factory=list)  # at the camera

    @property
    def zero_us(self) -> int:
        """The moment from which the times of this picture count."""
        return self.first_us if self.taken_us is None else self.taken_us

    @property
    def best(self) -> Best | None:
        """The first class of the last answer that has one."""
        answers = self.answers or self.results
        return next((answer.best for answer in reversed(answers) if answer.best is not None), None)

    def arrived(self) -> list[PacketTimes]:
        """Return the packets at the edge server, in the order of their arrival."""
        found = [packet for packet in self.packets.values() if packet.arrived_us is not None]
        return sorted(found, key=lambda packet: packet.arrived_us or 0)

    def as_json(self) -> dict[str, Any]:
        """Return the time line as a dictionary; times in ms from ``zero_us``."""

        def ms(time_us: int | None) -> float | None:
            return None if time_us is None else round((time_us - self.zero_us) / 1000, 3)

        return {
            "image": self.image,
            "source": self.source,
            "time_us": self.zero_us,
            "status": self.status,
            "taken_ms": ms(self.taken_us),
            "encoded_ms": ms(self.encoded_us),
            "due_ms": ms(self.due_us),
            "leaves_ms": ms(self.leaves_us),
            "decided_ms": ms(self.decided_us),
            "answered_ms": ms(self.answered_us),
            "whole": self.whole,
            "packets": [
                {
                    "rank": packet.rank,
                    "bytes": packet.bytes,
                    "sent_ms": ms(packet.sent_us),
                    "in_radio_ms": ms(packet.in_radio_us),
                    "on_air": packet.on_air,
                    "arrived_ms": ms(packet.arrived_us),
                }
                for _, packet in sorted(self.packets.items())
            ],
            "results": [_answer_json(answer, self.zero_us) for answer in self.results],
            "answers": [_answer_json(answer, self.zero_us) for answer in self.answers],
        }


def time_lines(entries: Iterable[Entry]) -> list[PictureTimes]:
    """Return the time lines of all pictures, in the order in which they began. Entries are in the order of time."""
    builder = _Builder()
    for entry in entries:
        # A field of another kind is none that this program has written.
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            builder.add(entry)
    return sorted(builder.pictures, key=lambda picture: picture.zero_us)


class _Builder:
    """Collects the entries of each picture."""

    def __init__(self) -> None:
        self.pictures: list[PictureTimes] = []
        self._by_image: dict[int, list[PictureTimes]] = {}
        self._names: dict[int, set[tuple[str, str]]] = {}  # run and vantage of what is known of a picture, by its id

    def add(self, entry: Entry) -> None:
        """Take the next entry."""
        image = entry.get("image")
        if not isinstance(image, int):
            return
        match entry.event:
            case "encoded" | "sent" | "in radio" | "on air" | "arrived" | "collected" | "result" | "answer":
                getattr(self, f"_on_{entry.event.replace(' ', '_')}")(entry, self._picture(entry, image))
            case "unanswered":
                picture = self._picture(entry, image)
                picture.status = "unanswered" if entry.get("sent") else "unsent"

    def _picture(self, entry: Entry, image: int) -> PictureTimes:
        """Return the picture that an entry is about."""
        source, program = entry.get("source"), entry.get("program")
        for picture in reversed(self._by_image.get(image, [])):
            if entry.time_us - picture.last_us > _APART_US:
                break
            if self._fits(picture, entry, source, program):
                picture.last_us = max(picture.last_us, entry.time_us)
                picture.source = source if picture.source is None else picture.source
                picture.program = program if picture.program is None else picture.program
                self._names[id(picture)].add((entry.run, entry.vantage))
                return picture
        picture = PictureTimes(image, program, source, entry.time_us, entry.time_us)
        self.pictures.append(picture)
        self._by_image.setdefault(image, []).append(picture)
        self._names[id(picture)] = {(entry.run, entry.vantage)}
        return picture

    def _fits(self, picture: PictureTimes, entry: Entry, source: int | None, program: int | None) -> bool:
        """Return whether camera, program and run agree, as far as they are known.

        Two cameras' pictures may have one number. An entry without a camera's number is of the run that has begun the
        picture, and a picture has one run at the camera.
        """
        if None not in (source, picture.source) and source != picture.source:
            return False
        if None not in (program, picture.program) and program != picture.program:
            return False
        if entry.vantage != CAMERA:
            return True
        others = {run for run, vantage in self._names[id(picture)] if vantage == CAMERA}
        return not others or entry.run in others

    def _packet(self, entry: Entry, picture: PictureTimes) -> PacketTimes:
        rank = _whole(entry.get("rank", 0))
        return picture.packets.setdefault(rank, PacketTimes(rank, _whole(entry.get("bytes", 0))))

    def _on_encoded(self, entry: Entry, picture: PictureTimes) -> None:
        picture.taken_us = entry.time_us - _whole(entry.get("since_taken_us", 0))
        picture.due_us = entry.time_us + _whole(entry.get("left_us", 0))
        picture.encoded_us = entry.time_us
        picture.encoded_bytes = _whole(entry.get("bytes", 0))

    def _on_sent(self, entry: Entry, picture: PictureTimes) -> None:
        packet = self._packet(entry, picture)
        packet.sent_us = entry.time_us if packet.sent_us is None else packet.sent_us

    def _on_in_radio(self, entry: Entry, picture: PictureTimes) -> None:
        packet = self._packet(entry, picture)
        packet.in_radio_us = entry.time_us if packet.in_radio_us is None else packet.in_radio_us

    def _on_on_air(self, entry: Entry, picture: PictureTimes) -> None:
        self._packet(entry, picture).on_air += 1

    def _on_arrived(self, entry: Entry, picture: PictureTimes) -> None:
        packet = self._packet(entry, picture)
        packet.arrived_us = entry.time_us if packet.arrived_us is None else packet.arrived_us

    def _on_collected(self, entry: Entry, picture: PictureTimes) -> None:
        picture.leaves_us = entry.time_us + _whole(entry.get("left_us", 0))
        if entry.get("final"):
            picture.decided_us, picture.whole = entry.time_us, bool(entry.get("whole"))

    def _on_result(self, entry: Entry, picture: PictureTimes) -> None:
        picture.results.append(_answer(entry))
        if entry.get("final") and not picture.status:
            picture.status = str(entry.get("status", ""))

    def _on_answer(self, entry: Entry, picture: PictureTimes) -> None:
        picture.answers.append(_answer(entry))
        if entry.get("final"):
            picture.answered_us = entry.time_us
            picture.status = "late" if entry.get("late") else str(entry.get("status", ""))


def _answer(entry: Entry) -> AnswerTime:
    top = entry.get("top")
    best = None
    if isinstance(top, list | tuple) and top and isinstance(top[0], list | tuple) and len(top[0]) == 3:
        best = (str(top[0][1]), _number(top[0][2]))
    return AnswerTime(
        entry.time_us, bool(entry.get("final")), str(entry.get("status", "")), _whole(entry.get("packets", 0)), best
    )


def _number(value: Any) -> float:
    """Return a number. Raises TypeError for anything else, such as a text of digits."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{type(value).__name__} is no number")
    return float(value)


def _whole(value: Any) -> int:
    _number(value)
    return int(value)


def _answer_json(answer: AnswerTime, zero_us: int) -> Mapping[str, Any]:
    return {
        "ms": round((answer.time_us - zero_us) / 1000, 3),
        "final": answer.final,
        "status": answer.status,
        "packets": answer.packets,
        "best": answer.best,
    }
