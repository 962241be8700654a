"""Packets of the wire. Generated from wire.toml by `python protocol/generate.py`; do not edit."""
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from struct import Struct
from typing import ClassVar

VERSION = 2
MAX_PACKET = 244  # bytes in the largest packet: one notification at ATT MTU 247
MAX_RANKS = 256  # ranked packets in one picture
MAX_SOURCES = 16  # cameras that one edge board can tell apart
FRAME_OVERHEAD = 5  # bytes a serial frame adds before COBS: sequence number and CRC-32
MAX_FRAME = 250  # bytes in the largest frame as COBS writes it, without the zero byte that closes it
MAX_DEADLINE_MS = 65535  # longest remaining time that fits the header
MISSING_WINDOW = 32  # sequence numbers that credit.missing looks back
CREDIT_REFRESH_MS = 50  # a board with work repeats its credit at least this often
FIRST_FAULT = 8  # from this error_code on an error is a fault of the board itself
HELLO_NAME = 24  # bytes of hello.name that a reader keeps
PICTURE_IMAGE_AT = 1  # offset of image, u16, in a picture packet
PICTURE_RANK_AT = 3  # offset of rank, u8, in a picture packet
PICTURE_POSITION_AT = 4  # offset of position, u16, in a picture packet
PICTURE_REMAINING_AT = 6  # offset of remaining_ms, u16, in a picture packet
PICTURE_HEADER = 8  # bytes before the codec bytes of a picture packet
MAX_CODEC_BYTES = 236  # codec bytes in a full picture packet
SERVICE_UUID = "504e4301-8c1e-4b0a-9d53-2f6b7a1c54e1"  # the GATT service of a camera board
TO_EDGE_UUID = "504e4302-8c1e-4b0a-9d53-2f6b7a1c54e1"  # its characteristic towards the central: notifications
TO_CAMERA_UUID = "504e4303-8c1e-4b0a-9d53-2f6b7a1c54e1"  # its characteristic towards the peripheral: writes without response


class MalformedError(ValueError):
    """A packet whose bytes do not make sense."""


class PictureFlags(IntFlag):
    """Bits of a picture packet's first byte."""

    PICTURE = 0x80  # set: this is a picture packet; clear: a control packet
    LAST = 0x40  # this rank is the picture's last
    PROGRAM = 0x30  # the program that sent the picture: its session at the camera board, modulo 4
    SOURCE = 0xf  # on the edge's serial port: number of the camera; elsewhere zero


class Kind(IntEnum):
    """Kind of the sender of a hello."""

    HOST = 0x0  # a program on a serial port
    BOARD = 0x1  # a board


class Role(IntEnum):
    """Role of a board."""

    NONE = 0x0  # not configured: the radio is off
    CAMERA = 0x1  # GATT peripheral: sends pictures
    EDGE = 0x2  # GATT central: receives pictures


class Phy(IntEnum):
    """Bluetooth LE physical layer."""

    KEEP = 0x0  # in configure: do not change it
    LE_1M = 0x1  # 1 Mbit/s
    LE_2M = 0x2  # 2 Mbit/s
    CODED_S2 = 0x3  # long range, 500 kbit/s
    CODED_S8 = 0x4  # long range, 125 kbit/s
    AUTO = 0x5  # in configure: the camera board chooses by the conditions


class Capability(IntFlag):
    """Bits of hello.capabilities."""

    PHY_2M = 0x1  # LE 2M
    PHY_CODED = 0x2  # LE coded
    USB = 0x4  # the serial port is the board's own USB
    VIRTUAL = 0x8  # a virtual board
    BOOTLOADER = 0x10  # reset can start its bootloader


class Boot(IntEnum):
    """Cause of a board's start."""

    POWER = 0x0  # power on or unknown
    PIN = 0x1  # reset pin
    SOFTWARE = 0x2  # reset by software
    WATCHDOG = 0x3  # the watchdog bit
    FAULT = 0x4  # a fatal error


