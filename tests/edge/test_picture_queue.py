"""Which picture the server decodes next: virtual time, hand-made pictures, workers that take a fixed time."""

from __future__ import annotations

import pytest

from host.bench.server import overloaded
from host.edge.picture_queue import MOST_WAITING, PictureQueue, key_of
from host.edge.service_time import MOST_IN_BATCH, WINDOW, ServiceTime
from host.link.events import ImageCollected

MS = 1000


def picture(number: int, deadline_ms: float, *, camera: int = 0, final: bool = True) -> ImageCollected:
    return ImageCollected(camera, number, 0, (), final, int(deadline_ms * MS), final=final)


def queue(service_ms: float = 40, share: float | None = None) -> PictureQueue:
    time = ServiceTime()
    time.add(service_ms * MS)
    if share is not None:
        time.add(service_ms * MS * share * 4, 4)
    return PictureQueue(time)


def numbers(taken: tuple[ImageCollected, ...]) -> list[int]:
    return [each.image for each in taken]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("cameras", "period_ms", "service_ms", "workers"),
    [(8, 100, 45, 1), (8, 100, 50, 1), (8, 100, 45, 2), (4, 100, 100, 1), (4, 100, 100, 2)],
)
def test_under_far_too_much_work_the_workers_are_never_wasted_and_no_camera_is_starved(
    cameras: int, period_ms: int, service_ms: int, workers: int, together: bool
) -> None:
    row = overloaded(cameras, period_ms, 300, service_ms, workers=workers, together=together)
    assert row.load > 1.5
    assert row.share >= 0.95
    assert row.fewest >= 0.8
    assert row.in_time + row.late + row.refused == cameras * 20_000 // period_ms  # every picture ends


@pytest.mark.parametrize(("cameras", "period_ms", "service_ms"), [(4, 300, 90), (4, 200, 60)])
def test_a_fifth_more_work_than_the_server_can_do(cameras: int, period_ms: int, service_ms: int) -> None:
    row = overloaded(cameras, period_ms, 300, service_ms)
    assert row.load == pytest.approx(1.2, abs=0.02)
    assert row.share >= 0.95
    assert row.fewest >= 0.9


def test_work_that_the_server_can_do_is_all_done_in_time() -> None:
    row = overloaded(8, 400, 300, 45)
    assert (row.share, row.late, row.refused) == (1.0, 0, 0)


def test_the_earliest_deadline_is_first_if_all_can_be_in_time() -> None:
    waiting = queue()
    for number, deadline_ms in enumerate((300, 100, 200)):
        assert waiting.add(picture(number, deadline_ms)) is None
    assert [numbers(waiting.take(0, 1)) for _ in range(4)] == [[1], [2], [0], []]


def test_what_cannot_be_in_time_any_more_leaves_undecoded() -> None:
    waiting = queue(service_ms=40)
    waiting.add(picture(0, 100))
    waiting.add(picture(1, 105))
    assert numbers(waiting.take(50 * MS, 1)) in ([0], [1])
    assert waiting.wake_at() in (80 * MS, 85 * MS)
    assert waiting.take(90 * MS, 1, ()) == ()
    assert len(waiting.expired(90 * MS)) == 1
    assert len(waiting) == 0
    assert waiting.wake_at() is None


def test_a_wrong_estimate_locks_nobody_out() -> None:
    """The server once needed 9 s: cameras that ask for 1 s are tried all the same, one in half a second."""
    waiting = queue(service_ms=9000)
    taken = 0
    for number in range(20):
        now_us = number * 250 * MS
        waiting.add(picture(number, number * 250 + 900))
        taken += len(waiting.take(now_us, 1))
        waiting.expired(now_us)
    assert taken == 10


def test_a_single_picture_at_the_last_moment_is_tried() -> None:
    waiting = queue(service_ms=40)
    waiting.add(picture(0, 1000))
    assert waiting.take(0, 1)
    waiting.add(picture(1, 38))
    assert numbers(waiting.take(1, 1)) == [1]


def test_too_many_that_wait_cost_the_camera_with_the_most() -> None:
    waiting = queue()
    for number in range(MOST_WAITING - 1):
        assert waiting.add(picture(number, 10_000 + number, camera=1)) is None
    assert waiting.add(picture(0, 20_000, camera=2)) is None
    evicted = waiting.add(picture(1, 20_000, camera=2))
    assert evicted is not None
    assert key_of(evicted) == (1, MOST_WAITING - 2, 0)
    assert len(waiting) == MOST_WAITING


def test_batches_only_where_they_are_faster_and_all_in_time() -> None:
    alone, batches = queue(share=1.0), queue(share=0.5)
    for waiting in (alone, batches):
        for number in range(12):
            waiting.add(picture(number, 2000, camera=number))
    assert len(alone.take(0, 1)) == 1
    assert len(batches.take(0, 2)) == 6  # the other worker gets the rest
    assert len(batches.take(0, 1)) == 6
    for number in range(12):
        batches.add(picture(number, 70 + number, camera=number))
    assert len(batches.take(0, 1)) == 3  # a fourth would make the first one late
    assert MOST_IN_BATCH >= 6


def test_a_provisional_answer_never_delays_a_final_one() -> None:
    waiting = queue(service_ms=40)
    waiting.add(picture(0, 500, final=False))
    assert waiting.take(0, 0) == ()  # no worker is idle
    waiting.add(picture(1, 600))
    assert numbers(waiting.take(0, 1)) == [1]  # a final one first
    assert waiting.take(0, 1, (), [(0, 0, 0)]) == ()  # a worker has the image already
    waiting.add(picture(2, 100, camera=1, final=False))
    assert waiting.take(30 * MS, 1) == ()  # the final answer of camera 1 is due soon
    assert numbers(waiting.take(30 * MS, 2)) == [0]  # another worker is idle
    waiting.add(picture(2, 100, camera=1))
    assert numbers(waiting.take(55 * MS, 1)) == [2]
    assert waiting.take(60 * MS, 1) == ()  # nothing new


def test_of_provisional_pictures_the_newest_counts_and_images_without_an_answer_are_first() -> None:
    waiting = queue(service_ms=10)
    waiting.add(picture(0, 500, final=False))
    assert numbers(waiting.take(0, 1)) == [0]
    newer = picture(0, 500, final=False)
    waiting.add(picture(0, 500, final=False))
    waiting.add(newer)
    waiting.add(picture(1, 900, camera=1, final=False))
    assert numbers(waiting.take(0, 1)) == [1]
    assert waiting.take(0, 1)[0] is newer
    assert waiting.take(0, 1) == ()
    waiting.add(picture(0, 500))
    assert waiting.withdraw((0, 0, 0)) is not None
    assert waiting.withdraw((0, 0, 0)) is None
    assert waiting.take(0, 1) == ()


def test_one_slow_picture_does_not_move_the_estimate_and_slow_ones_are_forgotten() -> None:
    time = ServiceTime()
    assert (time.usual_us, time.expected_us, time.most_in_batch) == (0, 0, 1)
    for _ in range(WINDOW):
        time.add(40 * MS)
    time.add(9000 * MS)
    assert time.usual_us == 40 * MS
    assert 40 * MS < time.expected_us < 45 * MS
    for _ in range(WINDOW):
        time.add(9000 * MS)
    for _ in range(WINDOW // 2 + 1):
        time.add(40 * MS)
    assert time.usual_us == 40 * MS
    assert time.expected_us <= 60 * MS  # whatever the other half took
