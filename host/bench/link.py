"""Measures the goodput of useful codec bytes on virtual boards, in virtual time, against the radio's limit.

A camera submits pictures that are larger than the link can carry, one after the other, each with a deadline. Codec
bytes are useful if the edge server has them by their image's deadline.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..link.events import Event, ImageCollected
from ..link.receiver import Receiver
from ..link.sealing import CameraSeal, ServerSeal
from ..link.sender import Sender
from ..ranked import RankedPacket
from ..sim.air import goodput_limit_bps
from ..sim.line import USB_BYTES_PER_S
from ..sim.radio import RadioParameters
from ..sim.trace import ChannelState, Trace
from ..sim.virtual import VirtualHost
from ..sim.world import World, WorldSettings
from ..wire import MAX_PACKET, Phy, Picture, parse

PHY_NAMES = {"2M": Phy.LE_2M, "1M": Phy.LE_1M, "coded-S2": Phy.CODED_S2, "coded-S8": Phy.CODED_S8}
CASES = [
    ("2M", 7_500, 0.0),
    ("2M", 15_000, 0.0),
    ("2M", 50_000, 0.0),
    ("2M", 7_500, 0.1),
    ("1M", 15_000, 0.0),
    ("1M", 50_000, 0.0),
    ("1M", 15_000, 0.1),
    ("coded-S2", 30_000, 0.0),
    ("coded-S8", 60_000, 0.0),
]
DEADLINE_US = 400_000
WARM_UP_US = 2_000_000
DURATION_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one case.

    ``late_packets``: packets handed to the radio after their image's deadline; ``aired_late_most``: the most packets of
    one image that were on the air after it, because the radio already had them.
    """

    phy: str
    interval_ms: float
    loss: float
    useful_bps: int
    limit_bps: int
    ratio: float
    late_packets: int
    aired_late_most: int


class _LatePackets:
    """Counts packets that a camera's radio takes or sends after their image's deadline."""

    def __init__(self) -> None:
        self.deadlines_us: dict[int, int] = {}
        self.late_packets = 0
        self.aired_late: dict[int, set[int]] = {}
        self.aired_late_most = 0

    def submitted(self, image: int, deadline_us: int) -> None:
        """Note the deadline of an image."""
        self.deadlines_us[image] = deadline_us
        self.aired_late.pop(image, None)

    def on_handed(self, now_us: int, data: bytes) -> None:
        """Count a packet that the radio takes."""
        self.late_packets += self._is_late(now_us, data) is not None

    def on_air(self, now_us: int, data: bytes) -> None:
        """Count a packet that the radio sends."""
        packet = self._is_late(now_us, data)
        if packet is not None:
            ranks = self.aired_late.setdefault(packet.image, set())
            ranks.add(packet.rank)
            self.aired_late_most = max(self.aired_late_most, len(ranks))

    def _is_late(self, now_us: int, data: bytes) -> Picture | None:
        """Return the packet if it is a picture's and late."""
        packet = parse(data)
        if isinstance(packet, Picture) and now_us >= self.deadlines_us[packet.image]:
            return packet
        return None


def measure(
    phy: str,
    interval_us: int,
    loss: float,
    camera_seal: CameraSeal | None = None,
    server_seal: ServerSeal | None = None,
) -> Row:
    """Measure one case for ten seconds of virtual time after the start-up; the seals are those of a key, if any."""
    settings = WorldSettings(
        parameters=RadioParameters(PHY_NAMES[phy], interval_us),
        trace=Trace.constant(ChannelState(loss=loss)),
        bytes_per_s=USB_BYTES_PER_S,
    )
    world = World(settings)
    schedule = world.schedule
    late = _LatePackets()
    world.connections[0].camera.on_handed = late.on_handed
    world.connections[0].camera.on_air = late.on_air
    collected: list[tuple[int, int]] = []

    def on_edge(event: Event) -> None:
        if isinstance(event, ImageCollected) and event.final:
            collected.append((schedule.now_us, sum(len(packet.data) for packet in event.packets)))

    sender, receiver = Sender(nonce=1, seal=camera_seal), Receiver(nonce=2, seal=server_seal)
    camera = VirtualHost(schedule, world.cameras[0].line, sender, lambda _event: None)
    VirtualHost(schedule, world.edge.line, receiver, on_edge)
    most, first_less = sender.key.packet_bytes
    packets = [RankedPacket(rank, rank, bytes(most if rank else most - first_less)) for rank in range(256)]
    while schedule.now_us < WARM_UP_US + DURATION_US:
        if sender.ready:
            deadline_us = schedule.now_us + DEADLINE_US
            image = sender.submit(schedule.now_us, packets, deadline_us)
            late.submitted(image, deadline_us)
            camera.wake()
        schedule.run_until(schedule.now_us + DEADLINE_US // 4)
    useful = sum(size for at_us, size in collected if at_us >= WARM_UP_US)
    useful_bps = useful * 8 / DURATION_US * 1e6
    limit_bps = goodput_limit_bps(PHY_NAMES[phy], interval_us, MAX_PACKET, loss)
    return Row(
        phy=phy,
        interval_ms=interval_us / 1000,
        loss=loss,
        useful_bps=round(useful_bps),
        limit_bps=round(limit_bps),
        ratio=round(useful_bps / limit_bps, 4),
        late_packets=late.late_packets,
        aired_late_most=late.aired_late_most,
    )


def run() -> dict[str, Any]:
    """Measure all cases."""
    return {"rows": [asdict(measure(*case)) for case in CASES]}
