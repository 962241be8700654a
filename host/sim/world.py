"""Virtual boards, their serial lines and the air between them, on one schedule.

The same world runs in virtual time (``run_until``) and in real time (``host.sim.realtime``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..board.core import BoardCore, RadioSettings
from ..wire import Boot, Phy, Role
from .line import UART_BYTES_PER_S, SerialLine
from .radio import Connection, End, Medium, RadioParameters
from .schedule import Schedule
from .trace import CLEAR, Trace

TICK_US = 5_000
#: Bluetooth reason code: the connection was terminated by this side.
LOCAL_REASON = 0x16


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """How a world is laid out."""

    cameras: int = 1
    parameters: RadioParameters = field(default_factory=RadioParameters)
    trace: Trace = field(default_factory=lambda: Trace.constant(CLEAR))
    bytes_per_s: int = UART_BYTES_PER_S
    noise: float = 0.0
    in_flight: int = 4
    seed: int = 1


class Node:
    """A board and the serial line in front of it."""

    def __init__(self, board: BoardCore, line: SerialLine) -> None:
        self.board = board
        self.line = line


class World:
    """Camera boards, one edge board, and the radio between them.

    The boards start with their roles kept from earlier (camera, edge). They connect once they are started, and again
    whenever a configuration gives both of them the right role.
    """

    def __init__(self, settings: WorldSettings | None = None, *, now_us: int = 0) -> None:
        self.settings = settings or WorldSettings()
        self.schedule = Schedule(now_us)
        self._medium = Medium(self.schedule)
        self.edge = self._node("edge", 0, Role.EDGE, self._configure_edge)
        self.cameras: list[Node] = []
        self.connections: list[Connection] = []
        for index in range(self.settings.cameras):
            name = "camera" if self.settings.cameras == 1 else f"camera-{index}"
            camera = self._node(name, index + 1, Role.CAMERA, lambda s, i=index: self._configure_camera(i, s))  # type: ignore[misc]
            connection = Connection(
                self.schedule,
                End(camera.board, 0),
                End(self.edge.board, index),
                self._medium,
                self.settings.parameters,
                self.settings.trace,
                self.settings.seed + index,
            )
            self.cameras.append(camera)
            self.connections.append(connection)
            connection.search()
        self.schedule.every(TICK_US, self._tick)

    @property
    def nodes(self) -> list[Node]:
        """All boards: the cameras, then the edge."""
        return [*self.cameras, self.edge]

    def reset(self, node: Node, boot: Boot = Boot.PIN) -> None:
        """Press a board's reset button: its connections end, and it looks for the other again."""
        now_us = self.schedule.now_us
        touched = self.connections if node is self.edge else [self.connections[self.cameras.index(node)]]
        for connection in touched:
            connection.drop(LOCAL_REASON)
        node.board.reset(now_us, boot)
        for connection in touched:
            connection.search()

    def _node(self, name: str, index: int, role: Role, configure: Callable[[RadioSettings], bool]) -> Node:
        settings = self.settings
        line = SerialLine(
            self.schedule, bytes_per_s=settings.bytes_per_s, noise=settings.noise, seed=settings.seed + index
        )
        board = BoardCore(
            name,
            board_id=0x504E_4300 + index,
            session=settings.seed * 1000 + index,
            role=role,
            in_flight=settings.in_flight,
            now_us=self.schedule.now_us,
            on_configure=configure,
            on_wake=lambda: self._wake(node),
            on_reset=lambda: self.schedule.at(self.schedule.now_us, lambda: self.reset(node, Boot.SOFTWARE)),
        )
        line.board = board
        node = Node(board, line)
        return node

    def _wake(self, node: Node) -> None:
        """A board has something to be pulled: later, since it calls from inside."""
        node.line.wake()
        self.schedule.at(self.schedule.now_us, lambda: self._wake_radio(node))

    def _wake_radio(self, node: Node) -> None:
        for connection in self.connections:
            if node is self.edge or connection.camera.board is node.board:
                connection.wake()

    def _configure_camera(self, index: int, wanted: RadioSettings) -> bool:
        return self._configure([self.connections[index]], wanted, Role.CAMERA)

    def _configure_edge(self, wanted: RadioSettings) -> bool:
        return self._configure(self.connections, wanted, Role.EDGE)

    def _configure(self, connections: list[Connection], wanted: RadioSettings, role: Role) -> bool:
        """A virtual board has its place in the world: it takes no other role than that (or none)."""
        changed = []
        for connection in connections:
            parameters = connection.parameters
            if wanted.phy != Phy.KEEP:
                parameters = replace(parameters, phy=wanted.phy)
            if wanted.interval_us:
                parameters = replace(parameters, interval_us=wanted.interval_us)
            if wanted.role != role or not parameters.possible:
                return False
            changed.append(parameters)
        for connection, parameters in zip(connections, changed, strict=True):
            if parameters != connection.parameters:
                self.schedule.at(
                    self.schedule.now_us,
                    lambda connection=connection, parameters=parameters: connection.change(parameters),  # type: ignore[misc]
                )
        return True

    def _tick(self) -> None:
        for node in self.nodes:
            node.board.tick(self.schedule.now_us)
