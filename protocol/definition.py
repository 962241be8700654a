"""The definition of the wire: reads and checks ``wire.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCALARS = {  # wire type: (struct letter, C type, bytes)
    "u8": ("B", "uint8_t", 1),
    "i8": ("b", "int8_t", 1),
    "u16": ("H", "uint16_t", 2),
    "i16": ("h", "int16_t", 2),
    "u32": ("I", "uint32_t", 4),
    "u64": ("Q", "uint64_t", 8),
}
#: Types without a fixed size of their own in the header: bytes to the end of the packet, bytes after a u8 length, and
#: parts of the flags byte.
UNSIZED = ("rest", "counted", "flag", "flag_bits")
CONTROL_HEADER = 2  # type, peer


@dataclass(frozen=True)
class Field:
    """A field of a packet; ``size`` in bytes, 0 if its type has no fixed size."""

    name: str
    kind: str
    doc: str
    size: int

    @classmethod
    def of(cls, row: list[str]) -> Field:
        """Read a row of wire.toml: name, type, description."""
        name, kind, doc = row
        if kind in SCALARS:
            size = SCALARS[kind][2]
        elif kind in UNSIZED:
            size = 0
        elif kind.startswith("bytes"):
            size = int(kind.removeprefix("bytes"))
        else:
            raise SystemExit(f"wire.toml: field {name} has the unknown type {kind}")
        return cls(name, kind, doc, size)

    @property
    def is_scalar(self) -> bool:
        """True for a number."""
        return self.kind in SCALARS

    @property
    def letters(self) -> str:
        """Struct format of the field's fixed part."""
        if self.kind == "counted":
            return "B"
        return SCALARS[self.kind][0] if self.is_scalar else f"{self.size}s"


@dataclass(frozen=True)
class Packet:
    """A control packet; ``type`` is -1 for the picture packet and for records inside a packet."""

    name: str
    type: int
    doc: str
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, name: str, table: dict[str, Any]) -> Packet:
        """Read a table of wire.toml."""
        return cls(name, table.get("type", -1), table["doc"], tuple(Field.of(row) for row in table["fields"]))

    @property
    def fixed(self) -> tuple[Field, ...]:
        """Fields of a fixed size."""
        return tuple(f for f in self.fields if f.size)

    @property
    def rest(self) -> Field | None:
        """The field that takes what is left of the packet."""
        return next((f for f in self.fields if f.kind == "rest"), None)

    @property
    def size(self) -> int:
        """Bytes of a control packet without its rest."""
        return CONTROL_HEADER + sum(f.size for f in self.fixed)


@dataclass(frozen=True)
class Constant:
    """A named number with its description."""

    name: str
    value: int
    doc: str


@dataclass(frozen=True)
class Definition:
    """The content of wire.toml, checked."""

    version: int
    constants: tuple[Constant, ...]
    uuids: dict[str, dict[str, str]]
    enums: dict[str, dict[str, Any]]
    picture: Packet
    packets: tuple[Packet, ...]
    records: tuple[Packet, ...]


def load(path: Path) -> Definition:
    """Read and check the definition; SystemExit with a reason if it makes no sense."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    packets = tuple(Packet.of(table["name"], table) for table in tables["packets"])
    if len({p.type for p in packets}) != len(packets):
        raise SystemExit("wire.toml: two packets have the same type")
    max_packet = tables["constants"]["max_packet"]["value"]
    for packet in packets:
        if any(not f.size for f in packet.fields[:-1]) or any(f.kind in UNSIZED[1:] for f in packet.fields):
            raise SystemExit(f"wire.toml: in {packet.name} all fields but a last rest need a size")
        if not 0 < packet.type < 0x80 or packet.size > max_packet:
            raise SystemExit(f"wire.toml: {packet.name} has an illegal type or size")
    picture = Packet.of("picture", tables["picture"])
    given = [Constant(name, c["value"], c["doc"]) for name, c in tables["constants"].items()]
    return Definition(
        version=tables["protocol"]["version"],
        constants=(*given, *_picture_constants(picture, max_packet)),
        uuids=tables["uuids"],
        enums=tables["enums"],
        picture=picture,
        packets=packets,
        records=tuple(Packet.of(table["name"], table) for table in tables["records"]),
    )


def _picture_constants(picture: Packet, max_packet: int) -> list[Constant]:
    """Return offsets and sizes that follow from the fields of the picture packet."""
    constants = []
    at = 1  # after the flags
    for f in picture.fixed:
        name = f.name.removesuffix("_ms")
        constants.append(Constant(f"picture_{name}_at", at, f"offset of {f.name}, {f.kind}, in a picture packet"))
        at += f.size
    constants.append(Constant("picture_header", at, "bytes before the codec bytes of a picture packet"))
    constants.append(Constant("max_codec_bytes", max_packet - at, "codec bytes in a full picture packet"))
    return constants


def members(enum: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the members of an enum: the entries that are tables."""
    return [(name, member) for name, member in enum.items() if isinstance(member, dict)]
