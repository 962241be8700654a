"""Writes ``wire.py`` and ``pnc_wire.h`` from ``wire.toml``.

``python protocol/generate.py`` writes both; ``--check`` writes nothing and fails when one is stale.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: The package that the host programs are.
HOST = HERE.parent / "host"
SCALARS = {  # wire type: (struct letter, C type, bytes)
    "u8": ("B", "uint8_t", 1),
    "i8": ("b", "int8_t", 1),
    "u16": ("H", "uint16_t", 2),
    "i16": ("h", "int16_t", 2),
    "u32": ("I", "uint32_t", 4),
    "u64": ("Q", "uint64_t", 8),
}
CONTROL_HEADER = 2  # type, peer


@dataclass(frozen=True)
class Field:
    """One field of a control packet; ``size`` in bytes, 0 for the rest of the packet."""

    name: str
    kind: str
    doc: str
    size: int

    @classmethod
    def of(cls, row: list[str]) -> Field:
        name, kind, doc = row
        if kind in SCALARS:
            size = SCALARS[kind][2]
        elif kind == "rest":
            size = 0
        elif kind.startswith("bytes"):
            size = int(kind.removeprefix("bytes"))
        else:
            raise SystemExit(f"wire.toml: field {name} has the unknown type {kind}")
        return cls(name, kind, doc, size)

    @property
    def is_scalar(self) -> bool:
        return self.kind in SCALARS


@dataclass(frozen=True)
class Packet:
    """One control packet."""

    name: str
    type: int
    doc: str
    fields: tuple[Field, ...]

    @property
    def fixed(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.size)

    @property
    def rest(self) -> Field | None:
        return next((f for f in self.fields if not f.size), None)

    @property
    def size(self) -> int:
        """Bytes of the packet without its rest."""
        return CONTROL_HEADER + sum(f.size for f in self.fixed)


def load(path: Path) -> tuple[dict[str, Any], tuple[Packet, ...]]:
    """Read and check the definition."""
    definition = tomllib.loads(path.read_text(encoding="utf-8"))
    packets = tuple(
        Packet(p["name"], p["type"], p["doc"], tuple(Field.of(row) for row in p["fields"]))
        for p in definition["packets"]
    )
    if len({p.type for p in packets}) != len(packets):
        raise SystemExit("wire.toml: two packets have the same type")
    for packet in packets:
        if any(not f.size for f in packet.fields[:-1]):
            raise SystemExit(f"wire.toml: in {packet.name} only the last field may be the rest")
        if not 0 < packet.type < 0x80 or packet.size > definition["constants"]["max_packet"]["value"]:
            raise SystemExit(f"wire.toml: {packet.name} has an illegal type or size")
    return definition, packets


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _python_packet(packet: Packet) -> list[str]:
    struct = "<BB" + "".join(SCALARS[f.kind][0] if f.is_scalar else f"{f.size}s" for f in packet.fixed)
    lines = ["", "", "@dataclass(frozen=True, slots=True)", f"class {_camel(packet.name)}:"]
    lines += [f'    """{packet.doc}"""', "", f"    TYPE: ClassVar[int] = {packet.type:#04x}"]
    lines += [f'    LAYOUT: ClassVar[Struct] = Struct("{struct}")', ""]
    for f in packet.fixed:
        default = "0" if f.is_scalar else f"bytes({f.size})"
        lines.append(f"    {f.name}: {'int' if f.is_scalar else 'bytes'} = {default}  # {f.doc}")
    if packet.rest:
        lines.append(f'    {packet.rest.name}: bytes = b""  # {packet.rest.doc}')
    lines.append("    peer: int = 0  # on the edge's serial port: which camera; else 0")
    names = [f.name for f in packet.fixed]
    arguments = ", ".join(["self.TYPE", "self.peer", *(f"self.{name}" for name in names)])
    tail = f" + self.{packet.rest.name}" if packet.rest else ""
    lines += [
        "",
        "    def pack(self) -> bytes:",
        '        """The packet\'s bytes; struct.error if a field does not fit."""',
    ]
    lines += [f"        return self.LAYOUT.pack({arguments}){tail}"]
    lines += ["", "    @classmethod", f"    def unpack(cls, data: bytes) -> {_camel(packet.name)}:"]
    lines += ['        """Read it; MalformedError if it is too short. Bytes beyond the known fields are ignored."""']
    lines += ["        if len(data) < cls.LAYOUT.size:"]
    lines += [f'            raise MalformedError(f"{packet.name}: {{len(data)}} bytes, {{cls.LAYOUT.size}} needed")']
    unpacked = ", ".join(["_", "peer", *names])
    rest = f", {packet.rest.name}=data[cls.LAYOUT.size :]" if packet.rest else ""
    keywords = ", ".join(f"{name}={name}" for name in names)
    lines += [f"        {unpacked} = cls.LAYOUT.unpack_from(data)"]
    lines += [f"        return cls({keywords}{', ' if keywords else ''}peer=peer{rest})"]
    return lines


