"""A live camera: through FFmpeg's own devices and films, through OpenCV, and one that fails as real ones do.

No video device is needed. What only a device can show is how a driver fails: the openers here raise what PyAV, OpenCV
and picamera2 raise.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV is not installed (extra camera)")

from host.camera import capture, capture_av, live_camera  # noqa: E402
from host.camera.capture import EndOfFilm, Frame, open_capture  # noqa: E402
from host.camera.capture_av import AvCapture  # noqa: E402
from host.camera.capture_opencv import OpenCvCapture  # noqa: E402
from host.camera.errors import SourceError  # noqa: E402
from host.camera.live_camera import LiveCamera  # noqa: E402
from host.camera.source import SourcePicture  # noqa: E402
from host.errors import Reason  # noqa: E402
from host.transport.driver import now_us  # noqa: E402
from tests import pace  # noqa: E402
from tests.camera.films import STEP, film, number_of  # noqa: E402

SIZE = (64, 48)
PERIOD_S = 0.01


def number(picture: SourcePicture | None) -> int:
    """Return the number of a grey picture, which its own pixels tell."""
    assert picture is not None
    return number_of(picture.load(lambda _: None))


class Script:
    """A camera driver that follows a script: opens or fails, and gives so many pictures before it is lost."""

    def __init__(self, *steps: int | Exception) -> None:
        """``steps`` are for one attempt to open each: pictures until it is lost, or the error of opening it."""
        self.steps = list(steps)
        self.count = 0
        self.closed = 0
        self.stuck = threading.Event()

    def __call__(self, _device: str, _resolution: tuple[int, int]) -> Script:
        step = self.steps.pop(0) if self.steps else SourceError("gone", reason=Reason.NO_CAMERA)
        if isinstance(step, Exception):
            raise step
        self.left = step
        return self

    def read(self) -> Frame:
        if self.left == 0:
            raise SourceError("/dev/video0: No such device", reason=Reason.NO_CAMERA)
        if self.left == -1:
            self.stuck.wait(60)
            self.left = 5
        self.left -= 1
        time.sleep(PERIOD_S)
        level = STEP * (self.count % 30)
        self.count += 1
        return lambda: np.full((48, 64, 3), level, np.uint8)

    def close(self) -> None:
        self.closed += 1


ENDLESS = 1_000_000
BUSY = SourceError("/dev/video0: another program uses the camera", reason=Reason.CAMERA_BUSY)


def test_the_newest_picture_is_given_however_slowly_they_are_asked_for() -> None:
    async def test() -> None:
        script = Script(ENDLESS)
        async with LiveCamera("0", opener=script) as camera:
            for _ in range(5):
                await asyncio.sleep(0.15)
                asked_us, given = now_us(), script.count
                picture = await camera.next()
                assert picture is not None
                assert picture.taken_us is not None
                assert asked_us - picture.taken_us < pace.seconds(5 * PERIOD_S) * 1e6
                assert int(picture.name.rpartition(" ")[2]) >= given - 1
        assert script.closed == 1

    asyncio.run(test())


def test_a_picture_is_given_once() -> None:
    async def test() -> None:
        async with LiveCamera("0", opener=Script(ENDLESS)) as camera:
            names = [picture.name for _ in range(10) if (picture := await camera.next())]
            assert len(set(names)) == 10

    asyncio.run(test())


class OnePicture:
    """A camera driver that gives one picture, when it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.told, self.given = threading.Event(), threading.Event()

    def read(self) -> Frame:
        if self.count == 1:  # the first picture is on its way to the event loop
            self.given.set()
            raise EndOfFilm
        self.told.wait()
        self.count += 1
        return lambda: np.zeros((48, 64, 3), np.uint8)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("turns", range(8))
