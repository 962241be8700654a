"""Scenes in virtual time on virtual boards: senders and a receiver, or simple hosts that only push packets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from host.board.core import BoardCore, Totals
from host.link.events import Answer, Event, ImageCollected, Ready, Unanswered
from host.link.frames import FrameReader, write_frame
from host.link.receiver import Receiver
from host.link.sealing import CameraSeal, ServerSeal
from host.link.sender import Sender
from host.ranked import RankedPacket
from host.sim.radio import RadioParameters
from host.sim.trace import ChannelState, Trace
from host.sim.virtual import VirtualHost
from host.sim.world import Node, World, WorldSettings
from host.wire import MAX_CODEC_BYTES, VERSION, Flush, Hello, Kind, Phy, Picture, Ping, parse

SECOND_US = 1_000_000
#: So fast that the serial lines do not matter.
NO_LINE = 20_000_000
SERVICE_US = 20_000


def air(
    phy: Phy = Phy.LE_2M,
    interval_us: int = 7_500,
    *,
    loss: float = 0.0,
    rate_bps: float | None = None,
    **rest: object,
) -> WorldSettings:
    """Return settings of a world with a constant channel."""
    return WorldSettings(
        parameters=RadioParameters(phy, interval_us),
        trace=Trace.constant(ChannelState(rate_bps, loss)),
        **rest,  # type: ignore[arg-type]
    )


def adds_up(totals: Totals) -> bool:
    """Return whether the accounting of a board's queue adds up."""
    out = totals.sent + totals.expired + totals.evicted + totals.flushed + totals.waiting
    return totals.accepted == out


def picture(count: int, seed: int = 0, size: int = MAX_CODEC_BYTES) -> list[RankedPacket]:
    """Return a picture's packets, different for each seed."""
    return [
        RankedPacket(rank, (seed * 7 + rank) % 65536, (seed * 256 + rank).to_bytes(4, "big") + bytes(size - 4))
        for rank in range(count)
    ]


def is_outcome(event: Event) -> bool:
    """Return whether an event ends a picture: no answer, or the final one."""
    return isinstance(event, Unanswered) or (isinstance(event, Answer) and event.final)


@dataclass
class Heard:
    """A picture packet on the air or at a serial port, with its time in us."""

    at_us: int
    packet: Picture


@dataclass
class Tap:
    """A recorder of packets: received by the edge over the air, and handed to a camera's radio."""

    on_air: list[Heard] = field(default_factory=list)
    handed: list[Heard] = field(default_factory=list)

    def listen(self, world: World) -> Tap:
        """Record the packets of all boards of a world."""
        hear = world.edge.board.radio_rx

        def radio_rx(now_us: int, peer: int, packet: bytes) -> None:
            found = parse(packet)
            if isinstance(found, Picture):
                self.on_air.append(Heard(now_us, found))
            hear(now_us, peer, packet)

        world.edge.board.radio_rx = radio_rx  # type: ignore[method-assign]
        for camera in world.cameras:
            self._listen_to_camera(camera.board)
        return self

    def _listen_to_camera(self, board: BoardCore) -> None:
        pull = board.radio_tx

        def radio_tx(now_us: int, peer: int) -> bytes:
            packet = pull(now_us, peer)
            if packet:
                found = parse(packet)
                if isinstance(found, Picture):
                    self.handed.append(Heard(now_us, found))
            return packet

        board.radio_tx = radio_tx  # type: ignore[method-assign]


