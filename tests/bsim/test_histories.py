"""Histories of the whole system on boards that run the firmware, and that the oracle finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.link.sender import Sender
from tests.bsim.firmware_system import FirmwareSystem, firmware_rules
from tests.bsim.firmware_world import pair
from tests.system.__main__ import run_batch
from tests.system.oracle import DeviationError
from tests.system.rules import Rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bonds")


def test_no_history_deviates(program: Path, folder: Path) -> None:
    before = Rules.applied
    run_batch(7, histories=3, rules=firmware_rules(program, folder), shrink=False)
    assert Rules.applied - before > 50


def test_pictures_are_answered_while_things_happen(program: Path, folder: Path) -> None:
    system = FirmwareSystem(2, 3, program, pair(folder, program, 2))
    try:
        assert all(sender.ready for sender in system.senders)
        for camera in (0, 1):
            assert system.submit(camera, 6, 236, 400_000, lazily=camera == 1) is not None
            system.run(450_000)
        system.jam(0, 0.3, None)
        system.reset(2)
        system.run(300_000)
        system.reset(0)
        system.kill_server(777_000)
        system.calm()
        system.check()
        assert (system.oracle.answered, system.oracle.unanswered) == (4, 0)
    finally:
        system.close()


def test_what_is_wrong_is_found(program: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sender, "_ends_us", lambda _self, image: image.answer_by_us + 2_000_000)
    system = FirmwareSystem(1, 4, program, pair(folder, program, 1))
    try:
        system.jam(0, 1.0, None)
        assert system.submit(0, 8, 236, 300_000) is not None
        system.run(900_000)
        with pytest.raises(DeviationError, match="has no outcome"):
            system.check()
    finally:
        system.close()