def test_who_stops_waiting_in_the_moment_of_a_picture_has_stopped(turns: int) -> None:
    """Ctrl-C cancels the wait for a picture; ``turns`` of the event loop lie between the picture and that."""

    async def test() -> bool:
        driver = OnePicture()
        async with LiveCamera("0", opener=lambda *_: driver) as camera:
            waiting = asyncio.create_task(camera.next())
            for _ in range(3):
                await asyncio.sleep(0)
            driver.told.set()
            assert driver.given.wait(pace.seconds(10))  # meanwhile the event loop stands still
            for _ in range(turns):
                await asyncio.sleep(0)
            if not waiting.cancel():
                return waiting.result() is not None
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return True

    assert asyncio.run(test())


def test_a_camera_that_is_unplugged_is_waited_for_and_its_old_picture_is_not_given() -> None:
    async def test() -> list[str]:
        notices: list[str] = []
        gone = SourceError("/dev/video0: no such camera", reason=Reason.NO_CAMERA)
        script = Script(3, gone, RuntimeError("a fault of the driver"), gone, ENDLESS)
        async with LiveCamera("0", opener=script, on_notice=notices.append) as camera:
            await asyncio.sleep(0.5)
            picture = await asyncio.wait_for(camera.next(), pace.seconds(10))
            assert picture is not None
            assert int(picture.name.rpartition(" ")[2]) > 3
        return notices

    assert asyncio.run(test()) == [
        "/dev/video0: No such device: waiting for it to come back",
        "camera 0: it gives pictures again",
    ]


def test_a_camera_that_another_program_uses_is_one_line_and_is_waited_for() -> None:
    async def test() -> list[str]:
        notices: list[str] = []
        async with LiveCamera("0", opener=Script(BUSY, BUSY, BUSY, ENDLESS), on_notice=notices.append) as camera:
            assert await asyncio.wait_for(camera.next(), pace.seconds(10)) is not None
        return notices

    assert asyncio.run(test()) == [
        "/dev/video0: another program uses the camera: waiting for it",
        "camera 0: it gives pictures again",
    ]


@pytest.mark.parametrize("reason", [Reason.NO_CAMERA, Reason.CAMERA_DENIED, Reason.MISSING_PACKAGE])
def test_a_camera_that_is_not_there_at_the_start_is_an_error(reason: Reason) -> None:
    async def test() -> None:
        async with LiveCamera("0", opener=Script(SourceError("no", reason=reason))):
            pass

    with pytest.raises(SourceError) as error:
        asyncio.run(test())
    assert error.value.reason is reason


def test_a_camera_that_stops_giving_pictures_is_reported_once_and_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_camera, "STALLED_S", 0.2)
    monkeypatch.setattr(live_camera, "CLOSE_S", 0.2)
    script = Script(-1)

    async def test() -> list[str]:
        notices: list[str] = []
        async with LiveCamera("0", opener=script, on_notice=notices.append) as camera:
            waiting = asyncio.create_task(camera.next())
            await asyncio.sleep(0.7)
            assert not waiting.done()
            script.stuck.set()
            assert await asyncio.wait_for(waiting, pace.seconds(10)) is not None
            script.stuck.clear()
            script.left = -1
            start_s = time.monotonic()
        assert time.monotonic() - start_s < pace.seconds(2)
        return notices

    try:
        assert asyncio.run(test())[:2] == [
            "camera 0: it has given no picture for 0 s: waiting for one",
            "camera 0: it gives pictures again",
        ]
    finally:
        script.stuck.set()


def frames_of(opened: capture.Capture) -> list[int]:
    found = []
    try:
        while True:
            found.append(number_of(opened.read()()))
    except (EndOfFilm, SourceError):
        return found
    finally:
        opened.close()


@pytest.mark.parametrize("suffix", [".avi", ".mjpeg", ".mkv"])
def test_an_mjpeg_film_is_read_picture_by_picture(suffix: str, tmp_path: Path) -> None:
    assert frames_of(open_capture(str(film(tmp_path / f"film{suffix}", 12, fps=50)), SIZE)) == list(range(12))