class Hop(IntEnum):
    """Hop that answers a ping."""

    BOARD = 0x0  # the board on the serial port
    PEER_BOARD = 0x1  # the board across the radio
    PEER_HOST = 0x2  # the program on that board's serial port


class LinkState(IntEnum):
    """State of one radio connection."""

    DOWN = 0x0  # not connected
    UP = 0x1  # connected, both boards have said hello
    REFUSED = 0x2  # the board across speaks another protocol version


class ResultStatus(IntEnum):
    """Outcome of an image."""

    OK = 0x0  # classified
    NOTHING = 0x1  # no decodable packet arrived by the deadline
    FAILED = 0x2  # the server could not decode or classify; the text says why


class ErrorCode(IntEnum):
    """Cause of an error."""

    VERSION = 0x1  # unsupported protocol version; detail: the version that the board speaks
    NOT_READY = 0x2  # a packet before hello, or a picture in a role that sends none; detail: role
    MALFORMED = 0x3  # a packet too short or with illegal values; detail: its type
    OVERRUN = 0x4  # a picture packet beyond the credit evicted another or was dropped; detail: its rank
    NO_LINK = 0x5  # the addressed peer is not connected; detail: peer
    CONFIGURE = 0x6  # the configuration cannot be applied; detail: number of the first illegal field
    REFUSED = 0x7  # this board cannot pair or reset in that way; detail: the packet's type
    BLUETOOTH = 0x8  # Bluetooth does not start, makes no key for pairing, or refused a command
    SETTINGS = 0x9  # role, radio settings or bonds cannot be read or stored; 1000: they were erased
    WATCHDOG = 0xa  # the watchdog does not watch every part of the board
    ADVERTISE = 0xb  # camera: it cannot advertise
    SCAN = 0xc  # edge: it cannot look for cameras or connect to one
    SERVICE = 0xd  # edge: discovery of a camera's service, or the subscription, failed
    PAIRING = 0xe  # who may pair cannot be decided: no board pairs
    STUCK = 0xf  # the radio took no packet for too long and the connection was ended; lower bits: peer
    BONDS_FULL = 0x10  # a board may not pair because there is no room for its bond; lower bits: bonds


class PairAction(IntEnum):
    """Request of pair."""

    REPORT = 0x0  # report the state
    OPEN = 0x1  # let unknown boards pair for window_s
    CLOSE = 0x2  # let no board pair
    FORGET = 0x3  # delete the bond with address; all zero: every bond


class PairMethod(IntEnum):
    """How two boards authenticate each other when they pair."""

    JUST_WORKS = 0x0  # not at all: any board that pairs in the window is trusted from then on
    OUT_OF_BAND = 0x1  # the hosts carry the random and confirm values of one board to the other


class ResetKind(IntEnum):
    """Program that a reset starts."""

    FIRMWARE = 0x0  # the firmware
    BOOTLOADER = 0x1  # the bootloader, which waits for new firmware


@dataclass(frozen=True, slots=True)
class Picture:
    """A ranked packet with the time left until its deadline. Each hop subtracts how long it held the packet."""

    LAYOUT: ClassVar[Struct] = Struct("<BHBHH")

    image: int  # names the picture: when its answer must leave the edge server, in ms of that server's clock, modulo 65536
    rank: int  # order of importance, 0 first; unique in a picture, without gaps
    position: int  # place of the codec bytes in the picture; only the codec reads it
    remaining_ms: int  # time left until the deadline when the packet was handed on
    data: bytes  # 1 to 236 codec bytes
    last: bool = False  # this rank is the picture's last
    program: int = 0  # session of the sending program at the camera board, modulo 4
    source: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        flags = PictureFlags.PICTURE | (PictureFlags.LAST if self.last else 0) | self.program << 4 | self.source
        return self.LAYOUT.pack(flags, self.image, self.rank, self.position, self.remaining_ms) + self.data

    @classmethod
    def unpack(cls, data: bytes) -> Picture:
        """Read a packet whose first bit says picture; MalformedError if it has no codec bytes."""
        if len(data) <= cls.LAYOUT.size:
            raise MalformedError(f"picture: {len(data)} bytes, more than {cls.LAYOUT.size} needed")
        flags, image, rank, position, remaining_ms = cls.LAYOUT.unpack_from(data)
        return cls(image=image, rank=rank, position=position, remaining_ms=remaining_ms, data=data[cls.LAYOUT.size :], last=bool(flags & PictureFlags.LAST), program=int(flags & PictureFlags.PROGRAM) >> 4, source=int(flags & PictureFlags.SOURCE))


