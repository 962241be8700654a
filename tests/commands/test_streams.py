"""``send`` with several pictures: in their order, all of them counted, whatever happens to some."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import pace
from tests.codec.conftest import drawing
from tests.commands.conftest import Boards, Ended, line_with, run, started

SIM = ("--port", "sim")


def ample() -> str:
    """Return a deadline that pictures meet on this machine."""
    return f"{pace.seconds(2):.1f}s"


@pytest.fixture
def many(tmp_path: Path) -> list[Path]:
    """Return 30 drawn pictures in a folder."""
    (tmp_path / "many").mkdir()
    files = [tmp_path / "many" / f"{number:02}.png" for number in range(30)]
    for number, file in enumerate(files):
        Image.fromarray(drawing(number % 24)).save(file)
    return files


def reports_of(ended: Ended, files: list[Path]) -> list[dict[str, Any]]:
    """Return the JSON lines of a stream; check that they and the summary count every file."""
    reports = [json.loads(line) for line in ended.out.splitlines()]
    assert [Path(report["file"]).name for report in reports] == [file.name for file in files]
    counts = Counter(report["status"] for report in reports)
    others = [rf"{count} {status}" for status, count in counts.items() if status != "ok"]
    summary = next(line for line in ended.err.splitlines() if "pictures answered in time" in line)
    said = re.fullmatch(rf"{counts['ok']} of {len(files)} pictures answered in time(?:; (.*))?", summary)
    assert said is not None, summary
    assert sorted((said[1] or "").split(", ")) == sorted(others or [""])
    assert ended.status == (0 if counts["ok"] == len(files) else 1)
    return reports


def test_a_period_sends_all_in_order(boards: Boards, many: list[Path], tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        options = ["--port", boards.camera, "--period", "150ms", "--deadline", ample(), "--json"]
        ended = run("host.send", many[0].parent, *options, cwd=tmp_path)
    reports = reports_of(ended, many)
    assert {report["status"] for report in reports} == {"ok"}, ended.err
    assert ended.took_s > 29 * 0.15


def silent(boards: Boards, for_s: float) -> None:
    """Cut the camera board's serial line for a while."""
    boards.do(lambda world: setattr(world.world.cameras[0].line, "cut", True))
    time.sleep(for_s)
    boards.do(lambda world: setattr(world.world.cameras[0].line, "cut", False))


def frozen(boards: Boards, for_s: float) -> None:
    """Let both boards stand still for a while: nothing is lost, everything is late."""
    boards.do(lambda _world: time.sleep(for_s))


@pytest.mark.parametrize("fault", [silent, frozen])
def test_a_bad_file_and_an_outage_are_counted_and_the_rest_is_answered(
    fault: Callable[[Boards, float], None], boards: Boards, many: list[Path], tmp_path: Path
) -> None:
    many[2].write_bytes(b"junk")
    period_s, deadline_s = pace.seconds(0.15), pace.seconds(0.8)

    def happen() -> None:
        assert sending.wait(pace.seconds(30))
        fault(boards, 2 * deadline_s)

    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        sending = boards.host_sends(12_000)
        happening = threading.Thread(target=happen)
        happening.start()
        options = ["--port", boards.camera, "--period", f"{period_s}s", "--deadline", f"{deadline_s}s", "--json"]
        ended = run("host.send", many[0].parent, *options, cwd=tmp_path)
        happening.join()
    statuses = [report["status"] for report in reports_of(ended, many)]
    assert statuses[:2] == ["ok"] * 2
    assert statuses[2] == "not a picture"
    assert {"unsent", "unanswered", "late"} & set(statuses)
    assert statuses[-5:] == ["ok"] * 5, statuses


def test_a_stream_goes_on_with_a_new_edge_server(boards: Boards, many: list[Path], tmp_path: Path) -> None:
    period_s, deadline_s = pace.seconds(0.4), pace.seconds(0.8)
    options = ["--port", boards.camera, "--period", f"{period_s}s", "--deadline", f"{deadline_s}s", "--json"]
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        with started("host.send", many[0].parent, *options, cwd=tmp_path) as process:
            line_with(process, many[2].name, "stdout")
            server.send_signal(signal.SIGINT)
            assert server.wait(pace.seconds(10)) == 130
            time.sleep(2 * deadline_s)  # so the deadline of a picture passes without any server
            with started("host.recv", "--port", boards.edge, cwd=tmp_path) as later:
                line_with(later, "serving on")
                out, err = process.communicate(timeout=pace.seconds(60))
    reports = [json.loads(line) for line in out.splitlines()]
    assert [Path(report["file"]).name for report in reports] == [file.name for file in many[3:]]
    statuses = [report["status"] for report in reports]
    assert {"unanswered", "unsent"} & set(statuses)
    assert statuses[-3:] == ["ok"] * 3, statuses
    assert f"{3 + statuses.count('ok')} of 30 pictures answered in time" in err


def test_a_deadline_that_cannot_be_met_is_counted_for_each_file(folder: Path, tmp_path: Path) -> None:
    ended = run("host.send", folder, *SIM, "--deadline", "5ms", "--json", cwd=tmp_path)
    reports = reports_of(ended, sorted(folder.iterdir()))
    assert {report["status"] for report in reports} == {"unsent"}
    assert "0 of 3 pictures answered in time; 3 unsent" in ended.err


def test_a_picture_may_be_bounded_by_bytes(many: list[Path], tmp_path: Path) -> None:
    ended = run("host.send", *many[:3], *SIM, "--max-bytes", "700", "--deadline", ample(), "--json", cwd=tmp_path)
    for report in reports_of(ended, many[:3]):
        assert (report["bytes_encoded"], report["bytes_delivered"]) == (700, 700)


def test_ctrl_c_ends_with_a_summary_of_what_was_done(boards: Boards, many: list[Path], tmp_path: Path) -> None:
    with started("host.recv", "--port", boards.edge, cwd=tmp_path) as server:
        line_with(server, "serving on")
        options = ["--port", boards.camera, "--period", "300ms", "--deadline", ample(), "--json"]
        with started("host.send", many[0].parent, *options, cwd=tmp_path) as sender:
            line_with(sender, many[3].name, "stdout")
            sender.send_signal(signal.SIGINT)
            assert sender.wait(pace.seconds(5)) == 130
            summary, last = sender.stderr.read().splitlines()
            more = len(sender.stdout.read().splitlines())
    assert last == "send: stopped"
    done = 4 + more
    assert done < len(many)
    assert summary == f"{done} of 30 pictures answered in time; {30 - done} not tried"


def test_of_a_folder_as_many_as_are_asked_for_are_enough(folder: Path, tmp_path: Path) -> None:
    ended = run("host.send", folder, "--count", 2, "--port", "sim", "--deadline", "5s", cwd=tmp_path)
    assert ended.err.splitlines()[-1] == "2 of 2 pictures answered in time"
    assert ended.status == 0
