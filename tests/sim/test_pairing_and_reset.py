"""Requests of a host to its board: pairing and reset."""

from __future__ import annotations

from host.board.pairing import WINDOW_S
from host.sim.world import World
from host.wire import (
    Boot,
    Error,
    ErrorCode,
    Hello,
    Pair,
    PairAction,
    Pairing,
    PairMethod,
    Reset,
    ResetKind,
)
from tests.sim.asker import Asker

SECOND_US = 1_000_000


def _pairing(asker: Asker, pair: Pair) -> Pairing:
    (answer,) = [a for a in asker.ask(pair) if isinstance(a, Pairing)]
    return answer


def test_a_window_opens_tells_what_is_left_and_closes_by_itself() -> None:
    asker = Asker(World())
    assert _pairing(asker, Pair()).open == 0
    opened = _pairing(asker, Pair(action=PairAction.OPEN, window_s=2))
    assert (opened.open, opened.left_s, opened.random) == (1, 2, bytes(16))
    schedule = asker.world.schedule
    schedule.run_until(schedule.now_us + SECOND_US)
    assert _pairing(asker, Pair()).left_s == 1
    asker.answers = []
    schedule.run_until(schedule.now_us + SECOND_US)
    (closed,) = [a for a in asker.answers if isinstance(a, Pairing)]
    assert (closed.open, closed.left_s) == (0, 0)


def test_a_window_can_be_closed_and_is_as_long_as_the_board_thinks_best_unless_said() -> None:
    asker = Asker(World())
    assert _pairing(asker, Pair(action=PairAction.OPEN)).left_s == WINDOW_S
    assert _pairing(asker, Pair(action=PairAction.CLOSE)).open == 0


def test_each_window_out_of_band_shows_another_value_and_none_when_the_other_boards_is_given() -> None:
    asker = Asker(World())
    first, second = (_pairing(asker, Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND)) for _ in range(2))
    assert any(first.random)
    assert any(first.confirm)
    assert first.random != second.random
    given = Pair(action=PairAction.OPEN, method=PairMethod.OUT_OF_BAND, random=first.random, confirm=first.confirm)
    assert _pairing(asker, given).random == bytes(16)


def test_a_board_that_is_reset_by_its_host_forgets_it_and_says_why_it_started() -> None:
    asker = Asker(World())
    assert asker.ask(Reset()) == []
    (error,) = [a for a in asker.ask(Pair()) if isinstance(a, Error)]
    assert error.code == ErrorCode.NOT_READY
    (hello,) = [a for a in asker.greet() if isinstance(a, Hello)]
    assert hello.boot == Boot.SOFTWARE


def test_a_virtual_board_has_no_bootloader() -> None:
    asker = Asker(World())
    (error,) = [a for a in asker.ask(Reset(kind=ResetKind.BOOTLOADER)) if isinstance(a, Error)]
    assert (error.code, error.detail) == (ErrorCode.REFUSED, Reset.TYPE)