@dataclass(frozen=True, slots=True)
class Hello:
    """Opens a session, in both directions on every hop. The first three bytes never change."""

    TYPE: ClassVar[int] = 0x01
    LAYOUT: ClassVar[Struct] = Struct("<BBBBBBI3sBBBIQ")

    version: int = 0  # protocol version
    kind: int = 0  # kind of the sender
    role: int = 0  # role of the board; of a host: 0
    boot: int = 0  # boot: cause of the board's start; of a host: 0
    capabilities: int = 0  # capability bits
    firmware: bytes = bytes(3)  # major, minor, patch
    slots: int = 0  # picture packets the board's queue holds
    in_flight: int = 0  # most packets that the board has in its radio at a time
    sessions: int = 0  # sessions of programs that this board has opened, from any number on, modulo 256; of a host: 0
    session: int = 0  # chosen at each start; another value means a restart
    board_id: int = 0  # unique number of the board; of a host: 0
    name: bytes = b""  # UTF-8, at most 24 bytes
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.version, self.kind, self.role, self.boot, self.capabilities, self.firmware, self.slots, self.in_flight, self.sessions, self.session, self.board_id) + self.name

    @classmethod
    def unpack(cls, data: bytes) -> Hello:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"hello: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, version, kind, role, boot, capabilities, firmware, slots, in_flight, sessions, session, board_id = cls.LAYOUT.unpack_from(data)
        return cls(version=version, kind=kind, role=role, boot=boot, capabilities=capabilities, firmware=firmware, slots=slots, in_flight=in_flight, sessions=sessions, session=session, board_id=board_id, peer=peer, name=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Configure:
    """Host to board: role and radio. Answered by hello, or by error."""

    TYPE: ClassVar[int] = 0x02
    LAYOUT: ClassVar[Struct] = Struct("<BBBBbB6sI")

    role: int = 0  # role
    phy: int = 0  # phy
    tx_power_dbm: int = 0  # transmit power; 127: do not change it
    address_type: int = 0  # type of address: 0 public, 1 random
    address: bytes = bytes(6)  # the only peer allowed; all zero: any bonded board
    interval_us: int = 0  # connection interval, 7,500 to 4,000,000; 0: do not change it
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.role, self.phy, self.tx_power_dbm, self.address_type, self.address, self.interval_us)

    @classmethod
    def unpack(cls, data: bytes) -> Configure:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"configure: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, role, phy, tx_power_dbm, address_type, address, interval_us = cls.LAYOUT.unpack_from(data)
        return cls(role=role, phy=phy, tx_power_dbm=tx_power_dbm, address_type=address_type, address=address, interval_us=interval_us, peer=peer)


