"""A host that sends requests to one virtual board."""

from __future__ import annotations

from host.link.frames import FrameReader, write_frame
from host.sim.world import World
from host.wire import VERSION, Control, Hello, Kind, Statistics, StatisticsRequest, parse


class Asker:
    """Opens a session with a board of a world and keeps its answers."""

    def __init__(self, world: World, index: int = 0) -> None:
        self.world = world
        self.answers: list[Control] = []
        self._line = world.nodes[index].line
        self._reader = FrameReader()
        self._seq = 0
        self._line.on_bytes = self._receive
        self.greet()

    def greet(self) -> list[Control]:
        """Open a session."""
        return self.ask(Hello(version=VERSION, kind=Kind.HOST, session=1))

    def ask(self, packet: Control, wait_us: int = 50_000) -> list[Control]:
        """Return the packets that the board sends within a time."""
        self.answers = []
        self._line.write(self.world.schedule.now_us, write_frame(self._seq, packet.pack()))
        self._seq += 1
        self.world.schedule.run_until(self.world.schedule.now_us + wait_us)
        return self.answers

    def statistics(self) -> Statistics:
        """Return the board's statistics."""
        (answer,) = [a for a in self.ask(StatisticsRequest()) if isinstance(a, Statistics)]
        return answer

    def _receive(self, data: bytes) -> None:
        self.answers += [parse(frame.packet) for frame in self._reader.feed(data)]  # type: ignore[misc]
