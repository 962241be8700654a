"""A sample of the single faults, and that a link that does not recover, or mixes pictures, is found."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from host.link.sealing import Proof
from host.link.session import Session
from host.wire import Picture
from tests.faults.__main__ import main, parser
from tests.faults.fault import KINDS, Fault, parse_faults, run_id
from tests.faults.places import every_fault, pairs, sample
from tests.faults.scene import reference, run

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_scene_is_sound() -> None:
    assert reference().sound
    assert reference().whole


def test_the_reference_scene_with_a_key_is_sound_and_has_places_of_its_own() -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
    assert reference(key=True).sound
    assert reference(key=True).whole
    assert reference(key=True).credits != reference().credits
    assert {fault.kind for fault in every_fault(key=True)} == set(KINDS)
    assert len(every_fault(key=True)) > len(every_fault())  # seals take bytes


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_with_a_key_recovers_from_a_sample_of_each_kind(kind: str) -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
    of_kind = [fault for fault in every_fault(key=True) if fault.kind == kind]
    for fault in sample(of_kind, 12, seed=4):
        outcome = run([fault], key=True)
        assert outcome.sound, f"{outcome.wrong}: python -m tests.faults --key --replay {fault}"
        assert fault in outcome.happened_us


def test_a_key_that_is_another_ones_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography", reason="cryptography is not installed (extra sealed)")
    from host.seal.camera_seal import KeyedCamera, SealedPicture

    fault = parse_faults("air:air:100")
    reference(key=True)
    monkeypatch.setattr(SealedPicture, "open", lambda *_: None)
    assert not run(fault, key=True).recovered
    monkeypatch.undo()
    monkeypatch.setattr(KeyedCamera, "pong", lambda *_: Proof.OTHER_KEY)
    assert any("of the same key" in line for line in run(fault, key=True).wrong)


@pytest.mark.parametrize(
    ("options", "minutes"),
    [("HOURS=0.5", 30), ("HOURS=2", 120), ("MINUTES=0.3", 0.3), ("HOURS=1 MINUTES=5", 65), ("KEY=1", 0)],
)
def test_make_takes_hours_and_minutes_with_fractions(options: str, minutes: float) -> None:
    command = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/.test", "faults", *options.split()]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    (line,) = [line for line in done.stdout.replace("\\\n", " ").splitlines() if "-m tests.faults" in line]
    words = subprocess.run(
        ["sh", "-c", f"set -- {line.partition('tests.faults')[2]}; printf '%s\\n' \"$@\""],
        text=True,
        capture_output=True,
        check=True,
    )
    parsed = parser().parse_args(words.stdout.split())
    assert parsed.hours * 60 + parsed.minutes == pytest.approx(minutes)
    assert parsed.key is ("KEY" in options)


@pytest.mark.parametrize("time", ["nan", "inf", "-1", "long"])
def test_a_time_that_is_none_is_refused(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--hours", time])
    assert "is not a time" in capsys.readouterr().err


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
