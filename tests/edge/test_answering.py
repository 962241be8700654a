"""The server's answers to hand-made pictures, with decoders and classifiers that fail in every way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra edge)")

from host.codec import load
from host.edge import answering
from host.edge.answering import BUSY, MOST_HANGING, Answered, Answering
from host.edge.classifier import Classifier
from host.edge.errors import ServerError
from host.edge.recogniser import TOP, Recogniser
from host.edge.sureness import Sureness
from host.link.answers import Class, pack_classes
from host.link.events import ImageCollected
from host.link.receiver import Receiver
from host.transport.driver import now_us
from host.wire import ResultStatus
from tests import pace
from tests.edge.tiny_models import colour_classifier

LIMIT_S = 120
CODEC = load()
NOISE = np.random.default_rng(1).integers(0, 256, (28, 28, 3), np.uint8).repeat(8, 0).repeat(8, 1)
PACKETS = tuple(CODEC.encode(NOISE))


class Faulty(Classifier):
    """A classifier that calls ``fault`` before each answer; what that returns is the answer, unless it is None."""

    fault: Callable[[], list[Class] | None] = staticmethod(lambda: None)
    calls = 0

    def top(self, picture: np.ndarray, k: int = 5) -> list[Class]:
        type(self).calls += 1
        given = type(self).fault()
        return super().top(picture, k) if given is None else given


class Recording(Receiver):
    """A receiver that keeps what the server answers."""

    def __init__(self) -> None:
        super().__init__(nonce=1)
        self.given: list[tuple[int, bool, str]] = []  # image, final, first label or cause
        self.statuses: list[ResultStatus] = []  # of refused ones
        self.finished: list[int] = []
        self.skipped: list[int] = []
        self.changed = asyncio.Event()

    def answer(
        self, now_us: int, collected: ImageCollected, classes: Iterable[Class], *, service_us: int, used: Iterable[int]
    ) -> None:
        assert pack_classes(classes)
        self.given.append((collected.image, collected.final, "ok"))
        self.changed.set()
        super().answer(now_us, collected, classes, service_us=service_us, used=used)

    def refuse(self, now_us: int, collected: ImageCollected, status: ResultStatus, text: str = "") -> None:
        self.statuses.append(status)
        self.given.append((collected.image, collected.final, text))
        self.changed.set()
        super().refuse(now_us, collected, status, text)

    def finish(self, now_us: int, collected: ImageCollected) -> ImageCollected:
        self.finished.append(collected.image)
        return super().finish(now_us, collected)

    def skip(self, collected: ImageCollected) -> None:
        assert not collected.final
        self.skipped.append(collected.image)
        super().skip(collected)


class Desk:
    """An answering desk with its receiver. ``ask`` gives it a picture and waits for the answer."""

    def __init__(self, model: Path, *, workers: int = 1, **options: Any) -> None:
        self.kind = type("Faulty", (Faulty,), {})  # its own fault
        self.notices: list[str] = []
        self.finals: list[Answered] = []
        self.receiver = Recording()
        self.answering = Answering(
            Recogniser(CODEC, self.kind("colours", model), workers),
            workers,
            on_final=self.finals.append,
            on_notice=self.notices.append,
            **options,
        )

    async def __aenter__(self) -> Desk:
        await self.answering.open()
        self.answering.begin(self.receiver, lambda: None)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answering.close()

    def put(self, image: int, deadline_s: float = 2, *, final: bool = True, packets: int = len(PACKETS)) -> None:
        deadline_us = now_us() + round(pace.seconds(deadline_s) * 1e6)
        kept = PACKETS[:packets]
        arrived = dict.fromkeys(range(packets), now_us())
        self.answering.add(ImageCollected(0, image, 0, kept, final, deadline_us, arrived, final=final))

    async def answers(self, image: int, count: int = 1) -> list[tuple[bool, str]]:
        while len(found := [(final, text) for number, final, text in self.receiver.given if number == image]) < count:
            self.receiver.changed.clear()
            await self.receiver.changed.wait()
        return found

    async def ask(self, image: int, deadline_s: float = 2) -> str:
        self.put(image, deadline_s)
        [(_, text)] = await self.answers(image)
        return text


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return colour_classifier(tmp_path / "colours.onnx")


def live(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, pace.seconds(LIMIT_S)))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "error", [RuntimeError("boom \x1b[2J\n second line"), MemoryError(), SystemExit(3), KeyboardInterrupt()]
)
def test_a_classifier_that_raises_costs_its_picture(model: Path, workers: int, error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def test() -> None:
        async with Desk(model, workers=workers) as desk:
            desk.kind.fault = staticmethod(fail)
            text = await desk.ask(1)
            assert text.startswith(type(error).__name__)
            assert text.isprintable()
            assert desk.receiver.statuses == [ResultStatus.FAILED]
            desk.kind.fault = Faulty.fault
            assert await desk.ask(2) == "ok"
            assert desk.notices == [f"image 1 of camera 0: {text}"]

    live(test())


@pytest.mark.parametrize(
    "bad",
    [
        *[(1, "x", float("nan")), (1, "x", float("inf")), (70_000, "x", 0.5), (-1, "x", 0.5), (5.5, "x", 0.5)],
        *[(1, None, 0.5), (1, b"x", 0.5), (1, "x", None), (1, "x"), None, "x"],
    ],
)
def test_classes_that_no_result_can_carry_are_left_out(model: Path, bad: Class) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            desk.kind.fault = staticmethod(lambda: [bad])
            assert "no class with a probability" in await desk.ask(1)
            desk.kind.fault = staticmethod(lambda: [bad, (2, "sound", 0.4)])
            assert await desk.ask(2) == "ok"
            assert desk.finals[-1].recognised.top == ((2, "sound", 0.4),)
            assert "1 classes" in desk.finals[-1].recognised.issues[-1]
            desk.kind.fault = Faulty.fault
            assert await desk.ask(3) == "ok"

    live(test())


@pytest.mark.parametrize("given", [5, object(), [(1, "x" * 300, 0.5)] * 300, ((n, "x", 0.5) for n in range(9))])
def test_whatever_a_classifier_gives_a_picture_ends_with_at_most_five_classes(model: Path, given: object) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            desk.kind.fault = staticmethod(lambda: given)  # type: ignore[assignment, return-value]
            text = await desk.ask(1)
            if text == "ok":
                assert len(desk.finals[-1].recognised.top) == TOP
            else:
                assert text.startswith("TypeError: ")
                assert desk.notices == [f"image 1 of camera 0: {text}"]
            desk.kind.fault = Faulty.fault
            assert await desk.ask(2) == "ok"

    live(test())


def test_a_user_s_sureness_that_raises_costs_a_provisional_answer(model: Path) -> None:
    def fail(_probability: float, _size: int) -> float:
        raise ZeroDivisionError("by zero")

    async def test() -> None:
        async with Desk(model, sure=0.5, sureness=fail) as desk:
            desk.put(1, final=False, packets=2)
            while not desk.notices:
                await asyncio.sleep(0.01)
            assert desk.notices == ["image 1 of camera 0: ZeroDivisionError: by zero"]
            assert await desk.ask(1) == "ok"

    live(test())


def test_in_a_run_of_several_pictures_only_the_bad_one_fails() -> None:
    class Own:
        calls = 0

        def top(self, _picture: np.ndarray, _k: int = 5) -> Any:
            self.calls += 1
            return None if self.calls == 2 else [(3, "cat", 0.5)]

    found = Recogniser(CODEC, Own(), 1)([PACKETS] * 3)
    assert [each.top for each in found] == [((3, "cat", 0.5),), (), ((3, "cat", 0.5),)]
    assert [type(each.failure) for each in found] == [type(None), TypeError, type(None)]


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_classifier_that_took_nine_seconds_once_the_next_picture_is_in_time(model: Path, workers: int) -> None:
    release = threading.Event()

    async def test() -> None:
        async with Desk(model, workers=workers) as desk:
            desk.kind.fault = staticmethod(lambda: release.wait(9) and None)
            desk.put(1, 1)
            await asyncio.sleep(0.1)
            desk.kind.fault = Faulty.fault
            await asyncio.sleep(pace.seconds(0.9))
            assert await desk.ask(2, 1) == "ok"  # a second after it
            assert await desk.ask(3, 1) == "ok"
            assert desk.receiver.service_us < 3_000_000
            [(is_final, text)] = await desk.answers(1)  # "ok" where ten times the usual time is longer than 9 s
            assert is_final
            assert text == "ok" or "no result within" in text
            release.set()

    live(test())


def test_a_picture_past_its_deadline_is_refused_undecoded_and_that_is_noticed_once_a_second(model: Path) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            begun, release = threading.Event(), threading.Event()

            def hold() -> None:
                begun.set()
                release.wait(pace.seconds(LIMIT_S))

            desk.kind.fault = staticmethod(hold)
            desk.put(0, 2)
            while not begun.is_set():
                await asyncio.sleep(0.005)
            calls = desk.kind.calls
            for image in range(1, 6):
                desk.answering.add(ImageCollected(1, image, 0, PACKETS, True, now_us() + 100_000))
            for image in range(1, 6):
                assert await desk.answers(image) == [(True, BUSY)]
            assert desk.kind.calls == calls
            release.set()
            assert await desk.answers(0) == [(True, "ok")]
            await asyncio.sleep(1.2)
            assert [line.partition(":")[0] for line in desk.notices] == [BUSY] * len(desk.notices)
            assert len(desk.notices) <= 2
            assert sum(int(line.split()[4]) for line in desk.notices) == 5

    live(test())


def test_too_many_runs_that_hang_end_the_server_with_an_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_LEAST_LIMIT_S", 0.7)
    release = threading.Event()

    async def test() -> None:
        async with Desk(model, workers=2) as desk:
            desk.kind.fault = staticmethod(lambda: release.wait(LIMIT_S) and None)
            for image in range(MOST_HANGING):
                desk.put(image, 5)
            with pytest.raises(ServerError, match="3 runs of decoder and classifier hang"):
                await desk.answering.failure
            release.set()

    live(test())


def test_provisional_answers_come_before_the_final_one_and_serve_as_it_if_nothing_has_arrived_since(
    model: Path,
) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            desk.put(1, 5, final=False, packets=2)
            assert await desk.answers(1) == [(False, "ok")]
            calls = desk.kind.calls
            desk.put(1, 5, packets=2)
            assert await desk.answers(1, 2) == [(False, "ok"), (True, "ok")]
            assert desk.kind.calls == calls  # not decoded again
            desk.put(2, 5, final=False, packets=2)
            await desk.answers(2)
            desk.put(2, 5, packets=3)
            assert await desk.answers(2, 2) == [(False, "ok"), (True, "ok")]
            assert desk.kind.calls == calls + 2
            assert [len(final.collected.packets) for final in desk.finals] == [2, 3]
            assert not any(final.enough for final in desk.finals)

    live(test())


def test_a_provisional_answer_becomes_the_final_one_if_there_is_no_time_or_the_classifier_fails(model: Path) -> None:
    def fail() -> None:
        raise RuntimeError("boom")

    async def test() -> None:
        async with Desk(model) as desk:
            for image in (1, 2):
                desk.put(image, 5, final=False, packets=2)
                await desk.answers(image)
            desk.kind.fault = staticmethod(fail)
            desk.put(1, 5)
            assert await desk.answers(1, 2) == [(False, "ok"), (True, "ok")]
            desk.put(2, 0)
            assert await desk.answers(2, 2) == [(False, "ok"), (True, "ok")]
            assert [len(final.collected.packets) for final in desk.finals] == [2, 2]

    live(test())


def test_a_provisional_answer_that_is_sure_enough_is_final_and_closes_the_image(model: Path) -> None:
    sureness = Sureness((18.0, 12.0), (0.1, 0.0))  # sure from the second packet on

    async def test() -> None:
        async with Desk(model, sure=0.9, sureness=sureness) as desk:
            desk.put(1, 5, final=False, packets=1)
            assert await desk.answers(1) == [(False, "ok")]
            desk.put(1, 5, final=False, packets=2)
            assert await desk.answers(1, 2) == [(False, "ok"), (True, "ok")]
            assert desk.receiver.finished == [1]
            [final] = desk.finals
            assert final.enough
            assert final.collected.final

    live(test())


def test_every_report_ends_so_that_the_receiver_knows_which_workers_are_idle(model: Path) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            desk.kind.fault = staticmethod(lambda: time.sleep(0.2))
            desk.put(1, 5)
            desk.put(2, 5, final=False, packets=2)  # no worker is idle
            assert desk.receiver.skipped == [2]
            await desk.answers(1)
            desk.kind.fault = staticmethod(lambda: [])  # no class: an error
            desk.put(3, 5, final=False, packets=2)
            while 3 not in desk.receiver.skipped:
                await asyncio.sleep(0.01)
            assert len(desk.receiver.given) == 1

    live(test())


def test_without_a_threshold_no_image_is_closed_early(model: Path) -> None:
    async def test() -> None:
        async with Desk(model, sureness=Sureness((8.0, 0.0), (0.1, 0.0))) as desk:
            desk.put(1, 5, final=False, packets=2)
            assert await desk.answers(1) == [(False, "ok")]
            assert desk.receiver.finished == []

    live(test())


def test_the_service_time_is_measured_again_while_the_server_is_idle(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MEASURE_AFTER_US", 50_000)

    async def test() -> None:
        async with Desk(model) as desk:
            for _ in range(20):
                desk.answering.time.add(3_000_000)
            while desk.receiver.service_us == 0 or desk.answering.time.usual_us > 1_000_000:
                await asyncio.sleep(0.1)
            assert desk.receiver.service_us < 2_000_000

    live(test())


def test_workers_and_service_time_are_given_to_the_receiver(model: Path) -> None:
    async def test() -> None:
        async with Desk(model, workers=2) as desk:
            assert desk.receiver.workers == 2
            assert 0 < desk.receiver.service_us < 5_000_000

    live(test())


def test_a_picture_without_a_usable_packet_is_refused_as_nothing(model: Path) -> None:
    async def test() -> None:
        async with Desk(model) as desk:
            damaged = tuple(replace(packet, data=b"\xff" * 20) for packet in PACKETS[:2])
            desk.answering.add(ImageCollected(0, 1, 0, damaged, True, now_us() + 5_000_000, {0: 0, 1: 0}))
            await desk.answers(1)
            assert desk.receiver.statuses == [ResultStatus.NOTHING]
            assert desk.finals[0].recognised.top == ()

    live(test())
