"""Virtual boards, their serial lines and the radio between them, on one schedule.

The same world runs in virtual time (``Schedule.run_until``) and in real time (``host.sim.realtime``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..board.core import BoardCore
from ..board.operations import RadioSettings
from ..wire import Boot, Phy, Role
from .line import UART_BYTES_PER_S, SerialLine
from .radio import Connection, Endpoint, Medium, RadioParameters
from .schedule import Schedule
from .trace import CLEAR, Trace

TICK_US = 5_000
#: Bluetooth reason code: connection terminated by the local host.
LOCAL_REASON = 0x16


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Settings of a world; ``noise`` is the bit error rate of the serial lines."""

    cameras: int = 1
    parameters: RadioParameters = field(default_factory=RadioParameters)
    trace: Trace = field(default_factory=lambda: Trace.constant(CLEAR))
    bytes_per_s: int = UART_BYTES_PER_S
    noise: float = 0.0
    in_flight: int = 4
    seed: int = 1


class Node:
    """A board and its serial line."""

    def __init__(self, board: BoardCore, line: SerialLine) -> None:
        self.board = board
        self.line = line


class World:
    """Camera boards, one edge board, and the radio between them.

    The boards start with their roles, as if configured before, and connect at once.
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
                Endpoint(camera.board, 0),
                Endpoint(self.edge.board, index),
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
        """Press a board's reset button: its connections end and are searched again."""
        now_us = self.schedule.now_us
        affected = self.connections if node is self.edge else [self.connections[self.cameras.index(node)]]
        for connection in affected:
            connection.drop(LOCAL_REASON)
        node.board.reset(now_us, boot)
        for connection in affected:
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
        """Pull a board's bytes and packets after the current call: an operation may not call the core."""
        node.line.wake()
        self.schedule.at(self.schedule.now_us, lambda: self._wake_radio(node))

    def _wake_radio(self, node: Node) -> None:
        for connection in self.connections:
            if node is self.edge or connection.camera.board is node.board:
                connection.wake()

    def _configure_camera(self, index: int, requested: RadioSettings) -> bool:
        return self._configure([self.connections[index]], requested, Role.CAMERA)

    def _configure_edge(self, requested: RadioSettings) -> bool:
        return self._configure(self.connections, requested, Role.EDGE)

    def _configure(self, connections: list[Connection], requested: RadioSettings, role: Role) -> bool:
        """Apply radio settings; return False for a role other than ``role`` or impossible parameters.

        The modelled radio has no received power to choose a PHY by, so ``Phy.AUTO`` is its fastest.
        """
        changed = []
        for connection in connections:
            parameters = connection.parameters
            if requested.phy != Phy.KEEP:
                phy = Phy.LE_2M if requested.phy == Phy.AUTO else requested.phy
                parameters = replace(parameters, phy=phy)
            if requested.interval_us:
                parameters = replace(parameters, interval_us=requested.interval_us)
            if requested.role != role or not parameters.possible:
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
