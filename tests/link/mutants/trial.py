"""A plugin of pytest that tries mutants: the tests are collected once, and run in a fork for each mutant."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

import hypothesis
import pytest

from tests.link.mutants.generate import Mutant
from tests.link.mutants.journal import ENDLESS, SURVIVED, Journal
from tests.link.mutants.reach import Reach, with_next

#: A test with a mutant may take so much longer than without, s of processor time, and so many times as long.
_LONGER_S, _TIMES_AS_LONG = 1.0, 10.0
#: Memory of a process that tries a mutant.
_MOST_BYTES = 4 << 30


class Trial:
    """Tries those of the mutants that the journal does not know yet.

    Of the tests that call the mutant's function, those that noticed the most other mutants of it come first, then the
    quick ones that call little else. The first one that fails ends the trial. Hypothesis tries the same examples with
    all mutants, and does not search for smaller ones. ``quick_s``: leave out the slow tests after so many seconds of a
    mutant; None: run all.
    """

    def __init__(self, mutants: Sequence[Mutant], journal: Journal, reach: Reach, quick_s: float | None = None) -> None:
        self._mutants = mutants
        self._journal = journal
        self._reach = reach
        self._quick_s = quick_s
        self._noticed: dict[str, Counter[str]] = defaultdict(Counter)  # by function and test

    def pytest_configure(self) -> None:
        """Let hypothesis try the same examples each time, and search no smaller ones."""
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
        hypothesis.settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests without a mutant, then those that each mutant needs."""
        in_turn = random.Random(1).sample(self._mutants, len(self._mutants))  # the first ones are a fair sample
        todo = [mutant for mutant in in_turn if self._journal.get(mutant) is None]
        todo.sort(key=lambda mutant: self._journal.get(mutant, any_tests=True) is None)  # survivors of others at first
        for mutant in self._mutants:
            self._noticed[mutant.name][self._journal.get(mutant) or ""] += 1
        items = {item.nodeid: item for item in session.items}
        if todo:
            self._reach.measure(session)
        gc.freeze()
        begun_s = time.monotonic()
        if todo and (failed := self._verdict(session, None, self._within(list(items.values())))) != SURVIVED:
            raise pytest.UsageError(f"a fork without a mutant: {failed}")
        for at, mutant in enumerate(todo, 1):
            verdict = self._verdict(session, mutant, self._within([items[test] for test in self._tests(mutant)]))
            self._journal.put(mutant, verdict)
            self._noticed[mutant.name][verdict] += 1
            if at % 50 == 0 or at == len(todo):
                print(f"{at} of {len(todo)} mutants in {time.monotonic() - begun_s:.0f} s", file=sys.stderr)
        return True

    def _tests(self, mutant: Mutant) -> list[str]:
        noticed = self._noticed[mutant.name]
        return sorted(self._reach.tests(mutant), key=lambda test: -noticed[test])

    def _within(self, items: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
        """Return the first tests, as many as fit into ``quick_s``; those that do not are left out."""
        if self._quick_s is None:
            return items
        chosen, left_s = [], self._quick_s
        for item in items:
            if self._reach.took_s[item.nodeid] <= left_s:
                left_s -= self._reach.took_s[item.nodeid]
                chosen.append(item)
        return chosen

    def _verdict(self, session: pytest.Session, mutant: Mutant | None, items: Sequence[pytest.Item]) -> str:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read)
                gc.disable()
                session.config.pluginmanager.unregister(name="terminalreporter")
                resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
                if mutant is not None:
                    mutant.activate()
                os.write(write, self._first_failure(session, items).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, "rb") as answer:
            verdict = answer.read().decode()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
            return ENDLESS
        return verdict if status == 0 else f"ended with status {status}"

    def _first_failure(self, session: pytest.Session, items: Sequence[pytest.Item]) -> str:
        for item, following in with_next(items):
            signal.setitimer(signal.ITIMER_PROF, _LONGER_S + _TIMES_AS_LONG * self._reach.took_s[item.nodeid])
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return item.nodeid
        return SURVIVED
