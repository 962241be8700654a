"""Taps on every place of a world where a fault can happen; each counts what passes, and brings about its faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from host.link.frames import FrameReader
from host.sim.radio import TIMEOUT_REASON
from host.sim.world import LOCAL_REASON, Node, World
from host.wire import Credit
from tests.faults.clocks import SteppedMachine
from tests.faults.fault import STEPS, Fault

#: The calls of a board's core that the model makes.
CALLS = ("serial_rx", "serial_tx", "radio_up", "radio_down", "radio_rx", "radio_tx", "radio_sent", "tick")


class Injector:
    """Brings about faults in a world with one camera.

    ``counts`` says how many bytes, transmissions, events or calls each place has had; ``happened_us`` when each fault
    happened. ``credits`` says where the credits lie in the bytes of each direction; without it they are searched for.
    """

    def __init__(self, world: World, faults: Iterable[Fault], credits: Mapping[str, Sequence[range]] | None) -> None:
        self.counts: Counter[str] = Counter()
        self.happened_us: dict[Fault, int] = {}
        self.credits: dict[str, list[range]] = {"camera-in": [], "edge-in": []}
        self._world = world
        self._records = credits is None
        self._frames = {place: _Frames() for place in self.credits}
        self._faults: dict[tuple[str, str, int], Fault] = {}
        for fault in faults:
            if fault.kind == "credit":
                lost = (credits or {})[fault.place][fault.index]
                self._faults |= {("lose", fault.place, index): fault for index in lost}
            else:
                self._faults[fault.kind, fault.place, fault.index] = fault
        self._kinds = {(kind, place) for kind, place, _ in self._faults}
        self._altered = {place for kind, place in self._kinds if kind in ("flip", "lose", "double")}
        self._board_steps_us = Counter[str]()
        for node, name in zip(world.nodes, ("camera", "edge"), strict=True):
            self._tap_core(node, name)
            self._tap_to_board(node, f"{name}-out")
        self._tap_air()

    def tap_to_host(self, node: Node, name: str) -> None:
        """Tap the bytes for the host that has been put on a board's line."""
        receive, place = node.line.on_bytes, f"{name}-in"
        assert receive is not None

        def on_bytes(data: bytes) -> None:
            changed = self._pass(place, data)
            if changed:
                receive(changed)

        node.line.on_bytes = on_bytes

    def on_machine_call(self, machine: SteppedMachine, name: str) -> None:
        """Count a call of a computer's protocol machine, and step its clock."""
        index = self._count(name)
        for kind in STEPS:
            if self._is_due(kind, name, index):
                machine.step_us += STEPS[kind]

    def run_until(self, time_us: int) -> None:
        """Run the world until a time, event by event."""
        schedule = self._world.schedule
        while (self._records or ("end", "air") in self._kinds) and self._has_event(time_us):
            if self._is_due("end", "air", self._count("event")):
                connection = self._world.connections[0]
                connection.drop(TIMEOUT_REASON)
                connection.search()
            schedule.step()
        schedule.run_until(time_us)

    def _has_event(self, time_us: int) -> bool:
        next_us = self._world.schedule.next_us
        return next_us is not None and next_us <= time_us

    def _count(self, place: str) -> int:
        index = self.counts[place]
        self.counts[place] = index + 1
        return index

    def _is_due(self, kind: str, place: str, index: int) -> bool:
        fault = self._faults.get((kind, place, index))
        if fault is None:
            return False
        self.happened_us.setdefault(fault, self._world.schedule.now_us)
        return True

    # Serial lines

    def _tap_to_board(self, node: Node, place: str) -> None:
        board: Any = node.board
        receive = board.serial_rx

        def serial_rx(now_us: int, data: bytes) -> None:
            changed = self._pass(place, data)
            if changed:
                receive(now_us, changed)

        board.serial_rx = serial_rx

    def _pass(self, place: str, data: bytes) -> bytes:
        """Return the bytes as they arrive."""
        start = self.counts[place]
        self.counts[place] += len(data)
        if self._records and place in self._frames:
            self.credits[place] += self._frames[place].credits(start, data)
        if place not in self._altered:
            return data
        changed = bytearray()
        for index, byte in enumerate(data, start):
            if self._is_due("flip", place, index):
                changed.append(byte ^ 1 << index % 8)
            elif self._is_due("double", place, index):
                changed += bytes([byte, byte])
            elif not self._is_due("lose", place, index):
                changed.append(byte)
        return bytes(changed)

    # Boards

    def _tap_core(self, node: Node, name: str) -> None:
        board: Any = node.board
        for call in CALLS:
            setattr(board, call, partial(self._call, node, name, getattr(board, call)))

    def _call(self, node: Node, name: str, call: Any, now_us: int, *rest: Any, **named: Any) -> Any:
        index = self._count(name)
        if self._is_due("forth", name, index):
            self._board_steps_us[name] += STEPS["forth"]
        now_us += self._board_steps_us[name]
        if self._is_due("reset", name, index):
            node.board.reset(now_us)
            self._world.schedule.at(self._world.schedule.now_us, self._reconnect)
        return call(now_us, *rest, **named)

    def _reconnect(self) -> None:
        connection = self._world.connections[0]
        connection.drop(LOCAL_REASON)
        connection.search()

    # Radio

    def _tap_air(self) -> None:
        connection: Any = self._world.connections[0]
        is_lost = connection._lost

        def lost() -> bool:
            return is_lost() or self._is_due("air", "air", self._count("transmission"))

        connection._lost = lost


class _Frames:
    """Finds where the credits lie in a stream of bytes."""

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._start = 0

    def credits(self, start: int, data: bytes) -> list[range]:
        """Return the credits that these bytes complete; ``start`` is the first byte's number."""
        found = []
        for index, byte in enumerate(data, start):
            for frame in self._reader.feed(bytes([byte])):
                if frame.packet[0] == Credit.TYPE:
                    found.append(range(self._start, index + 1))
            if byte == 0:
                self._start = index + 1
        return found
