"""Turns protocol/vectors/*.json into a C program, so that C needs no JSON reader."""

from __future__ import annotations

import json
from typing import Any

from protocol.definition import Packet, load
from tests.core.core_build import ROOT

FOLDER = ROOT / "protocol" / "vectors"
PACKETS = {packet.name: packet for packet in load(ROOT / "protocol" / "wire.toml").packets}
PACKETS_BY_TYPE = {packet.type: packet.name for packet in PACKETS.values()}


class Tables:
    """The constant arrays of the program, each once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    @property
    def lines(self) -> list[str]:
        return [f"static const {declaration.replace('@', name)};" for declaration, name in self._names.items()]

    def bytes(self, spelled: str) -> str:
        """Initialiser of a struct bytes: an array of exactly that length, so that ASan sees a read beyond it."""
        if not spelled:
            return "{NO_BYTES, 0}"
        numbers = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(spelled))
        return f"{{{self._array('uint8_t', numbers)}, {len(spelled) // 2}}}"

    def bytes_value(self, spelled: str) -> str:
        """The same as an expression."""
        return f"(struct bytes){self.bytes(spelled)}"

    def packets(self, spelled: list[str]) -> str:
        """Two arguments: an array of struct bytes and its length."""
        return self._list("struct bytes", [self.bytes(packet) for packet in spelled])

    def frames(self, frames: list[dict[str, Any]]) -> str:
        """Two arguments: an array of struct sound_frame and its length."""
        return self._list("struct sound_frame", [f"{{{f['seq']}, {self.bytes(f['packet'])}}}" for f in frames])

    def _list(self, kind: str, items: list[str]) -> str:
        return f"{self._array(kind, ', '.join(items))}, {len(items)}" if items else "NULL, 0"

    def _array(self, kind: str, content: str) -> str:
        return self._names.setdefault(f"{kind} @[] = {{{content}}}", f"array_{len(self._names)}")


def program() -> str:
    """The program: one TEST for each case."""
    vectors = {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in FILES}
    tables = Tables()
    tests = []
    for name, write in FILES.items():
        for case in vectors[name]["cases"]:
            body = [f"\t{line}" for line in write(tables, case)]
            tests += ["", f"TEST(test_{name}_{case['name']})", "{", *body, "}"]
    head = ["/* Generated from protocol/vectors by vector_tables.py. */", '#include "vectors.h"', ""]
    board = _board(vectors["session"]["board"])
    return "\n".join([*head, "static struct rig rig;", *tables.lines, "", *board, *tests, ""])


def _board(board: dict[str, Any]) -> list[str]:
    firmware = ", ".join(str(number) for number in board["firmware"])
    return [
        f'_Static_assert(PNC_QUEUE_SLOTS == {board["slots"]}u, "slots of the vectors");',
        "static void start(uint8_t role)",
        "{",
        "\tconst struct pnc_board_identity identity = {",
        f"\t\t.board_id = {board['board_id']:#x}u, .session = {board['session']}u,",
        f"\t\t.capabilities = {board['capabilities']}u, .firmware = {{{firmware}}}, .role = role,",
        f"\t\t.boot = {board['boot']}, .in_flight = {board['in_flight']}, .name = {json.dumps(board['name'])}}};",
        "\trig_start_as(&rig, &identity, 0);",
        "}",
    ]


def _frames(tables: Tables, case: dict[str, Any]) -> list[str]:
    numbers = ", ".join(f"{case[key]}u" for key in ("damaged", "missed", "missing", "next_seq"))
    return [f"check_frames({tables.bytes_value(case['stream'])}, {tables.frames(case['packets'])}, {numbers});"]


def _packets(tables: Tables, case: dict[str, Any]) -> list[str]:
    packet = f"const struct bytes in = {tables.bytes(case['packet'])};"
    if case["is"] in ("malformed", "unknown"):
        name = PACKETS_BY_TYPE.get(int(case["packet"][:2] or "0", 16))
        malformed = case["is"] == "malformed"
        lines = [packet, f"check_refused(&rig, in, {str(malformed).lower()});"]
        if malformed and name:
            lines += [f"struct pnc_{name} p;", f"CHECK(!pnc_{name}_read(&p, in.at, in.len));"]
        return lines
    if case["is"] == "picture":
        return [packet, *_picture(case["fields"])]
    return [packet, *_control(tables, PACKETS[case["is"]], case)]


def _picture(said: dict[str, Any]) -> list[str]:
    numbers = ("source", "program", "image", "rank", "position", "remaining_ms")
    return [
        "const struct picture p = picture_read(in.at, in.len);",
        *(f"CHECK_EQ(p.{name}, {said[name]});" for name in numbers),
        f"CHECK_EQ(p.codec_bytes, {len(said['data']) // 2});",
        f"CHECK_EQ((in.at[0] & PNC_PICTURE_FLAGS_LAST) != 0, {said['last']});",
        "check_accepted(&rig, in);",
    ]


def _control(tables: Tables, packet: Packet, case: dict[str, Any]) -> list[str]:
    said = case["fields"]
    name = packet.name
    lines = [
        f"struct pnc_{name} p;",
        f"CHECK(pnc_{name}_read(&p, in.at, in.len));",
        f"CHECK_EQ(p.peer, {said['peer']});",
    ]
    for f in packet.fields:
        if f.is_scalar:
            suffix = "" if f.kind.startswith("i") else "u"
            lines.append(f"CHECK(p.{f.name} == {said[f.name]}{suffix});")
        else:
            size = f"{f.size}" if f.size else f"p.{f.name}_len"
            lines.append(f"check_bytes(p.{f.name}, {size}, {tables.bytes_value(said[f.name])});")
    written = tables.bytes_value(case.get("written", case["packet"]))
    return [*lines, "uint8_t out[PNC_MAX_PACKET];", f"check_bytes(out, pnc_{name}_write(&p, out), {written});"]


def _session(tables: Tables, case: dict[str, Any]) -> list[str]:
    return [f"start({case['role']});", *(_step(tables, step) for step in case["steps"])]


def _step(tables: Tables, step: dict[str, Any]) -> str:
    now = f"{step['at_us']}u"
    (what,) = step.keys() - {"at_us"}
    about = step[what]
    if what == "serial_in":
        return f"serial_in(&rig, {now}, {tables.bytes_value(about)});"
    if what == "serial_out":
        return f"check_serial_out(&rig, {now}, {tables.packets(about)});"
    board = f"&rig.board, {now}, {about['peer']}"
    if what == "radio_in":
        return f"radio_in(&rig, {now}, {about['peer']}, {tables.bytes_value(about['packet'])});"
    if what == "radio_out":
        return f"check_radio_out(&rig, {now}, {about['peer']}, {tables.packets(about['packets'])});"
    if what == "radio_up":
        link = f"{{{about['interval_us']}u, {about['mtu']}, {about['phy']}, 0}}"
        return f"pnc_board_radio_up({board}, &(struct pnc_radio_link){link});"
    if what == "radio_down":
        return f"pnc_board_radio_down({board}, {about['reason']});"
    return f"pnc_board_radio_sent({board});"


FILES = {"frames": _frames, "packets": _packets, "session": _session}