class Scene:
    """Senders, boards and a receiver that answers provisionally, too.

    ``outcomes`` are the final ones of each sender by image number, ``collected`` the images as finally answered.
    ``camera_seals`` and ``server_seal`` seal the pictures.
    """

    def __init__(
        self,
        settings: WorldSettings,
        *,
        service_us: int = SERVICE_US,
        camera_seals: Sequence[CameraSeal | None] = (),
        server_seal: ServerSeal | None = None,
    ) -> None:
        self.world = World(settings)
        self.tap = Tap().listen(self.world)
        self.schedule = self.world.schedule
        self.service_us = service_us
        self.log: list[tuple[int, str, Event]] = []
        self.collected: list[ImageCollected] = []
        self.outcomes: list[dict[int, Answer | Unanswered]] = [{} for _ in self.world.cameras]
        self.ended = 0
        self.receiver = Receiver(nonce=99, service_us=service_us, seal=server_seal)
        seals = camera_seals or [None for _ in self.world.cameras]
        self.senders = [Sender(nonce=11 + index, seal=seal) for index, seal in enumerate(seals)]
        self.server = VirtualHost(self.schedule, self.world.edge.line, self.receiver, self._at_receiver)
        self.hosts = [
            VirtualHost(self.schedule, node.line, sender, lambda event, i=index: self._at_sender(i, event))
            for index, (node, sender) in enumerate(zip(self.world.cameras, self.senders, strict=True))
        ]

    @property
    def now_us(self) -> int:
        return self.schedule.now_us

    def run(self, duration_us: int) -> None:
        """Advance the time."""
        self.schedule.run_until(self.now_us + duration_us)

    def run_until(self, done: Callable[[], bool], limit_us: int) -> bool:
        """Advance the time until a condition is true; return False if it stays false."""
        end_us = self.now_us + limit_us
        while not done() and self.now_us < end_us:
            self.run(1000)
        return done()

    def ready(self, limit_us: int = 20 * SECOND_US) -> bool:
        """Advance the time until all senders have an answer from the server."""
        return self.run_until(lambda: all(sender.ready for sender in self.senders), limit_us)

    def submit(
        self,
        packets: Sequence[RankedPacket],
        deadline_us: int,
        camera: int = 0,
        more: Callable[[], Sequence[RankedPacket]] | None = None,
    ) -> int:
        """Submit a picture now and return its number."""
        number = self.senders[camera].submit(self.now_us, packets, self.now_us + deadline_us, more)
        self.outcomes[camera].pop(number, None)
        self.hosts[camera].wake()
        return number

    def send(self, packets: Sequence[RankedPacket], deadline_us: int, camera: int = 0) -> Answer | Unanswered:
        """Submit a picture now and return its outcome."""
        number = self.submit(packets, deadline_us, camera)
        assert self.run_until(lambda: number in self.outcomes[camera], deadline_us + SECOND_US)
        return self.outcomes[camera][number]

    def adds_up(self) -> bool:
        """Return the accounting of all boards."""
        return all(adds_up(node.board.totals) for node in self.world.nodes)

    def _at_sender(self, camera: int, event: Event) -> None:
        self.log.append((self.now_us, f"camera {camera}", event))
        if isinstance(event, Answer | Unanswered) and is_outcome(event):
            self.ended += 1
            self.outcomes[camera][event.image] = event

    def _at_receiver(self, event: Event) -> None:
        self.log.append((self.now_us, "edge", event))
        if isinstance(event, ImageCollected):
            if event.final:
                self.collected.append(event)
            self.schedule.at(self.now_us + self.service_us, lambda: self._answer(event))

    def _answer(self, event: ImageCollected) -> None:
        used = [packet.rank for packet in event.packets]
        classes = [(1, "tench", 0.9), (2, "goldfish", 0.1)]
        self.receiver.answer(self.now_us, event, classes, service_us=self.service_us, used=used)
        self.server.wake()


class BareHost:
    """A host without a protocol machine: sends hello and given packets, and keeps the received picture packets."""

    def __init__(self, world: World, node: Node) -> None:
        self.node = node
        self.arrived: list[Heard] = []
        self._world = world
        self._reader = FrameReader()
        self._seq = 0
        node.line.on_bytes = self._receive
        self.say(Hello(version=VERSION, kind=Kind.HOST, session=3))

    def say(self, *packets: Picture | Hello | Flush | Ping) -> None:
        """Send packets to the board, one in each frame."""
        data = b""
        for packet in packets:
            data += write_frame(self._seq, packet.pack())
            self._seq += 1
        self.node.line.write(self._world.schedule.now_us, data)

    def _receive(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            packet = parse(frame.packet)
            if isinstance(packet, Picture):
                self.arrived.append(Heard(self._world.schedule.now_us, packet))


class Bulk:
    """Camera boards that always have full packets of one rank; running ``numbers`` are their positions."""

    def __init__(self, settings: WorldSettings, *, refill: bool = True) -> None:
        self.world = World(settings)
        self.tap = Tap().listen(self.world)
        self.edge = BareHost(self.world, self.world.edge)
        self.cameras = [BareHost(self.world, node) for node in self.world.cameras]
        self.numbers = [0 for _ in self.cameras]
        self.refilling = refill
        self.world.schedule.every(1_000, self._refill)

    def connected(self, limit_us: int = 30 * SECOND_US) -> bool:
        """Run until all connections are up."""
        schedule = self.world.schedule
        end_us = schedule.now_us + limit_us
        while not all(link.up for link in self.world.connections) and schedule.now_us < end_us:
            schedule.run_until(schedule.now_us + 1000)
        return all(link.up for link in self.world.connections)

    def run(self, duration_us: int) -> None:
        """Advance the time."""
        self.world.schedule.run_until(self.world.schedule.now_us + duration_us)

    def goodput_bps(self, duration_us: int, source: int | None = None) -> float:
        """Return the rate of whole packets that reach the edge server from now on, bit/s."""
        before = len(self.edge.arrived)
        self.run(duration_us)
        packets = [heard.packet for heard in self.edge.arrived[before:]]
        bits = sum(8 * len(packet.pack()) for packet in packets if source in (None, packet.source))
        return bits / duration_us * 1e6

    def _refill(self) -> None:
        for index, camera in enumerate(self.cameras):
            while self.refilling and camera.node.board.totals.waiting < 30:
                number = self.numbers[index]
                data = number.to_bytes(4, "big") + bytes(MAX_CODEC_BYTES - 4)
                packet = Picture(image=1, rank=9, position=number % 65536, remaining_ms=60_000, data=data)
                # Past the line: what is measured is the air.
                camera.node.board.serial_rx(self.world.schedule.now_us, write_frame(number + 1, packet.pack()))
                self.numbers[index] += 1


def numbers(heard: Sequence[Heard], source: int = 0) -> list[int]:
    """Return the running numbers of bulk packets in the order of arrival."""
    return [int.from_bytes(h.packet.data[:4], "big") for h in heard if h.packet.source == source]


def readies(scene: Scene) -> list[int]:
    """Return when the senders became ready, us."""
    return [at_us for at_us, _, event in scene.log if isinstance(event, Ready)]
