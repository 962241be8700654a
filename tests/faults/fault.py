"""What can go wrong, and where: a fault's kind, its place, and the number of the byte, packet, event or call there."""

from __future__ import annotations

from dataclasses import dataclass

#: The directions of the two serial lines, and the boards and computers, as places are named.
LINES = ("camera-out", "camera-in", "edge-out", "edge-in")  # out: from the computer to its board
BOARDS = ("camera", "edge")
COMPUTERS = ("sender", "server")
#: How far a clock is stepped, us: a computer's both ways; a board's counts from its start and is never set back.
STEPS = {"forth": 500_000, "back": -500_000}

#: Each kind of fault with its places, and what is counted there.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "flip": (LINES, "a bit of this byte is flipped"),
    "lose": (LINES, "this byte is lost"),
    "double": (LINES, "this byte arrives twice"),
    "credit": (("camera-in", "edge-in"), "this credit is lost"),
    "air": (("air",), "this transmission is not received"),
    "end": (("air",), "the connection ends before this event of the model"),
    "reset": (BOARDS, "the board is reset before this call of its core"),
    "forth": ((*COMPUTERS, *BOARDS), "the clock jumps ahead before this call"),
    "back": (COMPUTERS, "the clock is set back before this call"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``str()`` is its id, such as ``flip:camera-out:17``."""

    kind: str
    place: str
    index: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}:{self.index}"


def parse_fault(text: str) -> Fault:
    """Return the fault with this id; ValueError if there is none."""
    kind, _, rest = text.partition(":")
    place, _, index = rest.partition(":")
    if kind not in KINDS or place not in KINDS[kind][0] or not index.isdecimal():
        raise ValueError(f"{text!r} is no fault: KIND:PLACE:NUMBER, with {', '.join(KINDS)} as kinds")
    return Fault(kind, place, int(index))


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Return the faults of a run's id: one, or several joined by ``+``; none for ``none``."""
    return () if text == "none" else tuple(map(parse_fault, text.split("+")))


def run_id(faults: tuple[Fault, ...]) -> str:
    """Return the id of a run with these faults."""
    return "+".join(map(str, faults)) or "none"