@dataclass(frozen=True, slots=True)
class Credit:
    """Board to host: frames received, free slots, packets sent. Every value is a running total or a state, so a lost credit costs nothing."""

    TYPE: ClassVar[int] = 0x03
    LAYOUT: ClassVar[Struct] = Struct("<BBBBIHBBBBHII")

    next_seq: int = 0  # sequence number that the board expects next
    damaged: int = 0  # total of frames with a bad COBS code or CRC, modulo 256
    missing: int = 0  # bit k set: the frame next_seq - 1 - k never arrived intact
    taken: int = 0  # picture packets received intact since hello, modulo 65536
    waiting: int = 0  # picture packets in the queue
    free: int = 0  # empty slots of the queue
    in_radio: int = 0  # packets handed to the radio and not yet acknowledged
    link: int = 0  # link_state of the connection that carries pictures
    acked_packets: int = 0  # picture packets acknowledged by the link layer, modulo 65536
    acked_bytes: int = 0  # codec bytes in them, modulo 2**32
    busy_us: int = 0  # time in which the queue or the radio held a picture packet, modulo 2**32
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.next_seq, self.damaged, self.missing, self.taken, self.waiting, self.free, self.in_radio, self.link, self.acked_packets, self.acked_bytes, self.busy_us)

    @classmethod
    def unpack(cls, data: bytes) -> Credit:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"credit: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, next_seq, damaged, missing, taken, waiting, free, in_radio, link, acked_packets, acked_bytes, busy_us = cls.LAYOUT.unpack_from(data)
        return cls(next_seq=next_seq, damaged=damaged, missing=missing, taken=taken, waiting=waiting, free=free, in_radio=in_radio, link=link, acked_packets=acked_packets, acked_bytes=acked_bytes, busy_us=busy_us, peer=peer)


@dataclass(frozen=True, slots=True)
class Flush:
    """Host to board: drop the waiting packets of an image. Answered by credit."""

    TYPE: ClassVar[int] = 0x04
    LAYOUT: ClassVar[Struct] = Struct("<BBHB")

    image: int = 0  # the image
    all: int = 0  # 1: every image; image is then ignored
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.image, self.all)

    @classmethod
    def unpack(cls, data: bytes) -> Flush:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"flush: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, image, all = cls.LAYOUT.unpack_from(data)
        return cls(image=image, all=all, peer=peer)


