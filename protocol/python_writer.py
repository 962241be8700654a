"""Write the Python module of the wire, ``host/wire.py``."""

from __future__ import annotations

from protocol.definition import Definition, Packet, members


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _python_class(packet: Packet, struct: str) -> list[str]:
    """Return the class statement, docstring and layout of a packet; ``struct`` is the layout's format."""
    lines = ["", "", "@dataclass(frozen=True, slots=True)", f"class {_camel(packet.name)}:"]
    lines += [f'    """{packet.doc}"""', ""]
    if packet.type >= 0:
        lines.append(f"    TYPE: ClassVar[int] = {packet.type:#04x}")
    return [*lines, f'    LAYOUT: ClassVar[Struct] = Struct("{struct}")', ""]


def _python_packet(packet: Packet) -> list[str]:
    lines = _python_class(packet, "<BB" + "".join(f.letters for f in packet.fixed))
    for f in packet.fixed:
        default = "0" if f.is_scalar else f"bytes({f.size})"
        lines.append(f"    {f.name}: {'int' if f.is_scalar else 'bytes'} = {default}  # {f.doc}")
    if packet.rest:
        lines.append(f'    {packet.rest.name}: bytes = b""  # {packet.rest.doc}')
    lines.append("    peer: int = 0  # on the edge's serial port: number of the camera; else 0")
    names = [f.name for f in packet.fixed]
    arguments = ", ".join(["self.TYPE", "self.peer", *(f"self.{name}" for name in names)])
    tail = f" + self.{packet.rest.name}" if packet.rest else ""
    lines += [
        "",
        "    def pack(self) -> bytes:",
        '        """Return the packet\'s bytes; struct.error if a number does not fit its field."""',
    ]
    lines += [f"        return self.LAYOUT.pack({arguments}){tail}"]
    lines += ["", "    @classmethod", f"    def unpack(cls, data: bytes) -> {_camel(packet.name)}:"]
    lines += ['        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""']
    lines += ["        if len(data) < cls.LAYOUT.size:"]
    lines += [f'            raise MalformedError(f"{packet.name}: {{len(data)}} bytes, {{cls.LAYOUT.size}} needed")']
    unpacked = ", ".join(["_", "peer", *names])
    rest = f", {packet.rest.name}=data[cls.LAYOUT.size :]" if packet.rest else ""
    keywords = ", ".join(f"{name}={name}" for name in names)
    lines += [f"        {unpacked} = cls.LAYOUT.unpack_from(data)"]
    lines += [f"        return cls({keywords}{', ' if keywords else ''}peer=peer{rest})"]
    return lines


def _place(definition: Definition, flag: str) -> int:
    """Return the number of the lowest bit of a field among the picture packet's flags."""
    mask: int = definition.enums["picture_flags"][flag]["value"]
    return (mask & -mask).bit_length() - 1


def _python_picture(definition: Definition) -> list[str]:
    """Return the class of the picture packet: a byte of flags, the fixed fields, the codec bytes."""
    picture = definition.picture
    assert picture.rest is not None
    lines = _python_class(picture, "<B" + "".join(f.letters for f in picture.fixed))
    rest = picture.rest.name
    flags, read = ["PictureFlags.PICTURE"], []
    for f in picture.fields:
        mask = f"PictureFlags.{f.name.upper()}"
        if f.kind == "flag":
            lines.append(f"    {f.name}: bool = False  # {f.doc}")
            flags.append(f"({mask} if self.{f.name} else 0)")
            read.append(f"{f.name}=bool(flags & {mask})")
        elif f.kind == "flag_bits":
            lines.append(f"    {f.name}: int = 0  # {f.doc}")
            place = _place(definition, f.name)
            flags.append(f"self.{f.name}" + (f" << {place}" if place else ""))
            read.append(f"{f.name}=int(flags & {mask})" + (f" >> {place}" if place else ""))
        else:
            lines.append(f"    {f.name}: {'int' if f.is_scalar else 'bytes'}  # {f.doc}")
    names = [f.name for f in picture.fixed]
    arguments = ", ".join(["flags", *(f"self.{name}" for name in names)])
    return [
        *lines,
        "",
        "    def pack(self) -> bytes:",
        '        """Return the packet\'s bytes; struct.error if a number does not fit its field."""',
        f"        flags = {' | '.join(flags)}",
        f"        return self.LAYOUT.pack({arguments}) + self.{rest}",
        "",
        "    @classmethod",
        "    def unpack(cls, data: bytes) -> Picture:",
        '        """Read a packet whose first bit says picture; MalformedError if it has no codec bytes."""',
        "        if len(data) <= cls.LAYOUT.size:",
        '            raise MalformedError(f"picture: {len(data)} bytes, more than {cls.LAYOUT.size} needed")',
        f"        flags, {', '.join(names)} = cls.LAYOUT.unpack_from(data)",
        f"        return cls({', '.join(f'{name}={name}' for name in names)}, {rest}=data[cls.LAYOUT.size :], "
        f"{', '.join(read)})",
    ]


