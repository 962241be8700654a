"""Scripts of a board: bytes in, packets out."""

from __future__ import annotations

from typing import Any

from host.wire import (
    VERSION,
    Boot,
    Capability,
    Configure,
    Control,
    Credit,
    Error,
    ErrorCode,
    Flush,
    Hello,
    Hop,
    Kind,
    Link,
    LinkState,
    Pair,
    Phy,
    Picture,
    Ping,
    Pong,
    Repeat,
    Reset,
    Result,
    Role,
    StatisticsRequest,
)
from tests.wire.frame_cases import frame

SLOTS = 64
BOARD: dict[str, Any] = {
    "board_id": 0x1122334455667788,
    "session": 77,
    "capabilities": int(Capability.VIRTUAL),
    "firmware": [1, 2, 3],
    "boot": int(Boot.POWER),
    "in_flight": 4,
    "slots": SLOTS,
    "name": "vector",
}
HOST_HELLO = Hello(version=VERSION, kind=Kind.HOST)
PEER_HELLO = Hello(version=VERSION, kind=Kind.BOARD, role=Role.EDGE)
MS = 1000

Packet = Control | Picture | bytes


def hello(role: Role, opened: int = 1) -> Hello:
    """Return the hello of the board under test; ``opened``: sessions of hosts since its start."""
    return Hello(
        version=VERSION,
        kind=Kind.BOARD,
        role=role,
        boot=BOARD["boot"],
        capabilities=BOARD["capabilities"],
        firmware=bytes(BOARD["firmware"]),
        slots=SLOTS,
        in_flight=BOARD["in_flight"],
        sessions=BOARD["session"] + opened,
        session=BOARD["session"],
        board_id=BOARD["board_id"],
        name=BOARD["name"].encode(),
    )


def picture(rank: int, remaining_ms: int, image: int = 1, source: int = 0) -> Picture:
    """A small picture packet."""
    return Picture(image, rank, position=rank, remaining_ms=remaining_ms, data=b"codec", source=source)


def pack(packet: Packet) -> bytes:
    """Its bytes."""
    return packet if isinstance(packet, bytes) else packet.pack()


class Script:
    """A case as it is written: what happens to the board and what it answers."""

    def __init__(self, name: str, role: Role) -> None:
        self._case: dict[str, Any] = {"name": name, "role": int(role), "steps": []}
        self.role = role
        self.seq = 0

    def step(self, at_ms: float, **what: Any) -> Script:
        self._case["steps"].append({"at_us": round(at_ms * MS), **what})
        return self

    def say(self, at_ms: float, *packets: Packet) -> Script:
        """The host sends packets."""
        stream = b""
        for packet in packets:
            stream += frame(self.seq, pack(packet))
            self.seq = (self.seq + 1) % 256
        return self.step(at_ms, serial_in=stream.hex())

    def hear(self, at_ms: float, *packets: Packet) -> Script:
        """All that the board has for its host."""
        return self.step(at_ms, serial_out=[pack(p).hex() for p in packets])

    def arrive(self, at_ms: float, packet: Packet, peer: int = 0) -> Script:
        """A packet arrives over the air."""
        return self.step(at_ms, radio_in={"peer": peer, "packet": pack(packet).hex()})

    def leave(self, at_ms: float, *packets: Packet, peer: int = 0) -> Script:
        """All that the radio may take for a peer."""
        return self.step(at_ms, radio_out={"peer": peer, "packets": [pack(p).hex() for p in packets]})

    def sent(self, at_ms: float, peer: int = 0) -> Script:
        """The oldest packet in the radio is acknowledged."""
        return self.step(at_ms, radio_sent={"peer": peer})

    def up(self, at_ms: float, peer: int = 0) -> Script:
        """The radio of a peer is ready."""
        link = {"interval_us": 7500, "mtu": 247, "phy": int(Phy.LE_2M)}
        return self.step(at_ms, radio_up={"peer": peer, **link})

    def down(self, at_ms: float, reason: int, peer: int = 0) -> Script:
        """It breaks."""
        return self.step(at_ms, radio_down={"peer": peer, "reason": reason})

    def opened(self) -> Script:
        """A session is open and all is said."""
        return self.say(0, HOST_HELLO).hear(0, hello(self.role), self.credit())

    def linked(self, peer: int = 0) -> Script:
        """A session is open and the boards have met."""
        self.opened().up(0, peer).leave(0, hello(self.role), peer=peer).sent(0, peer).arrive(0, PEER_HELLO, peer)
        report = Link(state=LinkState.UP, phy=Phy.LE_2M, mtu=247, interval_us=7500, peer=peer)
        if self.role == Role.CAMERA:
            return self.hear(0, self.credit(link=LinkState.UP), report)
        return self.hear(0, report)

    def credit(self, **said: int) -> Credit:
        """A credit that says nothing but what is given."""
        waiting = said.get("waiting", 0)
        return Credit(**{"next_seq": self.seq, "free": SLOTS - waiting, **said})

    @property
    def case(self) -> dict[str, Any]:
        return self._case


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    scripts = [*_sessions(), *_skipped(), *_pictures(), *_air(), *_commands(), *_repeats()]
    return [script.case for script in scripts]