@dataclass(frozen=True, slots=True)
class StatisticsRequest:
    """Host to board: request for statistics."""

    TYPE: ClassVar[int] = 0x05
    LAYOUT: ClassVar[Struct] = Struct("<BB")

    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer)

    @classmethod
    def unpack(cls, data: bytes) -> StatisticsRequest:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"statistics_request: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer = cls.LAYOUT.unpack_from(data)
        return cls(peer=peer)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Board to host. Picture packets: accepted = sent + expired + evicted + flushed + waiting."""

    TYPE: ClassVar[int] = 0x06
    LAYOUT: ClassVar[Struct] = Struct("<BBIIIIIIIIIIIIBBBBbHII")

    uptime_ms: int = 0  # since the board started
    accepted: int = 0  # offered to the queue, by the serial port (camera) or the radio (edge)
    sent: int = 0  # handed to the radio (camera) or to the serial port (edge); not those that wait again because of a repeat
    expired: int = 0  # dropped after their deadline
    evicted: int = 0  # dropped as the least important of a full queue
    flushed: int = 0  # dropped by a flush, a hello or a new role
    acked: int = 0  # of the sent: acknowledged by the link layer (camera)
    lost: int = 0  # of the sent: in the radio when the connection ended (camera)
    damaged: int = 0  # serial frames with a bad COBS code or CRC
    missed: int = 0  # serial frames named as missing
    unknown: int = 0  # packets skipped: unknown type, unknown source, or malformed
    control_dropped: int = 0  # control packets dropped for lack of room
    waiting: int = 0  # waiting in the queue
    links: int = 0  # connections that are up
    link: int = 0  # link_state of this peer
    phy: int = 0  # phy of this peer
    rssi_dbm: int = 0  # of this peer; 127: unknown
    mtu: int = 0  # ATT MTU of this peer, bytes
    interval_us: int = 0  # connection interval of this peer
    goodput_bps: int = 0  # codec bits per second with this peer over the last full second: acknowledged (camera), received (edge)
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.uptime_ms, self.accepted, self.sent, self.expired, self.evicted, self.flushed, self.acked, self.lost, self.damaged, self.missed, self.unknown, self.control_dropped, self.waiting, self.links, self.link, self.phy, self.rssi_dbm, self.mtu, self.interval_us, self.goodput_bps)

    @classmethod
    def unpack(cls, data: bytes) -> Statistics:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"statistics: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, uptime_ms, accepted, sent, expired, evicted, flushed, acked, lost, damaged, missed, unknown, control_dropped, waiting, links, link, phy, rssi_dbm, mtu, interval_us, goodput_bps = cls.LAYOUT.unpack_from(data)
        return cls(uptime_ms=uptime_ms, accepted=accepted, sent=sent, expired=expired, evicted=evicted, flushed=flushed, acked=acked, lost=lost, damaged=damaged, missed=missed, unknown=unknown, control_dropped=control_dropped, waiting=waiting, links=links, link=link, phy=phy, rssi_dbm=rssi_dbm, mtu=mtu, interval_us=interval_us, goodput_bps=goodput_bps, peer=peer)


@dataclass(frozen=True, slots=True)
class Ping:
    """Request for a pong from the named hop; earlier hops forward it."""

    TYPE: ClassVar[int] = 0x07
    LAYOUT: ClassVar[Struct] = Struct("<BBBII")

    hop: int = 0  # hop that answers
    token: int = 0  # returned unchanged; to peer_host: session of the sender, a new value restarts its image numbers
    origin_us: int = 0  # clock of the sender; returned unchanged
    seal: bytes = b""  # peer_host, of a camera with a key: its salt and proof, 16 bytes; else nothing
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.hop, self.token, self.origin_us) + self.seal

    @classmethod
    def unpack(cls, data: bytes) -> Ping:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"ping: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, hop, token, origin_us = cls.LAYOUT.unpack_from(data)
        return cls(hop=hop, token=token, origin_us=origin_us, peer=peer, seal=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer to ping."""

    TYPE: ClassVar[int] = 0x08
    LAYOUT: ClassVar[Struct] = Struct("<BBBIIIII")

    hop: int = 0  # hop that answers
    token: int = 0  # token of the ping
    origin_us: int = 0  # origin_us of the ping
    held_us: int = 0  # time between the arrival of the ping and this answer
    service_us: int = 0  # peer_host: expected time to decode and classify; else 0
    clock_us: int = 0  # peer_host: clock of the server when it answered, modulo 65,536,000; else 0
    seal: bytes = b""  # peer_host, of a server with a key: its salt and proof, or 16 zero bytes: no key fits; else nothing
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.hop, self.token, self.origin_us, self.held_us, self.service_us, self.clock_us) + self.seal

    @classmethod
    def unpack(cls, data: bytes) -> Pong:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"pong: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, hop, token, origin_us, held_us, service_us, clock_us = cls.LAYOUT.unpack_from(data)
        return cls(hop=hop, token=token, origin_us=origin_us, held_us=held_us, service_us=service_us, clock_us=clock_us, peer=peer, seal=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Result:
    """Edge server to camera computer: the answer to an image."""

    TYPE: ClassVar[int] = 0x09
    LAYOUT: ClassVar[Struct] = Struct("<BBHBBBhII32s")

    image: int = 0  # the image
    program: int = 0  # program of the image
    status: int = 0  # result_status
    more: int = 0  # 1: a provisional answer; a better one may follow
    margin_ms: int = 0  # the moment that the image names minus arrival of the last used packet
    service_us: int = 0  # time taken to decode and classify
    clock_us: int = 0  # clock of the server when it answered, modulo 65,536,000
    ranks: bytes = bytes(32)  # bit r of byte r // 8: rank r arrived in time
    text: bytes = b""  # status ok: result_class records, most probable first; else UTF-8
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.image, self.program, self.status, self.more, self.margin_ms, self.service_us, self.clock_us, self.ranks) + self.text

    @classmethod
    def unpack(cls, data: bytes) -> Result:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"result: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, image, program, status, more, margin_ms, service_us, clock_us, ranks = cls.LAYOUT.unpack_from(data)
        return cls(image=image, program=program, status=status, more=more, margin_ms=margin_ms, service_us=service_us, clock_us=clock_us, ranks=ranks, peer=peer, text=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Link:
    """Board to host: a radio connection came up, changed or went down."""

    TYPE: ClassVar[int] = 0x0a
    LAYOUT: ClassVar[Struct] = Struct("<BBBBBHI")

    state: int = 0  # link_state
    phy: int = 0  # phy
    reason: int = 0  # Bluetooth reason code of the disconnection; else 0
    mtu: int = 0  # ATT MTU, bytes
    interval_us: int = 0  # connection interval
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.state, self.phy, self.reason, self.mtu, self.interval_us)

    @classmethod
    def unpack(cls, data: bytes) -> Link:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"link: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, state, phy, reason, mtu, interval_us = cls.LAYOUT.unpack_from(data)
        return cls(state=state, phy=phy, reason=reason, mtu=mtu, interval_us=interval_us, peer=peer)


