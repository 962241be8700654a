"""A picture's time line as text."""

from __future__ import annotations

from collections.abc import Sequence

from .timeline import Best, PacketTimes, PictureTimes

_RULER = 60
#: A letter of the ruler: a later row's mark replaces an earlier one's.
_MARKS = "time line: e encoded, s sent, r in the radio, a arrived, D decided, A answer, | deadline"


def picture_lines(picture: PictureTimes, *, packets: bool = False) -> list[str]:
    """Return the lines about one picture; with ``packets`` also one for each packet. Not yet printable."""
    zero = picture.zero_us
    camera = "" if picture.source is None else f"  camera {picture.source}"
    due = "" if picture.due_us is None else f"  deadline {(picture.due_us - zero) / 1000:.0f} ms"
    rows: list[tuple[int, str]] = []

    def add(first_us: int, last_us: int | None, text: str) -> None:
        rows.append((first_us, _row(picture, first_us, last_us, text)))

    if picture.taken_us is not None and picture.encoded_us is not None:
        add(picture.taken_us, None, "taken")
        add(picture.encoded_us, None, f"encoded        {picture.encoded_bytes:,} bytes at first")
    all_packets = list(picture.packets.values())
    for name, what, extra in (
        ("sent_us", "sent", ""),
        ("in_radio_us", "in the radio", _on_air(all_packets)),
        ("arrived_us", "arrived", ""),
    ):
        there = [packet for packet in all_packets if getattr(packet, name) is not None]
        if there:
            times = [getattr(packet, name) for packet in there]
            size = sum(packet.bytes for packet in there)
            text = f"{what:14} {len(there)} packets, {size:,} bytes{extra}"
            add(min(times), max(times), text)
    if picture.decided_us is not None:
        whole = "everything is there" if picture.whole else "the rest would come too late"
        add(picture.decided_us, None, f"decided        {whole}")
    for answer in picture.results:
        kind = "answer leaves" if answer.final else "first answer"
        add(answer.time_us, None, f"{kind:14} {_best(answer.best, answer.status)} ({answer.packets} packets)")
    if picture.leaves_us is not None:
        add(picture.leaves_us, None, "last moment for the answer to leave")
    if picture.answered_us is not None:
        add(picture.answered_us, None, f"answered       {_best(picture.best, picture.status)}")
    bar = _ruler(picture)
    return [
        f"image {picture.image}{camera}{due}  {picture.status or 'no answer seen'}",
        *([f"  [{bar}]"] if bar else []),
        *(line for _, line in sorted(rows, key=lambda row: row[0])),
        *(_packet_lines(picture) if packets else []),
    ]


def legend() -> str:
    """Return the line that explains the rulers."""
    return _MARKS


def _row(picture: PictureTimes, first_us: int, last_us: int | None, text: str) -> str:
    first = f"{(first_us - picture.zero_us) / 1000:.1f}"
    last = "" if last_us is None else f"to {(last_us - picture.zero_us) / 1000:.1f}"
    return f"  {first:>8} {last:10} ms  {text}"


def _ruler(picture: PictureTimes) -> str:
    """Return the picture's time as a row of letters."""
    marks: list[tuple[int | None, str]] = [(picture.encoded_us, "e")]
    for packet in picture.packets.values():
        marks += [(packet.sent_us, "s"), (packet.in_radio_us, "r"), (packet.arrived_us, "a")]
    marks += [(picture.decided_us, "D")]
    marks += [(answer.time_us, "A") for answer in (picture.answers or picture.results)]
    marks += [(picture.due_us or picture.leaves_us, "|")]
    known = [(time_us, letter) for time_us, letter in marks if time_us is not None]
    end_us = max((time_us for time_us, _ in known), default=picture.zero_us)
    if end_us <= picture.zero_us:
        return ""
    row = [" "] * _RULER
    order = " esraDA|"
    for time_us, letter in known:
        place = min(_RULER - 1, max(0, (time_us - picture.zero_us) * _RULER // (end_us - picture.zero_us)))
        if order.index(letter) > order.index(row[place]):
            row[place] = letter
    return "".join(row)


def _on_air(packets: Sequence[PacketTimes]) -> str:
    count = sum(packet.on_air for packet in packets)
    return f", {count} transmissions" if count else ""


def _best(best: Best | None, status: str) -> str:
    return status if best is None else f"{best[0]} {best[1]:.0%}, {status}"


def _packet_lines(picture: PictureTimes) -> list[str]:
    def ms(time_us: int | None) -> str:
        return "-" if time_us is None else f"{(time_us - picture.zero_us) / 1000:.1f}"

    head = f"    {'rank':>4} {'bytes':>5} {'sent':>9} {'in radio':>9} {'on air':>6} {'arrived':>9}"
    return [
        head,
        *(
            f"    {p.rank:4} {p.bytes:5} {ms(p.sent_us):>9} {ms(p.in_radio_us):>9} {p.on_air or '-':>6} "
            f"{ms(p.arrived_us):>9}"
            for _, p in sorted(picture.packets.items())
        ),
    ]