def test_a_film_is_played_at_its_own_speed_and_ends_the_source(tmp_path: Path) -> None:
    path = str(film(tmp_path / "film.avi", 20, fps=20))

    async def test() -> list[int]:
        numbers = []
        async with LiveCamera(path) as camera:
            start_s = time.monotonic()
            while (picture := await camera.next()) is not None:
                numbers.append(number(picture))
            assert time.monotonic() - start_s > 0.9
        return numbers

    numbers = asyncio.run(test())
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 19, "the last one is not lost"
    assert len(numbers) > 10


def test_damaged_pictures_are_left_out(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mjpeg", 10, fps=100)
    data = path.read_bytes()
    starts = [at for at in range(len(data)) if data.startswith(b"\xff\xd8\xff", at)]
    broken = bytearray(data)
    broken[starts[4] + 2 : starts[5]] = b"\xff\xfe\0\2" * ((starts[5] - starts[4] - 2) // 4)
    path.write_bytes(broken)
    found = frames_of(open_capture(str(path), SIZE))
    assert {0, 1, 2, 3, 6, 7, 8, 9} <= set(found)


def test_a_device_of_ffmpeg_is_read_live() -> None:
    """FFmpeg's test source stands for a camera: it is opened through libavdevice, as Video4Linux's devices are."""
    container = av.open("testsrc=size=320x240:rate=50", format="lavfi")
    opened = AvCapture("testsrc", container)
    pictures = [opened.read()() for _ in range(5)]
    opened.close()
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}


def test_opencv_gives_red_green_and_blue_in_this_order(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    opened = OpenCvCapture(str(film(tmp_path / "film.avi", 8)), "film", SIZE)
    assert frames_of(opened) == list(range(8))
    with av.open(str(tmp_path / "red.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), (250, 20, 10), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for opened in (OpenCvCapture(str(tmp_path / "red.avi"), "film", SIZE), AvCapture.film(str(tmp_path / "red.avi"))):
        red, green, blue = opened.read()().reshape(-1, 3).mean(axis=0)
        assert red > 230
        assert green < 50
        assert blue < 50
        opened.close()


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (lambda: OSError(16, "Device or resource busy"), Reason.CAMERA_BUSY, "another program uses the camera"),
        (lambda: PermissionError(13, "Permission denied"), Reason.CAMERA_DENIED, "no permission"),
        (lambda: av.error.OSError(25, "Inappropriate ioctl"), Reason.NO_CAMERA, "no camera (Inappropriate ioctl)"),
    ],
)
def test_what_ffmpeg_says_of_a_device_is_one_line(
    error: Callable[[], Exception], reason: Reason, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error()

    monkeypatch.setattr(capture_av.av, "open", refuse)
    with pytest.raises(SourceError) as raised:
        AvCapture.device("/dev/video0", SIZE)
    assert raised.value.reason is reason
    assert str(raised.value).startswith("/dev/video0: ")
    assert text in str(raised.value)


def test_a_device_is_opened_by_video4linux_with_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/null stands for a video device: a character device. FFmpeg's answer is that it is none."""
    calls: list[dict[str, Any]] = []
    real = av.open

    def opened(path: str, **options: Any) -> Any:
        calls.append({"path": path, **options})
        return real(path, **options)

    monkeypatch.setattr(capture_av.av, "open", opened)
    with pytest.raises(SourceError, match=r"^/dev/null: no camera \("):
        open_capture("/dev/null", (1280, 720))
    assert calls == [{"path": "/dev/null", "format": "v4l2", "options": {"video_size": "1280x720"}}]


def test_names_that_are_no_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "video_devices", lambda: ["/dev/video0", "/dev/video2"])
    for name, text in (
        ("97", "/dev/video97: no such camera (there is /dev/video0, /dev/video2)"),
        (str(tmp_path / "no.avi"), f"{tmp_path}/no.avi: no such camera"),
        (str(tmp_path), f"{tmp_path}: a folder, not a camera"),
    ):
        with pytest.raises(SourceError) as error:
            open_capture(name, SIZE)
        assert str(error.value) == text
    monkeypatch.setattr(capture, "video_devices", list)
    with pytest.raises(SourceError, match="no camera is attached"):
        open_capture("", SIZE)


def test_the_first_camera_is_no_device_for_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for device, index in (("video0", 1), ("video1", 0)):
        (tmp_path / device).mkdir()
        (tmp_path / device / "index").write_text(f"{index}\n")
    monkeypatch.setattr(capture, "VIDEO_CLASS", tmp_path)
    monkeypatch.setattr(capture, "video_devices", lambda: ["/dev/video0", "/dev/video1"])
    monkeypatch.setattr(capture, "_check", lambda _path: (_ for _ in ()).throw(SourceError(str(_path))))
    with pytest.raises(SourceError, match=r"^/dev/video1$"):
        open_capture("", SIZE)


def test_without_pyav_opencv_serves_and_without_both_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "host.camera.capture_av")
    monkeypatch.setitem(sys.modules, "av", None)
    if "cv2" in sys.modules or pytest.importorskip("cv2"):
        with pytest.raises(SourceError, match="/dev/null: it cannot be opened; another program may use it"):
            open_capture("/dev/null", SIZE)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SourceError) as error:
        open_capture("/dev/null", SIZE)
    assert (error.value.reason, error.value.subject) == (Reason.MISSING_PACKAGE, "pnc-link[camera]")