def _python_record(record: Packet) -> list[str]:
    """Return the class of a record that repeats in a packet's rest. Its last field is a u8 length, then the bytes."""
    lines = _python_class(record, "<" + "".join(f.letters for f in record.fields))
    *numbers, counted = record.fields
    lines += [f"    {f.name}: int = 0  # {f.doc}" for f in numbers]
    name = _camel(record.name)
    names = [f.name for f in numbers]
    return [
        *lines,
        f'    {counted.name}: bytes = b""  # {counted.doc}',
        "",
        "    def pack(self) -> bytes:",
        '        """Return the record\'s bytes; struct.error if a number or the length does not fit its field."""',
        f"        return self.LAYOUT.pack({', '.join(f'self.{n}' for n in names)}, len(self.{counted.name})) "
        f"+ self.{counted.name}",
        "",
        "    @classmethod",
        f"    def unpack_all(cls, data: bytes) -> tuple[{name}, ...]:",
        '        """Read the records in ``data``; MalformedError if it ends inside one."""',
        f"        records: list[{name}] = []",
        "        at = 0",
        "        while at < len(data):",
        "            begin = at + cls.LAYOUT.size",
        "            if begin > len(data):",
        f'                raise MalformedError(f"{record.name} {{len(records)}}: cut short")',
        f"            {', '.join(names)}, length = cls.LAYOUT.unpack_from(data, at)",
        "            at = begin + length",
        "            if at > len(data):",
        f'                raise MalformedError(f"{record.name} {{len(records)}}: {counted.name} cut short")',
        f"            records.append(cls({', '.join(f'{n}={n}' for n in names)}, {counted.name}=data[begin:at]))",
        "        return tuple(records)",
    ]


_PARSE = '''

@dataclass(frozen=True, slots=True)
class Unknown:
    """A packet of a type that this version does not have. Receivers skip it."""

    type: int


def parse(packet: bytes) -> Picture | Control | Unknown:
    """Read one packet of 1 to MAX_PACKET bytes; MalformedError says what is wrong with it."""
    if not 0 < len(packet) <= MAX_PACKET:
        raise MalformedError(f"a packet of {len(packet)} bytes; 1 to {MAX_PACKET} are legal")
    first = packet[0]
    if first & PictureFlags.PICTURE:
        return Picture.unpack(packet)
    control = CONTROL.get(first)
    return control.unpack(packet) if control else Unknown(first)
'''


def python_module(definition: Definition) -> str:
    """Return the text of ``wire.py``."""
    lines = ['"""Packets of the wire. Generated from wire.toml by `python protocol/generate.py`; do not edit."""']
    lines += ["# ruff: noqa: E501", "# fmt: off", "", "from __future__ import annotations", ""]
    lines += ["from dataclasses import dataclass", "from enum import IntEnum, IntFlag"]
    lines += ["from struct import Struct", "from typing import ClassVar", ""]
    lines += [f"VERSION = {definition.version}"]
    lines += [f"{c.name.upper()} = {c.value}  # {c.doc}" for c in definition.constants]
    for name, u in definition.uuids.items():
        lines.append(f'{name.upper()}_UUID = "{u["value"]}"  # {u["doc"]}')
    lines += [
        "",
        "",
        "class MalformedError(ValueError):",
        '    """A packet whose bytes do not make sense."""',
    ]
    for name, enum in definition.enums.items():
        base = "IntFlag" if enum.get("flags") else "IntEnum"
        lines += ["", "", f"class {_camel(name)}({base}):", f'    """{enum["doc"]}."""', ""]
        lines += [f"    {member.upper()} = {m['value']:#x}  # {m['doc']}" for member, m in members(enum)]
    lines += _python_picture(definition)
    for packet in definition.packets:
        lines += _python_packet(packet)
    for record in definition.records:
        lines += _python_record(record)
    names = [_camel(p.name) for p in definition.packets]
    lines += ["", "", f"Control = {' | '.join(names)}", "CONTROL: dict[int, type[Control]] = {"]
    lines += [f"    {name}.TYPE: {name}," for name in names]
    return "\n".join([*lines, "}\n"]) + _PARSE
