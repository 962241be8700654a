"""Files are replaced as a whole, nothing but a file is ever replaced, and reading stops at a limit."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from host import files
from host.codec import CodecError
from host.errors import Reason
from host.files import (
    append_line,
    check_appendable,
    check_writable,
    open_to_append,
    open_to_read,
    read_file,
    write_file,
    write_new,
    write_whole,
)
from tests.limits import largest_file


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"first", b"second"):
        write_whole(content, path)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_link_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "file"
    link.symlink_to(target)
    write_whole(b"content", link)
    assert link.is_symlink()
    assert target.read_bytes() == b"content"


def test_a_pipe_and_a_device_are_written_to_and_stay_what_they_are(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(b"content", pipe)
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    # A link of our own: were it replaced, no device of this machine would be.
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    if not link.is_char_device():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_whole(b"content", link)
    assert link.is_symlink()
    assert link.is_char_device()


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for act in (lambda path: write_file(b"x", path, CodecError), lambda path: check_writable(path, CodecError)):
        with pytest.raises(CodecError, match=r"pipe: cannot be written \(nobody reads it\)"):
            act(tmp_path / "pipe")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


SPECIAL = {"a pipe": os.mkfifo, "a device": lambda path: path.symlink_to("/dev/zero"), "a socket": make_socket}


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_neither_read_nor_appended_to(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    SPECIAL[kind](path)
    why = "No such device or address" if kind == "a socket" else f"it is {kind}, and not a file"
    for act in (
        open_to_read,
        lambda path: open_to_read(path, streams=True),
        open_to_append,
        lambda path: append_line(b"line", path),
        lambda path: read_file(path, 99, "a table", CodecError),
        lambda path: check_appendable(path, CodecError),
    ):
        with pytest.raises((OSError, CodecError), match=why):
            act(path)


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_to_read(tmp_path)
    with pytest.raises(CodecError, match="is a folder: name a file"):
        check_appendable(tmp_path, CodecError)


def test_a_file_can_be_appended_to_if_it_is_there_or_not(tmp_path: Path) -> None:
    check_appendable(tmp_path / "new", CodecError)
    assert not list(tmp_path.iterdir())
    (tmp_path / "old").write_bytes(b"line\n")
    check_appendable(tmp_path / "old", CodecError)
    assert (tmp_path / "old").read_bytes() == b"line\n"
    check_appendable(Path(os.devnull), CodecError)
    append_line(b"line", Path(os.devnull))


def test_a_stream_that_a_shell_hands_over_is_read_to_its_end() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        time.sleep(0.05)  # a read that did not wait would fail
        os.write(writer, b"content")
        os.close(writer)

    threading.Thread(target=write).start()
    with open_to_read(Path(f"/dev/fd/{reader}"), streams=True) as file:
        os.close(reader)
        assert file.read() == b"content"


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(b"content", folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("durable", [False, True])
def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with largest_file(1000), pytest.raises(OSError, match="File too large"):
        write_whole(bytes(100_000), path, durable=durable)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_of_one_file_leave_the_content_of_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(content, path, durable=False), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_whole(b"content", tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    "act", [lambda path: write_file(b"x", path, CodecError), lambda p: check_writable(p, CodecError)]
)
def test_a_file_that_cannot_be_written_is_named_in_one_line(tmp_path: Path, act: Callable[[Path], None]) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(CodecError) as raised:
        act(path)
    assert str(raised.value) == f"{path}: cannot be written (No such file or directory)"
    assert raised.value.reason is Reason.BAD_FILE
    assert not list(tmp_path.iterdir())


def test_a_check_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    check_writable(path, CodecError)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"old")
    check_writable(path, CodecError)
    assert path.read_bytes() == b"old"
    with pytest.raises(CodecError, match="is a folder: name a file"):
        check_writable(tmp_path, CodecError)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2048))
    assert read_file(path, 2048, "a table", CodecError) == bytes(2048)
    with pytest.raises(CodecError) as raised:
        read_file(path, 2047, "a table", CodecError)
    assert str(raised.value) == f"{path}: larger than 1 kB, too large for a table"


def test_an_endless_file_is_not_read_to_its_end() -> None:
    endless = Path("/dev/zero")
    if not endless.is_char_device():
        pytest.skip("this system has no /dev/zero")
    with pytest.raises(CodecError, match="/dev/zero: larger than 1 MB, too large for a model"):
        read_file(endless, 1 << 20, "a model", CodecError)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CodecError) as raised:
        read_file(tmp_path / "file", 10, "a table", CodecError, missing="; it comes with the release")
    assert str(raised.value) == f"{tmp_path / 'file'}: no such file; it comes with the release"
    with pytest.raises(CodecError, match=r"cannot be read \(Is a directory\)"):
        read_file(tmp_path, 10, "a table", CodecError)


@pytest.fixture(params=["links", "no links"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system with hard links, and one without, such as FAT."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return str(request.param)


@pytest.mark.usefixtures("file_system")
def test_a_new_file_is_written_once_and_by_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(16)]

    def attempt(content: bytes) -> bytes | None:
        try:
            write_new(content, path)
        except FileExistsError:
            return None
        return content

    with ThreadPoolExecutor(8) as pool:
        [written] = [content for content in pool.map(attempt, contents) if content is not None]
    assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("file_system")
def test_a_new_file_replaces_neither_a_folder_nor_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "link"):
        with pytest.raises(FileExistsError):
            write_new(b"content", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


@pytest.mark.usefixtures("file_system")
def test_a_new_file_that_a_disk_refuses_leaves_nothing(tmp_path: Path) -> None:
    with largest_file(1000), pytest.raises(OSError, match="File too large"):
        write_new(bytes(100_000), tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_lines_of_many_writers_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    wanted = [bytes([65 + number % 26]) * (1 + 997 * number % 20_000) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda line: append_line(line, path), wanted))
    assert sorted(path.read_bytes().splitlines()) == sorted(wanted)


@pytest.mark.parametrize("room", [0, 1, 99])
def test_a_line_that_does_not_fit_is_not_begun(tmp_path: Path, room: int) -> None:
    path = tmp_path / "log"
    append_line(b"first", path)
    with largest_file(6 + room), pytest.raises(OSError, match="File too large"):
        append_line(b"x" * 99, path)
    append_line(b"second", path)
    assert path.read_bytes() == b"first\nsecond\n"


def test_after_a_line_that_was_cut_off_a_new_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\nsec")
    append_line(b"third\n", path)
    assert path.read_bytes() == b"first\nsec\nthird\n"


def test_a_program_that_is_stopped_inside_its_write_does_not_stop_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="this system locks no files")
    monkeypatch.setattr(files, "LOCK_S", 0.1)
    path = tmp_path / "log"
    with path.open("ab") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        append_line(b"line", path)
    assert path.read_bytes() == b"line\n"


def test_a_line_waits_for_the_line_of_another_program(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="this system locks no files")
    path = tmp_path / "log"
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=append_line, args=(b"second", path))
        waiting.start()
        time.sleep(0.1)
        other.write(b"first\n")
    waiting.join()
    assert path.read_bytes() == b"first\nsecond\n"