def _not_ready(role: Role) -> Error:
    return Error(code=ErrorCode.NOT_READY, detail=role)


def _sessions() -> list[Script]:
    refused = Script("unknown_version_is_refused", Role.CAMERA).say(0, Hello(version=VERSION + 1))
    refused.hear(0, hello(Role.CAMERA, opened=0), Error(code=ErrorCode.VERSION, detail=VERSION))
    refused.say(1, picture(0, 100)).hear(1, _not_ready(Role.CAMERA))
    later = Script("hello_of_a_later_version_with_another_layout", Role.EDGE).say(0, bytes([Hello.TYPE, 0, 200]))
    later.hear(0, hello(Role.EDGE, opened=0), Error(code=ErrorCode.VERSION, detail=VERSION))
    early = Script("picture_before_hello", Role.CAMERA).say(0, picture(0, 100)).hear(0, _not_ready(Role.CAMERA))
    early.say(1, HOST_HELLO).hear(1, hello(Role.CAMERA), early.credit())
    cut = Script("hello_cut_short", Role.CAMERA).say(0, HOST_HELLO.pack()[:-1])
    cut.hear(0, Error(code=ErrorCode.MALFORMED, detail=Hello.TYPE))
    again = Script("hello_again_starts_anew", Role.CAMERA).linked().say(0, picture(0, 100), picture(1, 100))
    again.leave(0, picture(0, 100), picture(1, 100)).sent(5).hear(
        5, again.credit(taken=2, in_radio=1, link=1, acked_packets=1, acked_bytes=5, busy_us=5 * MS)
    )
    again.seq = 9
    again.say(8, picture(2, 100), HOST_HELLO).sent(9).hear(
        9,
        hello(Role.CAMERA, opened=2),
        again.credit(link=1, busy_us=9 * MS),
        Link(state=LinkState.UP, phy=Phy.LE_2M, mtu=247, interval_us=7500),
    )
    return [Script("hello_is_answered_by_hello_and_credit", Role.CAMERA).opened(), refused, later, early, cut, again]


def _skipped() -> list[Script]:
    skipped = []
    for name, packet in [
        ("unknown_type_is_skipped", bytes([0x7F, 0, 1, 2, 3])),
        ("type_0_is_skipped", bytes(4)),
        ("packet_that_only_boards_send_is_skipped", Credit().pack()),
    ]:
        script = Script(name, Role.CAMERA).opened()
        skipped.append(script.say(1, packet, Ping(token=7)).hear(1, script.credit(), Pong(token=7)))
    for name, packet, kind in [
        ("ping_too_short", Ping().pack()[:-1], Ping.TYPE),
        ("ping_of_no_hop", Ping(hop=3).pack(), Ping.TYPE),
        ("picture_without_codec_bytes", picture(0, 100).pack()[:8], 0x80),
        ("repeat_too_short", Repeat().pack()[:-1], Repeat.TYPE),
        ("flush_that_is_neither_one_nor_all", Flush(all=2).pack(), Flush.TYPE),
        ("pair_of_no_action", Pair(action=4).pack(), Pair.TYPE),
        ("pair_of_no_method", Pair(action=1, method=2).pack(), Pair.TYPE),
        ("reset_of_no_kind", Reset(kind=2).pack(), Reset.TYPE),
        ("statistics_of_no_peer", StatisticsRequest(peer=200).pack(), StatisticsRequest.TYPE),
    ]:
        script = Script(name, Role.CAMERA).opened()
        skipped.append(script.say(1, packet).hear(1, Error(code=ErrorCode.MALFORMED, detail=kind)))
    damaged = Script("damage_and_a_gap_are_named", Role.CAMERA).opened()
    spoiled = frame(1, Ping(token=1).pack(), crc_flip=1) + frame(3, Ping(token=3).pack())
    damaged.step(1, serial_in=spoiled.hex())
    damaged.hear(1, damaged.credit(next_seq=4, damaged=1, missing=0b110), Pong(token=3))
    return [*skipped, damaged]