def python_module(definition: dict[str, Any], packets: tuple[Packet, ...]) -> str:
    """The text of ``wire.py``."""
    lines = ['"""Generated from wire.toml by `python protocol/generate.py`: change that file, not this one."""']
    lines += ["# ruff: noqa: E501", "# fmt: off", "", "from __future__ import annotations", ""]
    lines += ["from dataclasses import dataclass", "from enum import IntEnum, IntFlag"]
    lines += ["from struct import Struct", "from typing import ClassVar", ""]
    lines += [f"VERSION = {definition['protocol']['version']}"]
    for name, c in definition["constants"].items():
        lines.append(f"{name.upper()} = {c['value']}  # {c['doc']}")
    for name, u in definition["uuids"].items():
        lines.append(f'{name.upper()}_UUID = "{u["value"]}"  # {u["doc"]}')
    lines += [
        "",
        "",
        "class MalformedError(ValueError):",
        '    """A packet whose bytes do not make sense."""',
    ]
    for name, enum in definition["enums"].items():
        base = "IntFlag" if name in ("capability", "picture_flags") else "IntEnum"
        lines += ["", "", f"class {_camel(name)}({base}):", f'    """{enum["doc"]}."""', ""]
        for member, m in enum.items():
            if member != "doc":
                lines.append(f"    {member.upper()} = {m['value']:#x}  # {m['doc']}")
    for packet in packets:
        lines += _python_packet(packet)
    union = " | ".join(_camel(p.name) for p in packets)
    lines += ["", "", f"Control = {union}", "CONTROL: dict[int, type[Control]] = {"]
    lines += [f"    {_camel(p.name)}.TYPE: {_camel(p.name)}," for p in packets]
    return "\n".join([*lines, "}"]) + "\n"


