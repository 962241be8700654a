"""A sample of the single faults, and that a link that does not recover, or mixes pictures, is found."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from host.link.session import Session
from host.wire import Picture
from tests.faults.__main__ import main
from tests.faults.fault import KINDS, Fault, parse_faults, run_id
from tests.faults.places import every_fault, pairs, sample
from tests.faults.scene import reference, run

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_scene_is_sound() -> None:
    assert reference().sound
    assert reference().whole


def test_every_kind_has_its_places() -> None:
    faults = every_fault()
    assert {fault.kind for fault in faults} == set(KINDS)
    assert len(faults) > 15_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_link_recovers_from_a_sample_of_each_kind(kind: str) -> None:
    of_kind = [fault for fault in every_fault() if fault.kind == kind]
    for fault in sample(of_kind, 24, seed=3):
        outcome = run([fault])
        assert outcome.sound, f"{outcome.wrong}: python -m tests.faults --replay {fault}"
        assert fault in outcome.happened_us


def test_the_link_recovers_from_pairs() -> None:
    for _, pair in zip(range(40), pairs(every_fault(), seed=5), strict=False):
        outcome = run(pair)
        assert outcome.sound, f"{outcome.wrong}: python -m tests.faults --replay {run_id(pair)}"


def test_a_clock_that_is_set_back_during_the_first_ping_refuses_no_picture() -> None:
    assert run(parse_faults("back:sender:9")).sound


def test_ids_name_runs() -> None:
    pair = (Fault("flip", "camera-out", 17), Fault("reset", "edge", 3))
    assert parse_faults(run_id(pair)) == pair
    for text in ("", "flip", "flip:nowhere:1", "flip:camera-out:x", "burn:camera:1"):
        with pytest.raises(ValueError, match="no fault"):
            parse_faults(text)


def test_a_run_repeats_itself() -> None:
    fault = Fault("end", "air", 200)
    assert run([fault]) == run([fault])


def test_a_board_that_is_not_greeted_again_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reference()
    monkeypatch.setattr(Session, "_on_error", lambda *_: [])
    assert main(["--kind", "reset", "--sample", "10", "--jobs", "1"]) == 1
    output = capsys.readouterr().out
    assert "--replay reset:" in output
    assert "not recovered" in output


def test_a_packet_of_another_picture_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from host.link import outgoing

    take = outgoing.OutgoingImage.take

    def mixed(self: outgoing.OutgoingImage, now_us: int, program: int, transit_us: int) -> Picture:
        packet = take(self, now_us, program, transit_us)
        return replace(packet, data=bytes(packet.data[::-1])) if packet.rank == 2 else packet

    monkeypatch.setattr(outgoing.OutgoingImage, "take", mixed)
    outcome = run(parse_faults("flip:camera-out:900"))
    assert any("never sent" in line for line in outcome.wrong)
    assert any("another one shows" in line for line in outcome.wrong)


def test_a_run_is_replayed_by_its_id() -> None:
    command = [sys.executable, "-m", "tests.faults", "--replay", "end:air:250+flip:edge-in:40"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recovered within 1 s: yes" in done.stdout
