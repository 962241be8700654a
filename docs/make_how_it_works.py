"""Write docs/how-it-works.svg: the sample picture, encoded, cut, decoded and classified by the shipped parts.

python docs/make_how_it_works.py [FILE.svg]
"""

from __future__ import annotations

import base64
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pnc_link
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "how-it-works.svg"
SAMPLE = ROOT / "host" / "assets" / "sample.jpg"
#: Packets that have arrived at each cut; the third is where the deadline stands in the drawing.
CUTS = (1, 2, 6, 21)
DEADLINE_CUT = 6
WIDTH, HEIGHT, THUMB = 960, 600, 132
LEFT, BAR_TOP, BAR_HEIGHT = 40, 330, 34

STYLE = """
svg { --ink: #1d2430; --soft: #5b6676; --line: #8a94a3; --box: #f2f5f9; --back: #ffffff; --on: #1769aa; --off: #c9d1db;
  --due: #b3261e; font-family: system-ui, 'Segoe UI', 'Liberation Sans', Arial, sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e8edf4; --soft: #a7b1bf; --line: #76818f; --box: #1d2530; --back: #10151c; --on: #63aef0;
    --off: #3a4553; --due: #ff8a80; }
}
text { fill: var(--ink); font-size: 15px; }
.soft { fill: var(--soft); font-size: 13px; }
.head { font-size: 15px; font-weight: 600; }
.name { font-size: 14px; font-weight: 600; }
.box { fill: var(--box); stroke: var(--line); }
.way { stroke: var(--ink); stroke-width: 2; fill: none; }
.tip { fill: var(--ink); }
.air { stroke: var(--on); stroke-width: 2.5; stroke-dasharray: 7 5; fill: none; }
.on { fill: var(--on); }
.off { fill: var(--off); }
.due { stroke: var(--due); stroke-width: 2.5; }
.duetext { fill: var(--due); font-weight: 600; }
.lead { stroke: var(--line); fill: none; }
"""


@dataclass(frozen=True)
class Cut:
    """What the edge server makes of the first packets: the decoded picture and its best class."""

    packets: int
    size: int
    picture: np.ndarray
    label: str
    probability: float


def cuts() -> tuple[list[int], list[Cut]]:
    """Return the bytes of each packet of the sample, and what is seen after the packets of ``CUTS``."""
    codec, classifier = pnc_link.load_codec(), pnc_link.load_classifier()
    packets = codec.encode(pnc_link.load_picture(str(SAMPLE)))
    seen = []
    for count in CUTS:
        picture = codec.decoder().decode(packets[:count]).picture
        [(_, label, probability)] = classifier.top(picture, 1)
        size = sum(len(packet.data) for packet in packets[:count])
        seen.append(Cut(count, size, picture, label, probability))
    return [len(packet.data) for packet in packets], seen


def image_tag(pixels: np.ndarray, x: float, y: float, side: float, name: str) -> str:
    """Return an SVG image with its pixels inside."""
    out = io.BytesIO()
    Image.fromarray(pixels).resize((2 * THUMB, 2 * THUMB), Image.Resampling.LANCZOS).save(out, "WEBP", quality=70)
    data = base64.b64encode(out.getvalue()).decode()
    return (
        f'<image x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" href="data:image/webp;base64,{data}">'
        f"<title>{name}</title></image>"
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{words}</text>'


def arrow(x1: float, y1: float, x2: float, y2: float, kind: str = "way") -> str:
    """Return a line with a tip at its end, to the left or to the right."""
    back = 9 if x2 > x1 else -9
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2 - back:g}" y2="{y2:g}" class="{kind}"/>'
        f'<path d="M{x2:g} {y2:g} l{-back:g} -5 v10 z" class="{"on" if kind == "air" else "tip"}"/>'
    )