# A Raspberry Pi's own camera: only a Pi has picamera2, so its few calls that are used are written here again.


class PiJob:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def get_result(self, timeout: float) -> np.ndarray:
        assert timeout > 0
        if self.error is not None:
            raise self.error
        return np.full((48, 64, 3), (200, 100, 50), np.uint8)


def pi_module(cameras: Sequence[dict[str, Any]], *, busy: bool = False, calls: list[Any]) -> ModuleType:
    class Picamera2:
        error: Exception | None = None

        @staticmethod
        def global_camera_info() -> Sequence[dict[str, Any]]:
            return cameras

        def __init__(self, number: int = 0) -> None:
            if busy:
                raise RuntimeError("Camera __init__ sequence did not complete.")
            calls.append(number)

        def create_video_configuration(self, **options: Any) -> dict[str, Any]:
            return options

        def configure(self, options: dict[str, Any]) -> None:
            calls.append(options["main"])

        def start(self) -> None:
            calls.append("start")

        def capture_array(self, name: str, wait: bool = True) -> PiJob:
            assert (name, wait) == ("main", False)
            return PiJob(self.error)

        def close(self) -> None:
            calls.append("close")

    module = ModuleType("picamera2")
    module.Picamera2 = Picamera2  # type: ignore[attr-defined]
    return module


def test_a_raspberry_pis_camera_is_read_in_red_green_blue(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    module = pi_module([{}, {}], calls=calls)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    opened = open_capture("pi:1", SIZE)
    assert tuple(opened.read()()[0, 0]) == (200, 100, 50)
    module.Picamera2.error = TimeoutError()
    with pytest.raises(SourceError, match="camera pi:1: it gives no more pictures"):
        opened.read()
    opened.close()
    assert calls == [1, {"size": SIZE, "format": "BGR888"}, "start", "close"]
    with pytest.raises(SourceError, match="camera pi:2: no such camera is connected"):
        open_capture("pi:2", SIZE)


def test_a_raspberry_pis_camera_that_is_busy_or_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", pi_module([{}], busy=True, calls=[]))
    with pytest.raises(SourceError) as error:
        open_capture("pi", SIZE)
    assert error.value.reason is Reason.CAMERA_BUSY
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError) as error:
        open_capture("pi", SIZE)
    assert error.value.reason is Reason.NO_PICAMERA2
