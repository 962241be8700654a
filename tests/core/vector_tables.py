"""Turns protocol/vectors/*.json into a C program, so that C needs no JSON reader."""

from __future__ import annotations

import json
from typing import Any

from core_build import ROOT

from protocol.generate import Packet, load

FOLDER = ROOT / "protocol" / "vectors"
PICTURE = {"source": "source", "image": "image", "rank": "rank", "position": "position", "remaining_ms": "remaining_ms"}


def program() -> str:
    """The program: one TEST for each case."""
    vectors = {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in FILES}
    lines = ["/* Generated from protocol/vectors by vector_tables.py. */", '#include "vectors.h"', ""]
    lines += ["static struct rig rig;", "", *_identity(vectors["session"]["board"])]
    for name, write in FILES.items():
        for case in vectors[name]["cases"]:
            lines += ["", f"TEST(test_{name}_{case['name']})", "{", *(f"\t{line}" for line in write(case)), "}"]
    return "\n".join([*lines, ""])


def _bytes(spelled: str) -> str:
    """A C expression for these bytes; a copy of exactly their length, so that ASan sees a read beyond it."""
    if not spelled:
        return "(struct bytes){(const uint8_t *)&rig, 0}"
    numbers = ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(spelled))
    return f"(struct bytes){{(const uint8_t[]){{{numbers}}}, {len(spelled) // 2}}}"


def _list(kind: str, items: list[str]) -> str:
    return f"(const struct {kind}[]){{{', '.join(items)}}}" if items else "NULL"


def _identity(board: dict[str, Any]) -> list[str]:
    firmware = ", ".join(str(number) for number in board["firmware"])
    return [
        "static void start(uint8_t role)",
        "{",
        "\tconst struct pnc_board_identity identity = {",
        f"\t\t.board_id = {board['board_id']:#x}u, .session = {board['session']}u,",
        f"\t\t.capabilities = {board['capabilities']}u, .firmware = {{{firmware}}}, .role = role,",
        f"\t\t.boot = {board['boot']}, .in_flight = {board['in_flight']}, .name = {json.dumps(board['name'])}}};",
        f'\t_Static_assert(PNC_QUEUE_SLOTS == {board["slots"]}u, "slots of the vectors");',
        "\tmemset(&rig, 0, sizeof(rig));",
        "\tpnc_frame_reader_init(&rig.reader);",
        "\tpnc_board_init(&rig.board, &identity, &rig_ops, &rig, 0);",
        "}",
    ]


def _frames(case: dict[str, Any]) -> list[str]:
    found = [f"{{{p['seq']}, {_bytes(p['packet'])}}}" for p in case["packets"]]
    numbers = ", ".join(f"{case[key]}u" for key in ("damaged", "missed", "missing", "next_seq"))
    return [f"check_frames({_bytes(case['stream'])}, {_list('sound_frame', found)}, {len(found)}, {numbers});"]


def _packets(case: dict[str, Any]) -> list[str]:
    packet = f"const struct bytes in = {_bytes(case['packet'])};"
    if case["is"] in ("malformed", "unknown"):
        reads = []
        name = PACKETS_BY_TYPE.get(int(case["packet"][:2] or "0", 16))
        if case["is"] == "malformed" and name:
            reads = [f"struct pnc_{name} p;", f"CHECK(!pnc_{name}_read(&p, in.at, in.len));"]
        return [packet, *reads, f"check_refused(&rig, in, {'true' if case['is'] == 'malformed' else 'false'});"]
    if case["is"] == "picture":
        return [packet, *_picture(case["fields"])]
    return [packet, *_control(PACKETS[case["is"]], case)]


def _picture(said: dict[str, Any]) -> list[str]:
    lines = [
        "const struct picture p = picture_read(in.at, in.len);",
        f"CHECK_EQ(p.codec_bytes, {len(said['data']) // 2});",
    ]
    lines += [f"CHECK_EQ(p.{member}, {said[key]});" for key, member in PICTURE.items()]
    lines += [f"CHECK_EQ((in.at[0] & PNC_PICTURE_FLAGS_LAST) != 0, {said['last']});"]
    lines += ["rig_ready(&rig, PNC_ROLE_CAMERA);", "rig_say(&rig, 0, in.at, in.len);"]
    return [*lines, "CHECK_EQ(rig.board.queue.totals.accepted, 1);", "CHECK_EQ(rig.board.unknown, 0);"]


def _control(packet: Packet, case: dict[str, Any]) -> list[str]:
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
            continue
        size = f"{f.size}" if f.size else f"p.{f.name}_len"
        lines.append(f"const struct bytes {f.name} = {_bytes(said[f.name])};")
        lines.append(f"CHECK_BYTES(p.{f.name}, {size}, {f.name}.at, {f.name}.len);")
    written = _bytes(case.get("written", case["packet"]))
    lines += ["uint8_t out[PNC_MAX_PACKET];", f"const struct bytes written = {written};"]
    return [*lines, f"CHECK_BYTES(out, pnc_{name}_write(&p, out), written.at, written.len);"]


def _session(case: dict[str, Any]) -> list[str]:
    return [f"start({case['role']});", *(_step(step) for step in case["steps"])]


def _step(step: dict[str, Any]) -> str:
    now = f"{step['at_us']}u"
    board = f"&rig.board, {now}"
    (what,) = step.keys() - {"at_us"}
    about = step[what]
    if what == "serial_in":
        return f"{{ const struct bytes in = {_bytes(about)}; pnc_board_serial_rx({board}, in.at, in.len); }}"
    if what == "serial_out":
        return f"check_serial_out(&rig, {now}, {_list('bytes', [_bytes(p) for p in about])}, {len(about)});"
    peer = about["peer"]
    if what == "radio_in":
        return f"{{ const struct bytes in = {_bytes(about['packet'])}; pnc_board_radio_rx({board}, {peer}, in.at, in.len); }}"
    if what == "radio_out":
        packets = [_bytes(p) for p in about["packets"]]
        return f"check_radio_out(&rig, {now}, {peer}, {_list('bytes', packets)}, {len(packets)});"
    if what == "radio_up":
        link = f"{{{about['interval_us']}u, {about['mtu']}, {about['phy']}}}"
        return f"{{ const struct pnc_radio_link link = {link}; pnc_board_radio_up({board}, {peer}, &link); }}"
    if what == "radio_down":
        return f"pnc_board_radio_down({board}, {peer}, {about['reason']});"
    return f"pnc_board_radio_sent({board}, {peer});"


FILES = {"frames": _frames, "packets": _packets, "session": _session}
PACKETS = {packet.name: packet for packet in load(ROOT / "protocol" / "wire.toml")[1]}
PACKETS_BY_TYPE = {packet.type: packet.name for packet in PACKETS.values()}