def _pictures() -> list[Script]:
    order = Script("pictures_leave_by_rank_then_deadline", Role.CAMERA).linked()
    order.say(1, picture(2, 100), picture(1, 200, image=2), picture(0, 300), picture(1, 100))
    order.leave(1, picture(0, 300), picture(1, 100), picture(1, 200, image=2), picture(2, 100))
    few = Script("no_more_in_the_radio_than_hello_says", Role.CAMERA).linked()
    few.say(1, *(picture(rank, 100) for rank in range(6))).leave(1, *(picture(rank, 100) for rank in range(4)))
    few.leave(2).sent(3).leave(3, picture(4, 98)).leave(3)
    hold = Script("remaining_time_subtracts_the_hold", Role.CAMERA).linked()
    hold.say(1, picture(0, 300)).leave(41.5, picture(0, 259))
    expired = Script("expired_picture_never_leaves", Role.CAMERA).linked()
    expired.say(1, picture(0, 10), picture(1, 11)).leave(11, picture(1, 1)).leave(12)
    expired.hear(12, expired.credit(taken=2, link=1, in_radio=1, busy_us=11 * MS))
    born = Script("picture_without_time_never_leaves", Role.CAMERA).linked().say(1, picture(0, 0)).leave(1)
    born.hear(1, born.credit(taken=1, link=1))
    edge = Script("picture_names_its_camera_on_the_edge", Role.EDGE).linked(peer=3)
    edge.arrive(10, picture(4, 100), peer=3).hear(30, picture(4, 80, source=3))
    late = Script("expired_picture_never_reaches_the_host", Role.EDGE).linked().arrive(10, picture(0, 5))
    late.hear(15, late.credit())
    wrong = Script("edge_takes_no_picture_from_its_host", Role.EDGE).opened()
    wrong.say(1, picture(0, 100)).hear(1, _not_ready(Role.EDGE))
    none = Script("board_without_a_role_takes_no_picture", Role.NONE).opened()
    none.say(1, picture(0, 100)).hear(1, _not_ready(Role.NONE))
    return [order, few, hold, expired, born, edge, late, wrong, none]


def _air() -> list[Script]:
    refused = Script("board_of_another_version_is_refused", Role.CAMERA).opened().up(0).leave(0, hello(Role.CAMERA))
    refused.sent(0).arrive(1, Hello(version=VERSION + 1)).say(1, picture(0, 100)).leave(1)
    report = Link(state=LinkState.REFUSED, phy=Phy.LE_2M, mtu=247, interval_us=7500)
    refused.hear(1, refused.credit(taken=1, waiting=1, link=LinkState.REFUSED), report)
    silent = Script("nothing_follows_hello_before_the_other_board_has_said_it", Role.CAMERA).opened()
    silent.say(0, picture(0, 100)).up(0).leave(0, hello(Role.CAMERA)).sent(0).leave(0)
    silent.arrive(5, PEER_HELLO).leave(5, picture(0, 95))
    command = Script("the_air_does_not_command", Role.EDGE).linked()
    for packet in (
        Configure(role=Role.CAMERA),
        Flush(all=1),
        StatisticsRequest(),
        Pair(action=1),
        Reset(),
        Ping(hop=Hop.BOARD),
        b"\x7f",
    ):
        command.arrive(1, packet)
    command.hear(1).leave(1)
    lost = Script("connection_lost", Role.CAMERA).linked().say(1, picture(0, 100), picture(1, 100))
    lost.leave(1, picture(0, 100), picture(1, 100)).say(2, picture(2, 100)).down(4, reason=8)
    gone = Link(state=LinkState.DOWN, phy=Phy.LE_2M, reason=8, mtu=247, interval_us=7500)
    lost.hear(4, lost.credit(taken=3, waiting=1, busy_us=3 * MS), gone).leave(4)
    lost.up(20).leave(20, hello(Role.CAMERA)).arrive(21, PEER_HELLO).leave(21, picture(2, 81))
    return [refused, silent, command, lost]


