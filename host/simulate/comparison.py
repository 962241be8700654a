"""Runs policies in one scenario at one deadline with one codec, each against the oracle on the same air."""

from __future__ import annotations

from collections.abc import Sequence

from ..log.recorder import Recorder
from .delivery import Delivery
from .experiment import Experiment
from .oracle import Oracle
from .policies import ORACLE, POLICIES
from .scenario import Scenario
from .scoring import Row, Scorer
from .timetable import WARM_UP_US, Slot, slots


class Comparison:
    """One scenario, deadline and codec."""

    #: Gets the event log of the first policy that runs; the oracle has none.
    recorder: Recorder | None = None

    def __init__(self, scenario: Scenario, deadline_ms: float, scorer: Scorer) -> None:
        self.scenario = scenario
        self.deadline_ms = deadline_ms
        self._scorer = scorer
        self._oracles: dict[int, list[Delivery]] = {}  # by the time of the first picture
        self._deliveries: dict[str, list[Delivery]] = {}

    def deliveries(self, policy: str) -> list[Delivery]:
        """Return what a policy delivers; it runs once."""
        if policy not in self._deliveries:
            if policy == ORACLE:
                count = len(self._scorer.pictures)
                found = self.oracle(slots(self.scenario, self.deadline_ms, count, WARM_UP_US))
            else:
                recorder, self.recorder = self.recorder, None
                experiment = Experiment(self.scenario, POLICIES[policy], self._scorer.stream.usable, recorder)
                found = experiment.send(self._scorer.pictures, self.deadline_ms)
            self._deliveries[policy] = found
        return self._deliveries[policy]

    def oracle(self, timetable: Sequence[Slot]) -> list[Delivery]:
        """Return what the oracle delivers of pictures at these times."""
        begin_us = timetable[0].begin_us
        if begin_us not in self._oracles:
            oracle = Oracle(self.scenario, self._scorer.stream.usable)
            self._oracles[begin_us] = oracle.deliver(timetable, self._scorer.pictures, self.deadline_ms)
        return self._oracles[begin_us]

    def rows(self, policies: Sequence[str]) -> list[Row]:
        """Return the figures of policies."""
        rows = []
        for policy in policies:
            deliveries = self.deliveries(policy)
            oracle = self.oracle([delivery.slot for delivery in deliveries])
            rows.append(self._scorer.row(self.scenario.name, self.deadline_ms, policy, deliveries, oracle))
        return rows
