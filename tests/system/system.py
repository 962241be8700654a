"""Camera programs, boards, an edge server and everything that can happen to them, in virtual time, with an oracle."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from host.link.events import Answer, Event, ImageCollected, Unanswered
from host.link.receiver import Receiver
from host.link.sender import MAX_PENDING, DeadlineInfeasibleError, Sender
from host.ranked import RankedPacket
from host.sim.radio import TIMEOUT_REASON
from host.sim.trace import CLEAR, ChannelState, Trace
from host.sim.world import World, WorldSettings
from host.wire import MAX_CODEC_BYTES, Picture, ResultStatus, parse
from tests.faults.clocks import SteppedMachine
from tests.sim.scene import adds_up
from tests.system.oracle import DeviationError, Oracle, Sent
from tests.system.program import Program

#: After all faults have ended, the system has this time to recover, us; then a picture has this deadline.
RECOVERY_US, PROBE_US = 3_000_000, 600_000
PROBE_PACKETS = 4


class System:
    """The system. Its methods are what can happen; each raises ``DeviationError`` if something follows that cannot.

    ``world`` are the boards and the radio between them, by default virtual ones; ``tests.bsim.firmware_system`` has
    boards that run the firmware.
    """

    recovery_us = RECOVERY_US

    def __init__(self, cameras: int, seed: int, world: Any = None) -> None:
        self.world = world or World(WorldSettings(cameras=cameras, seed=seed))
        self.schedule = self.world.schedule
        self.oracle = self.new_oracle(cameras)
        self.service_us = 20_000
        self.enough = self.refuses = False
        self.honest = True  # no clock was stepped or exchanged, so nothing may seem untrue
        self._bits = random.Random(seed)
        self._nonce = 0
        self._damage: dict[tuple[int, str], list[tuple[int, str]]] = {}
        self._tap_air()
        for node in range(cameras + 1):
            self._tap_board(node)
        self.receiver, self.server = self._new_server(0)
        self.senders: list[Sender] = []
        self.programs: list[Program] = []
        for camera in range(cameras):
            sender, program = self._new_camera(camera)
            self.senders.append(sender)
            self.programs.append(program)

    def new_oracle(self, cameras: int) -> Oracle:
        """Return what knows what could have happened."""
        return Oracle(cameras)

    def new_sender(self, camera: int, nonce: int) -> Sender:  # noqa: ARG002
        """Return the sender of a camera's program that starts."""
        return Sender(nonce=nonce)

    def new_receiver(self, nonce: int) -> Receiver:
        """Return the receiver of a server's program that starts."""
        return Receiver(nonce=nonce, service_us=self.service_us)

    def room(self, rank: int) -> int:  # noqa: ARG002
        """Return the most codec bytes of a packet."""
        return MAX_CODEC_BYTES

    def close(self) -> None:
        """End what runs outside this program: nothing here."""

    # Users

    def submit(self, camera: int, count: int, size: int, deadline_us: int, *, lazily: bool = False) -> int | None:
        """Send a picture; return its number, None if it was refused."""
        sender, program = self.senders[camera], self.programs[camera]
        if not sender.ready or sender.pending >= MAX_PENDING:
            return None
        sizes = [min(size, self.room(rank)) for rank in range(count)]
        packets = [RankedPacket(rank, rank, self._bits.randbytes(size)) for rank, size in enumerate(sizes)]
        now_us = program.now_us
        rest = packets[1:]

        def more() -> list[RankedPacket]:
            taken, rest[:] = rest[:2], rest[2:]
            return taken

        try:
            first = packets[:1] if lazily else packets
            number = sender.submit(now_us, first, now_us + deadline_us, more if lazily else None)
        except DeadlineInfeasibleError:
            return None
        self.oracle.submitted(camera, number, Sent(packets, self.schedule.now_us, self.schedule.now_us + deadline_us))
        program.host.wake()
        return number

    def kill_camera(self, camera: int) -> None:
        """End a camera's program and start it again."""
        self.programs[camera].kill()
        self.oracle.killed(camera)
        self.senders[camera], self.programs[camera] = self._new_camera(camera)

    def kill_server(self, clock_us: int) -> None:
        """End the server's program and start it again, on a computer with another clock."""
        self.server.kill()
        self.oracle.server_killed()
        self.honest = False
        self.receiver, self.server = self._new_server(clock_us)

    def change_radio(self, camera: int, interval_us: int) -> None:
        """Choose another connection interval."""
        connection = self.world.connections[camera]
        connection.change(replace(connection.parameters, interval_us=interval_us))

    # Faults

    def reset(self, node: int) -> None:
        """Press a board's reset button."""
        self.world.reset(self.world.nodes[node])

    def disconnect(self, camera: int) -> None:
        """End a radio connection."""
        connection = self.world.connections[camera]
        connection.drop(TIMEOUT_REASON)
        connection.search()

    def jam(self, camera: int, loss: float, rate_bps: float | None) -> None:
        """Disturb the air of one camera until it is calm."""
        self.world.connections[camera].trace = Trace.constant(ChannelState(rate_bps, loss))

    def damage(self, node: int, direction: str, kind: str, after: int) -> None:
        """Flip, lose or double a byte of a serial line, after so many more bytes."""
        self._damage.setdefault((node, direction), []).append((after, kind))

    def stall(self, node: int, duration_us: int) -> None:
        """Let a computer read nothing from its board for a time."""
        line = self.world.nodes[node].line
        line.stall(True)
        self.schedule.at(self.schedule.now_us + duration_us, lambda: line.stall(False))

    def pull_cable(self, node: int, duration_us: int) -> None:
        """Cut a serial line for a time."""
        line = self.world.nodes[node].line
        line.cut = True
        self.schedule.at(self.schedule.now_us + duration_us, lambda: setattr(line, "cut", False))

    def step_clock(self, computer: int, step_us: int) -> None:
        """Let the clock of a computer jump ahead; the last one is the server's."""
        self.honest = False
        program: SteppedMachine = [*self.programs, self.server][computer]
        program.step_us += step_us
        if computer < len(self.programs):
            self.oracle.clock_stepped(computer, step_us)
            self.programs[computer].host.wake()
        else:
            self.server.host.wake()

    # Time

    def run(self, duration_us: int) -> None:
        """Advance the time."""
        self.schedule.run_until(self.schedule.now_us + duration_us)

    def check(self) -> None:
        """Check what holds at any time."""
        self._check_accounts()
        self.oracle.check_times(self.schedule.now_us)
        if self.honest:
            for machine in (*self.senders, self.receiver):
                if machine.session.channel.border.counts:
                    raise DeviationError(f"an honest end is not believed: {machine.session.channel.border.counts}")

    def _check_accounts(self) -> None:
        for node in self.world.nodes:
            if not adds_up(node.board.totals):
                raise DeviationError(f"the {node.board.name} board's queue does not add up: {node.board.totals}")

    def calm(self) -> None:
        """Let all faults end: soon afterwards each camera's picture is answered, whole and in time."""
        self._damage.clear()
        self.enough = self.refuses = False
        self.service_us = 20_000
        self.receiver.service_us = self.service_us
        self._clear_air()
        for node in self.world.nodes:
            node.line.cut = False
            node.line.stall(False)
        self.run(self.recovery_us)
        for camera in range(len(self.senders)):
            number = self.submit(camera, PROBE_PACKETS, MAX_CODEC_BYTES, PROBE_US)
            if number is None:
                raise DeviationError(f"camera {camera} does not recover: its picture is refused")
            self.run(PROBE_US + 1_000)
            outcome = self.oracle.outcome_of(camera, number)
            if not isinstance(outcome, Answer) or outcome.late or len(outcome.ranks) < PROBE_PACKETS:
                raise DeviationError(f"camera {camera} does not recover: {outcome}")

    def _clear_air(self) -> None:
        for connection in self.world.connections:
            connection.trace = Trace.constant(CLEAR)

    # Events

    def _at_camera(self, camera: int, event: Event) -> None:
        if isinstance(event, Answer | Unanswered):
            self.oracle.on_outcome(self.schedule.now_us, camera, event)

    def _at_server(self, server: Callable[[], Program], event: Event) -> None:
        if not isinstance(event, ImageCollected):
            return
        self.oracle.on_collected(self.schedule.now_us, self._of_camera(event))
        program, receiver = server(), self.receiver
        if self.enough and not event.final:
            event = receiver.finish(program.now_us, event)
            self.oracle.finished(self.schedule.now_us, self._of_camera(event))
        self.schedule.at(
            self.schedule.now_us + self.service_us, lambda: self._answer(program, receiver, event, self.service_us)
        )

    def _answer(self, program: Program, receiver: Receiver, event: ImageCollected, service_us: int) -> None:
        if not program.alive:
            return
        if self.refuses:
            receiver.refuse(program.now_us, event, ResultStatus.FAILED, "busy")
            self.oracle.on_refused(self._of_camera(event))
        else:
            number = self.oracle.on_given(self._of_camera(event), event.packets)
            used = [packet.rank for packet in event.packets]
            receiver.answer(program.now_us, event, [(number, "content", 1.0)], service_us=service_us, used=used)
        program.host.wake()

    def _of_camera(self, event: ImageCollected) -> ImageCollected:
        """Return the event with the number of the camera as its source: here the edge board numbers them the same."""
        return event

    # Programs and taps

    def _new_camera(self, camera: int) -> tuple[Sender, Program]:
        self._nonce += 1
        sender = self.new_sender(camera, self._nonce)
        node = self.world.cameras[camera]
        program = Program(self.schedule, node, sender, lambda event: self._at_camera(camera, event))
        self._tap_computer(camera)
        return sender, program

    def _new_server(self, clock_us: int) -> tuple[Receiver, Program]:
        self._nonce += 1
        receiver = self.new_receiver(self._nonce)
        edge = self.world.edge
        program = Program(
            self.schedule, edge, receiver, lambda event: self._at_server(lambda: program, event), clock_us=clock_us
        )
        self._tap_computer(len(self.world.cameras))
        return receiver, program

    def _tap_air(self) -> None:
        """Tell the oracle of each picture packet that reaches the edge board."""
        board: Any = self.world.edge.board
        receive = board.radio_rx

        def radio_rx(now_us: int, peer: int, packet: bytes) -> None:
            found = parse(packet)
            if isinstance(found, Picture):
                self.oracle.on_air(now_us, peer, found)
            receive(now_us, peer, packet)

        board.radio_rx = radio_rx

    def _tap_board(self, node: int) -> None:
        board: Any = self.world.nodes[node].board
        receive = board.serial_rx
        board.serial_rx = lambda now_us, data: receive(now_us, self._damaged(node, "out", data))

    def _tap_computer(self, node: int) -> None:
        line = self.world.nodes[node].line
        receive = line.on_bytes
        assert receive is not None
        line.on_bytes = lambda data: receive(self._damaged(node, "in", data))

    def _damaged(self, node: int, direction: str, data: bytes) -> bytes:
        waiting = self._damage.pop((node, direction), [])
        for after, kind in waiting:
            if after >= len(data):
                self.damage(node, direction, kind, after - len(data))
                continue
            byte = {"flip": bytes([data[after] ^ 1 << after % 8]), "lose": b"", "double": data[after : after + 1] * 2}
            data = data[:after] + byte[kind] + data[after + 1 :]
        return data
