"""Frames written in Python and queued in C leave in the order of a simple model."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from host.board.core import BoardCore
from host.link.frames import FrameReader, write_frame
from host.wire import VERSION, Control, Flush, Hello, Kind, Phy, Picture, Role, parse
from tests.sim.queue_model import QueueModel
from tests.sim.scene import adds_up

#: Starts near the end of the core's 32-bit clock, so that it wraps within a run.
START_US = (1 << 32) - 400_000


class Rig:
    """One board without a world; the test acts as its host and radio."""

    def __init__(self, role: Role, peers: int = 1, in_flight: int = 8) -> None:
        self.now_us = START_US
        self.board = BoardCore(
            "rig",
            board_id=1,
            session=2,
            role=role,
            in_flight=in_flight,
            now_us=START_US,
            on_configure=lambda _: True,
            on_wake=lambda: None,
        )
        self.reader = FrameReader()
        self._seq = 0
        self.say(Hello(version=VERSION, kind=Kind.HOST, session=1))
        for peer in range(peers):
            self.board.radio_up(self.now_us, peer, interval_us=7_500, phy=Phy.LE_2M)
            across = Role.CAMERA if role == Role.EDGE else Role.EDGE
            hello = Hello(version=VERSION, kind=Kind.BOARD, role=across, session=9)
            self.board.radio_rx(self.now_us, peer, hello.pack())
            assert self.board.radio_tx(self.now_us, peer)  # its hello
            self.board.radio_sent(self.now_us, peer)
        self.from_serial()

    def say(self, packet: Picture | Control) -> None:
        """Write a frame to the serial port."""
        self.board.serial_rx(self.now_us, write_frame(self._seq, packet.pack()))
        self._seq += 1

    def from_radio(self) -> Picture | None:
        """Take the next packet for the radio and acknowledge it at once."""
        packet = self.board.radio_tx(self.now_us, 0)
        if not packet:
            return None
        self.board.radio_sent(self.now_us, 0)
        found = parse(packet)
        assert isinstance(found, Picture)
        return found

    def from_serial(self, room: int = 4096) -> list[Picture]:
        """Return the picture packets that the board writes to the serial port, pulled in chunks."""
        found: list[Picture] = []
        while data := self.board.serial_tx(self.now_us, room):
            found += [p for f in self.reader.feed(data) if isinstance(p := parse(f.packet), Picture)]
        assert self.reader.damaged == 0
        assert self.reader.missing == 0
        return found


PICTURES = st.builds(
    Picture,
    image=st.integers(0, 2),
    rank=st.integers(0, 4) | st.integers(0, 255),
    position=st.integers(0, 65535),
    remaining_ms=st.sampled_from([0, 1, 2, 20, 20, 100, 65535]) | st.integers(0, 300),
    data=st.binary(min_size=1, max_size=12) | st.just(bytes(236)) | st.just(b"\xff" * 236),
    last=st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        st.lists(PICTURES, min_size=1, max_size=40),
        st.lists(PICTURES, min_size=1, max_size=4),
        st.tuples(st.just("wait"), st.integers(0, 60_000)),
        st.tuples(st.just("tick"), st.just(0)),
        st.tuples(st.just("pull"), st.integers(1, 50)),
        st.tuples(st.just("flush"), st.integers(0, 3)),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_packets_leave_a_camera_board_in_the_order_of_the_naive_model(steps: list) -> None:  # type: ignore[type-arg]
    rig, model = Rig(Role.CAMERA), QueueModel()
    for step in [*steps, ("pull", 100)]:
        match step:
            case list(pictures):
                for picture in pictures:
                    rig.say(picture)
                    model.push(rig.now_us, picture)
            case ("wait", duration_us):
                rig.now_us += duration_us
            case ("tick", _):
                rig.board.tick(rig.now_us)
                model.expire(rig.now_us)
            case ("pull", count):
                for _ in range(count):
                    assert rig.from_radio() == model.pop(rig.now_us)
            case ("flush", image):
                rig.say(Flush(image=image, all=image == 3))
                model.flush(0, None if image == 3 else image)
        assert rig.board.totals == model.totals
        assert adds_up(rig.board.totals)
        assert rig.from_serial() == []  # credits and errors only; before it speaks, the board drops what is past
        model.expire(rig.now_us)
        assert rig.board.totals == model.totals


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, peers=st.lists(st.integers(0, 7), min_size=1, max_size=200), room=st.integers(1, 400))
def test_packets_leave_an_edge_board_in_the_order_of_the_naive_model(
    steps: list,  # type: ignore[type-arg]
    peers: list[int],
    room: int,
) -> None:
    rig, model, turn = Rig(Role.EDGE, peers=8), QueueModel(), 0
    for step in [*steps, ("pull", 1)]:
        match step:
            case list(pictures):
                for picture in pictures:
                    source = peers[turn % len(peers)]
                    turn += 1
                    rig.board.radio_rx(rig.now_us, source, picture.pack())
                    named = Picture.unpack(bytes([picture.pack()[0] | source]) + picture.pack()[1:])
                    model.push(rig.now_us, named)
            case ("wait", duration_us):
                rig.now_us += duration_us
            case ("tick", _):
                rig.board.tick(rig.now_us)
                model.expire(rig.now_us)
            case ("pull", _):
                expected = []
                while (best := model.pop(rig.now_us)) is not None:
                    expected.append(best)
                assert rig.from_serial(room) == expected
            case ("flush", image):
                source = image % 8
                rig.say(Flush(peer=source, image=image, all=image == 3))
                model.flush(source, None if image == 3 else image)
        assert rig.board.totals == model.totals
        assert adds_up(rig.board.totals)


@settings(max_examples=100, deadline=None)
@given(
    packets=st.lists(PICTURES.filter(lambda p: p.remaining_ms > 50), max_size=30),
    damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=6),
)
def test_what_breaks_on_the_way_to_the_board_is_dropped_and_the_rest_arrives(
    packets: list[Picture], damage: list[tuple[int, int]]
) -> None:
    rig, model = Rig(Role.CAMERA), QueueModel()
    python = FrameReader()
    stream = bytearray(b"".join(write_frame(k + 1, packet.pack()) for k, packet in enumerate(packets)))
    for at, change in damage:
        if stream:
            stream[at % len(stream)] ^= change
    for frame in python.feed(bytes(stream)):  # the reader in Python finds the same frames
        found = parse(frame.packet)
        assert found in packets
        assert isinstance(found, Picture)
        model.push(rig.now_us, found)
    rig.board.serial_rx(rig.now_us, bytes(stream))
    assert rig.board.totals == model.totals
    for _ in range(len(packets) + 1):
        assert rig.from_radio() == model.pop(rig.now_us)