@dataclass(frozen=True, slots=True)
class Log:
    """Board to host: a line of text for the user."""

    TYPE: ClassVar[int] = 0x0b
    LAYOUT: ClassVar[Struct] = Struct("<BBB")

    level: int = 0  # 1 error, 2 warning, 3 information, 4 debugging
    text: bytes = b""  # UTF-8
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.level) + self.text

    @classmethod
    def unpack(cls, data: bytes) -> Log:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"log: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, level = cls.LAYOUT.unpack_from(data)
        return cls(level=level, peer=peer, text=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Error:
    """Board to host: a packet was refused, or a part of the board does not work."""

    TYPE: ClassVar[int] = 0x0c
    LAYOUT: ClassVar[Struct] = Struct("<BBBI")

    code: int = 0  # error_code
    detail: int = 0  # see error_code
    text: bytes = b""  # UTF-8
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.code, self.detail) + self.text

    @classmethod
    def unpack(cls, data: bytes) -> Error:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"error: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, code, detail = cls.LAYOUT.unpack_from(data)
        return cls(code=code, detail=detail, peer=peer, text=data[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class Pair:
    """Host to board: which boards may pair. Answered by pairing, or by error."""

    TYPE: ClassVar[int] = 0x0d
    LAYOUT: ClassVar[Struct] = Struct("<BBBBHB6s16s16s")

    action: int = 0  # pair_action
    method: int = 0  # open: pair_method
    window_s: int = 0  # open: duration; 0: the board chooses
    address_type: int = 0  # type of address: 0 public, 1 random
    address: bytes = bytes(6)  # open: the only board that may pair, all zero: any; forget: the board to forget
    random: bytes = bytes(16)  # open, out_of_band: random value from the peer's pairing; all zero: the peer gets ours instead
    confirm: bytes = bytes(16)  # open, out_of_band: confirm value from the peer's pairing; else all zero
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.action, self.method, self.window_s, self.address_type, self.address, self.random, self.confirm)

    @classmethod
    def unpack(cls, data: bytes) -> Pair:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"pair: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, action, method, window_s, address_type, address, random, confirm = cls.LAYOUT.unpack_from(data)
        return cls(action=action, method=method, window_s=window_s, address_type=address_type, address=address, random=random, confirm=confirm, peer=peer)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Board to host: answer to pair; sent again when a board has paired or failed to pair, and when the window closes."""

    TYPE: ClassVar[int] = 0x0e
    LAYOUT: ClassVar[Struct] = Struct("<BBBBHBBBB6s16s16s")

    open: int = 0  # 1: unknown boards may pair
    method: int = 0  # pair_method of the window
    left_s: int = 0  # time until the window closes, rounded up; 0: closed
    bonds: int = 0  # number of bonds
    paired: int = 0  # boards paired since the start, modulo 256
    failed: int = 0  # failed attempts to pair since the start, modulo 256
    address_type: int = 0  # type of address: 0 public, 1 random
    address: bytes = bytes(6)  # address of this board
    random: bytes = bytes(16)  # open, out_of_band: random value for the peer; else all zero
    confirm: bytes = bytes(16)  # open, out_of_band: confirm value for the peer; else all zero
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.open, self.method, self.left_s, self.bonds, self.paired, self.failed, self.address_type, self.address, self.random, self.confirm)

    @classmethod
    def unpack(cls, data: bytes) -> Pairing:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"pairing: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, open, method, left_s, bonds, paired, failed, address_type, address, random, confirm = cls.LAYOUT.unpack_from(data)
        return cls(open=open, method=method, left_s=left_s, bonds=bonds, paired=paired, failed=failed, address_type=address_type, address=address, random=random, confirm=confirm, peer=peer)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Host to board: send frames again that did not arrive intact, in new frames, while the board still has them. Not answered otherwise."""

    TYPE: ClassVar[int] = 0x10
    LAYOUT: ClassVar[Struct] = Struct("<BBBI")

    next_seq: int = 0  # sequence number that the host expects next
    missing: int = 0  # bit k set: the frame next_seq - 1 - k never arrived intact
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.next_seq, self.missing)

    @classmethod
    def unpack(cls, data: bytes) -> Repeat:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"repeat: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, next_seq, missing = cls.LAYOUT.unpack_from(data)
        return cls(next_seq=next_seq, missing=missing, peer=peer)


