"""Write the C header of the wire, ``protocol/pnc_wire.h``."""

from __future__ import annotations

from protocol.definition import CONTROL_HEADER, SCALARS, Definition, Packet, members


def _c_packet(packet: Packet) -> list[str]:
    upper = packet.name.upper()
    lines = [
        "",
        f"/* {packet.doc} */",
        f"#define PNC_{upper}_SIZE {packet.size}u",
        f"struct pnc_{packet.name} {{",
    ]
    lines.append("\tuint8_t peer; /* on the edge's serial port: number of the camera; else 0 */")
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
    stays = "The rest stays in `in`." if packet.rest else ""
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
        f"/* False if in[0..len) is too short or longer than PNC_MAX_PACKET. {stays} */",
    ]
    lines += [
        f"static inline bool pnc_{packet.name}_read(struct pnc_{packet.name} *p, const uint8_t *in, size_t len)",
        "{",
    ]
    lines += [f"\tif (len < PNC_{upper}_SIZE || len > PNC_MAX_PACKET) {{", "\t\treturn false;", "\t}"]
    return [*lines, *reads, "\treturn true;", "}"]


def c_header(definition: Definition) -> str:
    """Return the text of ``pnc_wire.h``."""
    lines = ["/* Generated from wire.toml by `python protocol/generate.py`: change that file, not this one. */"]
    lines += ["/* clang-format off */", "#ifndef PNC_WIRE_H", "#define PNC_WIRE_H", ""]
    lines += ["#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>", "#include <string.h>", ""]
    lines += [f"#define PNC_VERSION {definition.version}u"]
    lines += [f"#define PNC_{c.name.upper()} {c.value}u /* {c.doc} */" for c in definition.constants]
    lines += ["", "/* UUIDs: the parts between the dashes, as numbers. */"]
    for name, u in definition.uuids.items():
        parts = ", ".join(f"0x{part}" for part in u["value"].split("-"))
        lines.append(f"#define PNC_{name.upper()}_UUID {parts} /* {u['doc']} */")
    for name, enum in definition.enums.items():
        lines += ["", f"/* {enum['doc']}. */", f"enum pnc_{name} {{"]
        for member, m in members(enum):
            lines.append(f"\tPNC_{name.upper()}_{member.upper()} = {m['value']:#x}, /* {m['doc']} */")
        lines.append("};")
    lines += ["", "/* First byte of a control packet. */", "enum pnc_type {"]
    lines += [f"\tPNC_TYPE_{p.name.upper()} = {p.type:#04x}," for p in definition.packets] + ["};", ""]
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
    for packet in definition.packets:
        lines += _c_packet(packet)
    return "\n".join([*lines, "", "#endif"]) + "\n"