def way() -> list[str]:
    """Return the upper half: the four places, and what goes between them."""
    places = (
        ("Camera computer", ("encodes a picture", "to packets, the most", "important first")),
        ("Camera board", ("queues by rank and", "deadline; drops what", "would be late")),
        ("Edge board", ("the same queue,", "towards the server")),
        ("Edge server", ("decodes, classifies", "what has arrived by", "the deadline")),
    )
    wide, gap, top, high = 164, 74, 76, 116
    parts = []
    for index, (name, lines) in enumerate(places):
        x = LEFT + index * (wide + gap)
        parts.append(f'<rect x="{x}" y="{top}" width="{wide}" height="{high}" rx="10" class="box"/>')
        parts.append(text(x + 14, top + 28, name, "name"))
        parts += [text(x + 14, top + 54 + 20 * row, line, "soft") for row, line in enumerate(lines)]
        if index:
            kind = "air" if index == 2 else "way"
            parts.append(arrow(x - gap + 5, top + 46, x - 5, top + 46, kind))
            parts.append(arrow(x - 5, top + 84, x - gap + 5, top + 84, kind))
            carrier = "Bluetooth" if index == 2 else "serial"
            parts.append(text(x - gap / 2, top + 30, carrier, "soft", "middle"))
            parts.append(text(x - gap / 2, top + 104, "answer", "soft", "middle"))
    return parts


def bar(sizes: list[int], seen: list[Cut]) -> list[str]:
    """Return the lower half: the packets in their order, the deadline, and what is seen after some of them."""
    whole, wide = sum(sizes), WIDTH - 2 * LEFT
    parts, x = [], float(LEFT)
    edges = [x]
    for index, size in enumerate(sizes):
        share = wide * size / whole
        kind = "on" if index < DEADLINE_CUT else "off"
        parts.append(f'<rect x="{x:.1f}" y="{BAR_TOP}" width="{share - 2:.1f}" height="{BAR_HEIGHT}" class="{kind}"/>')
        x += share
        edges.append(x)
    due = edges[DEADLINE_CUT] - 1
    parts.append(
        f'<line x1="{due:.1f}" y1="{BAR_TOP - 30}" x2="{due:.1f}" y2="{BAR_TOP + BAR_HEIGHT + 8}" class="due"/>'
    )
    parts.append(text(due + 8, BAR_TOP - 14, "the deadline, on a slow link: the rest is dropped", "duetext"))
    top = BAR_TOP + BAR_HEIGHT + 34
    for index, cut in enumerate(seen):
        left = LEFT + index * (wide - THUMB) / (len(seen) - 1)
        centre, end = left + THUMB / 2, edges[cut.packets] - 1
        lead = f"M{end:.1f} {BAR_TOP + BAR_HEIGHT + 2} L{centre:.1f} {top - 4}"
        parts.append(f'<path d="{lead}" class="lead"/>')
        words = f"{cut.packets} packet{'s' if cut.packets > 1 else ''}, {cut.size:,} bytes"
        parts.append(image_tag(cut.picture, left, top, THUMB, f"The sample picture decoded from {words}"))
        parts.append(text(centre, top + THUMB + 20, words, "soft", "middle"))
        parts.append(text(centre, top + THUMB + 40, f"{cut.label} {cut.probability:.0%}", "", "middle"))
    return parts


def draw() -> str:
    """Return the drawing."""
    sizes, seen = cuts()
    about = (
        f"A picture of {sum(sizes):,} bytes in {len(sizes)} packets goes from the camera computer over two boards to "
        "the edge server. Decoded after "
        + ", ".join(f"{cut.packets} packets: {cut.label} {cut.probability:.0%}" for cut in seen)
        + "."
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
            '<title id="t">How PNC Link works</title>',
            f'<desc id="d">{about}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill: var(--back)"/>',
            text(LEFT, 44, "The way of a picture, and of its answer", "head"),
            *way(),
            text(
                LEFT,
                262,
                f"One picture: {len(sizes)} packets, the most important first. Any first part is a picture.",
                "head",
            ),
            *bar(sizes, seen),
            "</svg>",
            "",
        )
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE).write_text(draw(), encoding="utf-8")
