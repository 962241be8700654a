"""Write protocol/vectors/*.json, from which both languages are tested.

The bytes come from the ``cobs`` package, zlib, the generated ``host.wire`` and, for sealed packets, a second
implementation, never from the code under test; what is expected is written out by hand.
``python tests/wire/make_vectors.py`` writes, ``--check`` compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import goal  # noqa: E402
from tests.wire import class_cases, frame_cases, packet_cases, sealed_cases, session_cases  # noqa: E402
from tests.wire.vector_files import FOLDER  # noqa: E402

DOCS = {
    "frames": "Bytes on the serial port and what a reader that expects sequence number 0 finds in them: sound packets "
    "in order, frames damaged, numbers missed, then next_seq and missing as in credit.",
    "packets": "Packets and what they say. is: the packet's name, or malformed, or unknown. fields: numbers, and hex "
    "for bytes. written: what a writer of this version makes of the fields, where that is not the packet itself.",
    "result_classes": "Texts of results with the status ok and the classes in them, in order; malformed: the text ends "
    "inside a class. label: UTF-8.",
    "sealed": "A key, the salts of a camera and a server, what is derived from them, and packets before (plain) and "
    "after (sealed) they are sealed; number is that of an answer. refused: a packet after rank 0 that must not be "
    "opened in this session as part of the picture with that counter.",
    "session": "Boards and what comes out of them. Each step happens at at_us. serial_in: bytes on the serial port; "
    "serial_out: the packets that the board then has for its host, all of them, in order; radio_in: a packet over the "
    "air; radio_out: the packets that the radio may then take, all of them, in order; radio_up, radio_down, radio_sent:"
    " what the radio reports. The text of an error is not compared.",
}


def texts() -> dict[Path, str]:
    """Return the expected text of each file."""
    found: dict[str, dict[str, Any]] = {
        "frames": {"cases": frame_cases.cases()},
        "packets": {"cases": packet_cases.cases()},
        "result_classes": {"cases": class_cases.cases()},
        "sealed": {**sealed_cases.session(), "cases": sealed_cases.cases()},
        "session": {"board": session_cases.BOARD, "cases": session_cases.cases()},
    }
    return {FOLDER / f"{name}.json": render({"doc": DOCS[name], **content}) for name, content in found.items()}


def render(content: dict[str, Any]) -> str:
    """Return JSON with one line for each case or step."""
    head = {key: value for key, value in content.items() if key != "cases"}
    lines = ["{", *(f' "{key}": {json.dumps(value)},' for key, value in head.items()), ' "cases": [']
    for number, case in enumerate(content["cases"], 1):
        comma = "," if number < len(content["cases"]) else ""
        if "steps" in case:
            rest = {key: value for key, value in case.items() if key != "steps"}
            lines.append(f'  {json.dumps(rest)[:-1]}, "steps": [')
            lines.append(",\n".join(f"   {json.dumps(step)}" for step in case["steps"]))
            lines.append(f"  ]}}{comma}")
        else:
            lines.append(f"  {json.dumps(case)}{comma}")
    return "\n".join([*lines, " ]", "}", ""])


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` compare them."""
    stale = [p for p, text in texts().items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} is stale: run `python tests/wire/make_vectors.py`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    goal.run("vectors", lambda: main(sys.argv[1:]))
