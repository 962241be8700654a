"""The rules by which hypothesis makes up a history of the system."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.system.system import System

MS = 1_000
COUNTS = st.integers(1, 12)
NUMBERS = st.integers(0, 7)


class Rules(RuleBasedStateMachine):
    """Histories of one or two cameras and a server.

    ``applied`` counts the rules of all histories, ``answered`` and ``unanswered`` their pictures. Before each calm come
    ``calm_after`` rules or more.
    """

    applied = answered = unanswered = 0
    calm_after = 0

    def __init__(self) -> None:
        super().__init__()
        self.system: System | None = None
        self._since_calm = 0

    @initialize(cameras=st.integers(1, 2), seed=st.integers(1, 200), begin_ms=st.sampled_from([0, 60, 150, 400]))
    def begin(self, cameras: int, seed: int, begin_ms: int) -> None:
        self.system = self.new_system(cameras, seed)
        self.system.run(begin_ms * MS)

    def new_system(self, cameras: int, seed: int) -> System:
        """Return the system that a history begins with."""
        return System(cameras, seed)

    def teardown(self) -> None:
        if self.system is not None:
            Rules.answered += self.system.oracle.answered
            Rules.unanswered += self.system.oracle.unanswered
            self.system.close()

    @property
    def s(self) -> System:
        assert self.system is not None
        Rules.applied += 1
        self._since_calm += 1
        return self.system

    def camera(self, number: int) -> int:
        assert self.system is not None
        return number % len(self.system.senders)

    def node(self, number: int) -> int:
        assert self.system is not None
        return number % len(self.system.world.nodes)

    @rule(camera=NUMBERS, count=COUNTS, size=st.sampled_from([4, 40, 236]), deadline_ms=st.integers(50, 900))
    def submit(self, camera: int, count: int, size: int, deadline_ms: int) -> None:
        self.s.submit(self.camera(camera), count, size, deadline_ms * MS)

    @rule(camera=NUMBERS, count=COUNTS, deadline_ms=st.integers(100, 600))
    def submit_lazily(self, camera: int, count: int, deadline_ms: int) -> None:
        self.s.submit(self.camera(camera), count, 236, deadline_ms * MS, lazily=True)

    @rule(duration_ms=st.integers(1, 30))
    def wait(self, duration_ms: int) -> None:
        self.s.run(duration_ms * MS)

    @rule(duration_ms=st.integers(30, 300))
    def wait_longer(self, duration_ms: int) -> None:
        self.s.run(duration_ms * MS)

    @rule(node=NUMBERS)
    def reset(self, node: int) -> None:
        self.s.reset(self.node(node))

    @rule(camera=NUMBERS)
    def disconnect(self, camera: int) -> None:
        self.s.disconnect(self.camera(camera))

    @rule(camera=NUMBERS, loss=st.sampled_from([0.0, 0.1, 0.5, 1.0]), rate=st.sampled_from([None, 20_000, 200_000]))
    def jam(self, camera: int, loss: float, rate: int | None) -> None:
        self.s.jam(self.camera(camera), loss, rate)

    @rule(
        node=NUMBERS,
        direction=st.sampled_from(["in", "out"]),
        kind=st.sampled_from(["flip", "lose", "double"]),
        after=st.integers(0, 600),
    )
    def damage(self, node: int, direction: str, kind: str, after: int) -> None:
        self.s.damage(self.node(node), direction, kind, after)

    @rule(node=NUMBERS, duration_ms=st.integers(1, 700))
    def stall(self, node: int, duration_ms: int) -> None:
        self.s.stall(self.node(node), duration_ms * MS)

    @rule(node=NUMBERS, duration_ms=st.sampled_from([5, 50, 700, 6_000]))
    def pull_cable(self, node: int, duration_ms: int) -> None:
        self.s.pull_cable(self.node(node), duration_ms * MS)

    @rule(camera=NUMBERS)
    def kill_camera(self, camera: int) -> None:
        self.s.kill_camera(self.camera(camera))

    @rule(clock_ms=st.sampled_from([0, 1, 777, 31_000, 9_999_999]))
    def kill_server(self, clock_ms: int) -> None:
        self.s.kill_server(clock_ms * MS)

    @rule(camera=NUMBERS, interval_us=st.sampled_from([7_500, 15_000, 50_000]))
    def change_radio(self, camera: int, interval_us: int) -> None:
        self.s.change_radio(self.camera(camera), interval_us)

    @rule(computer=NUMBERS, step_ms=st.sampled_from([20, 400, 3_000]))
    def step_clock(self, computer: int, step_ms: int) -> None:
        self.s.step_clock(self.node(computer), step_ms * MS)

    @rule(service_ms=st.sampled_from([1, 20, 150]), enough=st.booleans(), refuses=st.booleans())
    def serve(self, service_ms: int, enough: bool, refuses: bool) -> None:
        system = self.s
        system.service_us = system.receiver.service_us = service_ms * MS
        system.enough, system.refuses = enough, refuses

    @precondition(lambda self: self.system is not None and self._since_calm >= self.calm_after)
    @rule()
    def calm(self) -> None:
        self.s.calm()
        self._since_calm = 0

    @invariant()
    def holds(self) -> None:
        if self.system is not None:
            self.system.check()