@dataclass(frozen=True, slots=True)
class Reset:
    """Host to board: restart. Not answered, or answered by error; a board that was reset has lost its session."""

    TYPE: ClassVar[int] = 0x0f
    LAYOUT: ClassVar[Struct] = Struct("<BBB")

    kind: int = 0  # reset_kind
    peer: int = 0  # on the edge's serial port: number of the camera; else 0

    def pack(self) -> bytes:
        """Return the packet's bytes; struct.error if a number does not fit its field."""
        return self.LAYOUT.pack(self.TYPE, self.peer, self.kind)

    @classmethod
    def unpack(cls, data: bytes) -> Reset:
        """Read a packet, ignoring bytes after its fields; MalformedError if it is too short."""
        if len(data) < cls.LAYOUT.size:
            raise MalformedError(f"reset: {len(data)} bytes, {cls.LAYOUT.size} needed")
        _, peer, kind = cls.LAYOUT.unpack_from(data)
        return cls(kind=kind, peer=peer)


@dataclass(frozen=True, slots=True)
class ResultClass:
    """One class in the text of a result with the status ok."""

    LAYOUT: ClassVar[Struct] = Struct("<HHB")

    index: int = 0  # number of the class in the classifier's list
    probability: int = 0  # in units of 1/65535
    label: bytes = b""  # UTF-8

    def pack(self) -> bytes:
        """Return the record's bytes; struct.error if a number or the length does not fit its field."""
        return self.LAYOUT.pack(self.index, self.probability, len(self.label)) + self.label

    @classmethod
    def unpack_all(cls, data: bytes) -> tuple[ResultClass, ...]:
        """Read the records in ``data``; MalformedError if it ends inside one."""
        records: list[ResultClass] = []
        at = 0
        while at < len(data):
            begin = at + cls.LAYOUT.size
            if begin > len(data):
                raise MalformedError(f"result_class {len(records)}: cut short")
            index, probability, length = cls.LAYOUT.unpack_from(data, at)
            at = begin + length
            if at > len(data):
                raise MalformedError(f"result_class {len(records)}: label cut short")
            records.append(cls(index=index, probability=probability, label=data[begin:at]))
        return tuple(records)


Control = Hello | Configure | Credit | Flush | StatisticsRequest | Statistics | Ping | Pong | Result | Link | Log | Error | Pair | Pairing | Repeat | Reset
CONTROL: dict[int, type[Control]] = {
    Hello.TYPE: Hello,
    Configure.TYPE: Configure,
    Credit.TYPE: Credit,
    Flush.TYPE: Flush,
    StatisticsRequest.TYPE: StatisticsRequest,
    Statistics.TYPE: Statistics,
    Ping.TYPE: Ping,
    Pong.TYPE: Pong,
    Result.TYPE: Result,
    Link.TYPE: Link,
    Log.TYPE: Log,
    Error.TYPE: Error,
    Pair.TYPE: Pair,
    Pairing.TYPE: Pairing,
    Repeat.TYPE: Repeat,
    Reset.TYPE: Reset,
}


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
