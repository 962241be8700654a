"""The demo's report names the file of its own picture."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from host.camera.report import STATUSES, report_without_answer
from host.cli import testbed
from host.cli.testbed import Saved
from host.send import _completed
from tests.edge.test_archive import ANSWERED


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock the test may turn."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


def run(main: object) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main)  # type: ignore[arg-type]


def pass_time(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    loop.ahead_s += seconds


@pytest.fixture
def bed() -> testbed.Testbed:
    return testbed.Testbed(None)  # type: ignore[arg-type]  (no picture is sent)


def test_a_late_result_is_not_that_of_the_next_picture_with_its_number(bed: testbed.Testbed) -> None:
    async def main() -> None:
        bed.keep(replace(ANSWERED, image=7, picture="old.png"))  # too late: nobody asks
        pass_time(65.536)  # the numbers have come round
        asking = asyncio.create_task(bed.saved(7, 0.3))
        await asyncio.sleep(0)
        bed.keep(replace(ANSWERED, image=7, picture="new.png"))
        assert await asking == Saved("new.png")

    run(main())


@pytest.mark.parametrize("before", [True, False])
def test_a_picture_is_handed_over_whether_it_was_saved_before_or_after_its_answer(
    bed: testbed.Testbed, before: bool
) -> None:
    async def main() -> None:
        if before:
            bed.keep(replace(ANSWERED, image=7, picture="new.png"))
            pass_time(0.2)
        asking = asyncio.create_task(bed.saved(7, 0.3))
        await asyncio.sleep(0)
        if not before:
            bed.keep(replace(ANSWERED, image=7, picture="new.png"))
        assert await asking == Saved("new.png")

    run(main())


def test_why_it_was_not_saved_is_handed_over(bed: testbed.Testbed) -> None:
    async def main() -> None:
        issues = ("packet 3 at position 9 is damaged", "not saved: out: Read-only file system")
        bed.keep(replace(ANSWERED, image=7, issues=issues))
        assert await bed.saved(7, 0.3) == Saved(None, "not saved: out: Read-only file system")

    run(main())


def test_a_disk_that_hangs_is_an_issue_too(bed: testbed.Testbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testbed, "SAVE_S", 0.05)
    run(_asks(bed))


async def _asks(bed: testbed.Testbed) -> None:
    saved = await bed.saved(7, 0.3)
    assert saved.picture is None
    assert saved.issue.startswith("not saved: ")


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_picture_that_the_server_saves_is_waited_for(status: str) -> None:
    async def main() -> None:
        asked: list[int] = []

        async def saved_at(image: int, _taken_s: float) -> Saved:
            asked.append(image)
            return Saved("new.png")

        report = replace(report_without_answer("a.jpg", status, "", 300), image=7, answer_ms=200.0)
        completed = await _completed(report, saved_at)
        is_saved = status in ("ok", "late", "nothing")
        assert (asked, completed.picture) == (([7], "new.png") if is_saved else ([], None))

    run(main())
