"""Sources that are no camera: files, standard input, and a folder that is watched."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host.camera.errors import SourceError
from host.camera.source import FileSource, Source, SourcePicture
from host.camera.standard_input import StandardInput
from host.camera.watched_folder import SETTLED_S, WatchedFolder
from host.codec import PictureError, load_picture
from host.transport.driver import now_us
from tests import pace
from tests.camera.films import grey, jpeg, number_of


def pixels_of(picture: SourcePicture | None) -> np.ndarray:
    assert picture is not None
    return picture.load(lambda _: None)


async def soon(source: Source, within_s: float = 5.0) -> SourcePicture | None:
    return await asyncio.wait_for(source.next(), pace.seconds(within_s))


async def nothing_comes(source: Source, for_s: float) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(source.next(), for_s)


def test_files_come_in_their_order_and_none_is_left_out(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(4)]
    for number, file in enumerate(files):
        grey(number).save(file)
    files[2].unlink()

    async def test() -> None:
        async with FileSource(files) as source:
            assert source.total == 4
            given = [await source.next() for _ in range(4)]
            assert await source.next() is None
            assert [picture and picture.name for picture in given] == [str(file) for file in files]
            assert [number_of(pixels_of(given[number])) for number in (0, 1, 3)] == [0, 1, 3]
            with pytest.raises(PictureError, match="no such file"):
                pixels_of(given[2])

    asyncio.run(test())


def test_the_centre_is_a_square_that_keeps_its_aspect(tmp_path: Path) -> None:
    wide = Image.new("RGB", (640, 320), "red")
    wide.paste((0, 0, 255), (160, 0, 480, 320))
    for name, image in (("wide.png", wide), ("tall.png", wide.transpose(Image.Transpose.ROTATE_90))):
        image.save(tmp_path / name)
        whole, centre = load_picture(tmp_path / name), load_picture(tmp_path / name, centre=True)
        assert whole.shape == centre.shape == (224, 224, 3)
        assert set(map(tuple, centre[2:-2, 2:-2].reshape(-1, 3))) == {(0, 0, 255)}
        assert 0.45 < (whole[..., 0] > 128).mean() < 0.55


# Standard input


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for number in (reader, writer):
        with suppress(OSError):
            os.close(number)


@asynccontextmanager
async def reading(number: int, *, centre: bool = False) -> AsyncIterator[StandardInput]:
    async with StandardInput(number, centre=centre) as source:
        yield source


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_of_any_format_is_the_only_one(form: str, pipe: tuple[int, int]) -> None:
    reader, writer = pipe

    def write() -> None:
        with os.fdopen(os.dup(writer), "wb") as file:
            grey(9, (400, 300)).save(file, form) if form != "TIFF" else file.write(tiff())
        os.close(writer)

    def tiff() -> bytes:
        import io

        content = io.BytesIO()
        grey(9, (400, 300)).save(content, form)
        return content.getvalue()

    async def test() -> None:
        async with reading(reader) as source:
            threading.Thread(target=write).start()
            picture = await asyncio.wait_for(source.only(), pace.seconds(5))
            assert picture is not None
            assert picture.name == "standard input, picture 1"
            assert picture.taken_us is None, "its time begins when it is read, however long the board takes"
            assert number_of(pixels_of(picture)) == 9

    asyncio.run(test())


def test_the_newest_picture_of_a_stream_is_next_and_the_last_one_is_given_after_the_end(
    pipe: tuple[int, int],
) -> None:
    reader, writer = pipe

    async def test() -> None:
        async with reading(reader) as source:
            os.write(writer, jpeg(grey(1)))
            assert await source.only() is None, "more may come"
            before_us = now_us()
            os.write(writer, b"--frame\r\n\r\n" + jpeg(grey(2)) + jpeg(grey(3)))
            await asyncio.sleep(0.3)
            first = await soon(source)
            assert number_of(pixels_of(first)) == 3
            assert first is not None
            assert first.taken_us is not None
            assert before_us <= first.taken_us <= now_us()
            await nothing_comes(source, 0.2)
            os.write(writer, jpeg(grey(4)))
            os.close(writer)
            await asyncio.sleep(0.2)
            last = await soon(source)
            assert number_of(pixels_of(last)) == 4
            assert last is not None
            assert last.taken_us is None
            assert await soon(source) is None
            assert source.skipped >= 1

    asyncio.run(test())


def test_a_cut_picture_is_read_as_a_cut_file_and_junk_is_an_error_of_the_picture(pipe: tuple[int, int]) -> None:
    reader, writer = pipe

    async def test() -> None:
        async with reading(reader) as source:
            os.write(writer, b"this is no picture\n")
            os.close(writer)
            picture = await source.only()
            with pytest.raises(PictureError, match=r"^standard input, picture 1: not a picture"):
                pixels_of(picture)

    asyncio.run(test())


def test_an_empty_input_and_a_terminal_are_one_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(writer)
    master, slave = os.openpty()

    async def test() -> None:
        async with reading(reader) as source:
            with pytest.raises(SourceError, match="standard input: there is no picture in it"):
                await source.only()
        with pytest.raises(SourceError, match="is a terminal"):
            async with reading(slave):
                pass

    try:
        asyncio.run(test())
    finally:
        os.close(master)
        os.close(slave)


# A watched folder


def write_slowly(path: Path, data: bytes, pause_s: float = 0.1) -> None:
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(data), max(1, len(data) // 5)):
            file.write(data[at : at + max(1, len(data) // 5)])
            time.sleep(pause_s)


def test_new_pictures_are_given_and_those_that_were_there_are_not(tmp_path: Path) -> None:
    grey(1).save(tmp_path / "old.png")

    async def test() -> None:
        async with WatchedFolder(tmp_path) as source:
            await nothing_comes(source, 0.3)
            (tmp_path / "notes.txt").write_text("no picture")
            grey(2).save(tmp_path / ".hidden.png")
            await nothing_comes(source, 0.3)
            grey(3).save(tmp_path / "new.png")
            picture = await soon(source)
            assert picture is not None
            assert picture.name == str(tmp_path / "new.png")
            await nothing_comes(source, 0.3)

    asyncio.run(test())


def test_a_picture_that_is_replaced_again_and_again_is_given_each_time(tmp_path: Path) -> None:
    latest = tmp_path / "latest.jpg"

    async def test() -> None:
        async with WatchedFolder(tmp_path) as source:
            for number in range(5):
                if number % 2:
                    latest.write_bytes(jpeg(grey(number)))
                else:
                    (tmp_path / "part").write_bytes(jpeg(grey(number)))
                    (tmp_path / "part").replace(latest)
                assert number_of(pixels_of(await soon(source))) == number

    asyncio.run(test())


def test_of_several_new_pictures_the_newest_is_given_and_the_others_are_counted(tmp_path: Path) -> None:
    async def test() -> None:
        async with WatchedFolder(tmp_path) as source:
            for number in range(4):
                file = tmp_path / f"{'dcba'[number]}.png"
                grey(number).save(file)
                os.utime(file, ns=(10**18 + number * 10**9,) * 2)
            assert number_of(pixels_of(await soon(source))) == 3
            assert source.skipped == 3
            await nothing_comes(source, 0.2)

    asyncio.run(test())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_file_is_given_when_it_is_complete(suffix: str, tmp_path: Path) -> None:
    made = tmp_path / f"made{suffix}"
    grey(5).save(made)
    data = made.read_bytes()
    made.unlink()

    async def test() -> None:
        async with WatchedFolder(tmp_path) as source:
            start_s = time.monotonic()
            writing = threading.Thread(target=write_slowly, args=(tmp_path / f"new{suffix}", data))
            writing.start()
            picture = await soon(source)
            took_s = time.monotonic() - start_s
            assert number_of(pixels_of(picture)) == 5
            writing.join()
            if suffix == ".webp":
                assert took_s > SETTLED_S, "its end is not known"

    asyncio.run(test())


def test_a_folder_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    folder, notices = tmp_path / "pictures", list[str]()
    folder.mkdir()

    async def test() -> None:
        async with WatchedFolder(folder, on_notice=notices.append) as source:
            folder.rename(tmp_path / "elsewhere")
            await nothing_comes(source, 0.4)
            folder.mkdir()
            grey(6).save(folder / "new.png")
            assert number_of(pixels_of(await soon(source))) == 6

    asyncio.run(test())
    assert notices == [
        f"{folder}: No such file or directory: waiting for it to come back",
        f"{folder}: the folder is back",
    ]


def test_subfolders_are_watched_if_asked(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()

    async def test() -> None:
        async with WatchedFolder(tmp_path) as shallow, WatchedFolder(tmp_path, recursive=True) as deep:
            grey(2).save(tmp_path / "below" / "new.png")
            assert number_of(pixels_of(await soon(deep))) == 2
            await nothing_comes(shallow, 0.3)

    asyncio.run(test())


@pytest.mark.parametrize("name", ["missing", "file.png"])
def test_what_cannot_be_watched_is_one_line(name: str, tmp_path: Path) -> None:
    grey(1).save(tmp_path / "file.png")

    async def test() -> None:
        async with WatchedFolder(tmp_path / name):
            pass

    with pytest.raises(SourceError, match=r"cannot be watched \((No such file|Not a directory)"):
        asyncio.run(test())