def _c_packet(packet: Packet) -> list[str]:
    upper = packet.name.upper()
    lines = [
        "",
        f"/* {packet.doc} */",
        f"#define PNC_{upper}_SIZE {packet.size}u",
        f"struct pnc_{packet.name} {{",
    ]
    lines.append("\tuint8_t peer; /* on the edge's serial port: which camera; else 0 */")
    for f in packet.fixed:
        declaration = f"{SCALARS[f.kind][1]} {f.name}" if f.is_scalar else f"uint8_t {f.name}[{f.size}]"
        lines.append(f"\t{declaration}; /* {f.doc} */")
    if packet.rest:
        lines.append(f"\tconst uint8_t *{packet.rest.name}; /* {packet.rest.doc} */")
        lines.append(f"\tuint8_t {packet.rest.name}_len;")
    lines += [
        "};",
        "",
        f"/* Writes PNC_{upper}_SIZE bytes{' and the rest' if packet.rest else ''}; returns their number. */",
    ]
    lines += [
        f"static inline size_t pnc_{packet.name}_write(const struct pnc_{packet.name} *p, uint8_t *out)",
        "{",
    ]
    lines += [f"\tout[0] = PNC_TYPE_{upper};", "\tout[1] = p->peer;"]
    reads = ["\tp->peer = in[1];"]
    at = CONTROL_HEADER
    for f in packet.fixed:
        if f.is_scalar and f.size == 1:
            lines.append(f"\tout[{at}] = (uint8_t)p->{f.name};")
            reads.append(f"\tp->{f.name} = ({SCALARS[f.kind][1]})in[{at}];")
        elif f.is_scalar:
            bits = f.size * 8
            lines.append(f"\tpnc_put{bits}(out + {at}, (uint{bits}_t)p->{f.name});")
            reads.append(f"\tp->{f.name} = ({SCALARS[f.kind][1]})pnc_get{bits}(in + {at});")
        else:
            lines.append(f"\tmemcpy(out + {at}, p->{f.name}, {f.size});")
            reads.append(f"\tmemcpy(p->{f.name}, in + {at}, {f.size});")
        at += f.size
    if packet.rest:
        name = packet.rest.name
        lines += [f"\tif (p->{name}_len > 0) {{", f"\t\tmemcpy(out + {at}, p->{name}, p->{name}_len);", "\t}"]
        lines += [f"\treturn {at}u + p->{name}_len;"]
        reads += [f"\tp->{name} = in + {at};", f"\tp->{name}_len = (uint8_t)(len - {at}u);"]
    else:
        lines += [f"\treturn {at}u;"]
    lines += [
        "}",
        "",
        f"/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. {'The rest stays in `in`.' if packet.rest else ''} */",
    ]
    lines += [
        f"static inline bool pnc_{packet.name}_read(struct pnc_{packet.name} *p, const uint8_t *in, size_t len)",
        "{",
    ]
    lines += [f"\tif (len < PNC_{upper}_SIZE || len > PNC_MAX_PACKET) {{", "\t\treturn false;", "\t}"]
    return [*lines, *reads, "\treturn true;", "}"]


def c_header(definition: dict[str, Any], packets: tuple[Packet, ...]) -> str:
    """The text of ``pnc_wire.h``."""
    lines = ["/* Generated from wire.toml by `python protocol/generate.py`: change that file, not this one. */"]
    lines += ["/* clang-format off */", "#ifndef PNC_WIRE_H", "#define PNC_WIRE_H", ""]
    lines += ["#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>", "#include <string.h>", ""]
    lines += [f"#define PNC_VERSION {definition['protocol']['version']}u"]
    for name, c in definition["constants"].items():
        lines.append(f"#define PNC_{name.upper()} {c['value']}u /* {c['doc']} */")
    lines += ["", "/* UUIDs: the parts between the dashes, as numbers. */"]
    for name, u in definition["uuids"].items():
        parts = ", ".join(f"0x{part}" for part in u["value"].split("-"))
        lines.append(f"#define PNC_{name.upper()}_UUID {parts} /* {u['doc']} */")
    for name, enum in definition["enums"].items():
        lines += ["", f"/* {enum['doc']}. */", f"enum pnc_{name} {{"]
        for member, m in enum.items():
            if member != "doc":
                lines.append(f"\tPNC_{name.upper()}_{member.upper()} = {m['value']:#x}, /* {m['doc']} */")
        lines.append("};")
    lines += ["", "/* First byte of a control packet. */", "enum pnc_type {"]
    lines += [f"\tPNC_TYPE_{p.name.upper()} = {p.type:#04x}," for p in packets] + ["};", ""]
    for bits in (16, 32, 64):
        shifts = [f"\tout[{i}] = (uint8_t)(v >> {8 * i});" for i in range(bits // 8)]
        terms = " | ".join(f"((uint{bits}_t)in[{i}] << {8 * i})" for i in range(bits // 8))
        lines += [f"static inline void pnc_put{bits}(uint8_t *out, uint{bits}_t v)", "{", *shifts, "}", ""]
        lines += [
            f"static inline uint{bits}_t pnc_get{bits}(const uint8_t *in)",
            "{",
            f"\treturn (uint{bits}_t)({terms});",
            "}",
            "",
        ]
    for packet in packets:
        lines += _c_packet(packet)
    return "\n".join([*lines, "", "#endif"]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the generated files, or with ``--check`` compare them."""
    definition, packets = load(HERE / "wire.toml")
    texts = {
        HOST / "wire.py": python_module(definition, packets),
        HERE / "pnc_wire.h": c_header(definition, packets),
    }
    stale = [p for p, text in texts.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} is stale: run `python protocol/generate.py`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