def _commands() -> list[Script]:
    ping = Script("ping_goes_as_far_as_its_hop", Role.CAMERA).linked()
    ping.say(1, Ping(hop=Hop.BOARD, token=1, origin_us=9)).hear(
        1, ping.credit(link=1), Pong(hop=Hop.BOARD, token=1, origin_us=9)
    )
    ping.say(2, Ping(hop=Hop.PEER_BOARD, token=2)).leave(2, Ping(hop=Hop.PEER_BOARD, token=2))
    ping.arrive(3, Pong(hop=Hop.PEER_BOARD, token=2)).hear(3, Pong(hop=Hop.PEER_BOARD, token=2))
    answers = Script("edge_answers_and_carries_answers", Role.EDGE).linked(peer=2)
    answers.arrive(1, Ping(hop=Hop.PEER_BOARD, token=5), peer=2).leave(1, Pong(hop=Hop.PEER_BOARD, token=5), peer=2)
    answers.sent(2, peer=2).arrive(2, Ping(hop=Hop.PEER_HOST, token=6), peer=2).hear(
        2, Ping(hop=Hop.PEER_HOST, token=6, peer=2)
    )
    answers.say(3, Result(image=4, text=b"x", peer=2)).leave(3, Result(image=4, text=b"x"), peer=2)
    newer = Script("newer_answer_takes_the_place_of_a_waiting_one", Role.EDGE).linked(peer=2)
    newer.say(3, *(Result(image=300 + n % 2, text=b"%d" % n, more=1, peer=2) for n in range(3)))
    newer.say(4, Result(image=300, program=1, text=b"3", peer=2))
    newer.leave(4, Result(image=300, text=b"2", more=1), peer=2).sent(5, peer=2)
    newer.leave(5, Result(image=301, text=b"1", more=1), peer=2).sent(6, peer=2)
    newer.leave(6, Result(image=300, program=1, text=b"3"), peer=2)
    no_link = Script("no_link_to_carry_it", Role.EDGE).linked(peer=2)
    no_link.say(1, Result(peer=5)).hear(1, Error(code=ErrorCode.NO_LINK, detail=5))
    flush = Script("flush_is_answered_by_credit", Role.CAMERA).opened()
    flush.say(1, picture(0, 100, image=1), picture(1, 100, image=257), picture(2, 100, image=1), Flush(image=1))
    flush.hear(1, flush.credit(taken=3, waiting=1)).say(2, Flush(image=200, all=1))
    flush.hear(2, flush.credit(taken=3))
    configure = Script("configure_is_answered_by_hello", Role.NONE).opened()
    configure.say(1, Configure(role=Role.EDGE, tx_power_dbm=127))
    configure.hear(1, hello(Role.EDGE), configure.credit())
    illegal = Script("illegal_configuration_names_the_field", Role.NONE).opened()
    illegal.say(1, Configure(role=Role.EDGE, interval_us=7499)).hear(1, Error(code=ErrorCode.CONFIGURE, detail=5))
    illegal.say(2, Configure(role=9, phy=9)).hear(2, Error(code=ErrorCode.CONFIGURE, detail=0))
    overrun = Script("picture_without_room", Role.CAMERA).opened()
    overrun.say(1, *(picture(rank, 100) for rank in range(SLOTS)))
    overrun.hear(1, overrun.credit(taken=SLOTS, waiting=SLOTS)).say(2, picture(SLOTS, 100))
    overrun.hear(2, Error(code=ErrorCode.OVERRUN, detail=SLOTS), overrun.credit(taken=SLOTS + 1, waiting=SLOTS))
    return [ping, answers, newer, no_link, flush, configure, illegal, overrun]


def _repeats() -> list[Script]:
    pictures = Script("missing_pictures_are_sent_again_by_rank_in_new_frames", Role.EDGE).linked()
    # Frames 0 to 2 were hello, credit and link; frames 3 to 5 are these.
    for at_ms, rank in enumerate((2, 1, 0), 10):
        pictures.arrive(at_ms, picture(rank, 100)).hear(at_ms, picture(rank, 100))
    pictures.say(30, Repeat(next_seq=6, missing=0b110)).hear(30, picture(1, 81), picture(2, 80))
    pictures.say(31, Repeat(next_seq=6, missing=0b110)).hear(31)
    pictures.say(40, Repeat(next_seq=8, missing=0b1)).hear(40, picture(2, 70))
    expired = Script("missing_picture_without_time_is_not_sent_again", Role.EDGE).linked()
    expired.arrive(10, picture(0, 20)).hear(10, picture(0, 20)).say(30, Repeat(next_seq=4, missing=0b1)).hear(30)
    others = Script("missing_answer_is_sent_again_and_a_state_reported_as_it_is", Role.CAMERA).linked()
    # Frames 0 to 3 were hello, credit, credit and link; frame 4 is this.
    others.arrive(1, Result(image=4, text=b"x")).hear(1, Result(image=4, text=b"x"))
    report = Link(state=LinkState.UP, phy=Phy.LE_2M, mtu=247, interval_us=7500)
    others.say(2, Repeat(next_seq=5, missing=0b11)).hear(2, report, Result(image=4, text=b"x"))
    others.say(3, Ping(token=9)).hear(3, others.credit(link=1), Pong(token=9))
    others.say(4, Repeat(next_seq=9, missing=0b11)).hear(4)
    return [pictures, expired, others]
