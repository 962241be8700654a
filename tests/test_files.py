"""Files are replaced as a whole, nothing but a file is ever replaced, and reading stops at a limit."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from host.codec import CodecError
from host.errors import Reason
from host.files import check_writable, read_file, write_file, write_whole


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
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(bytes(100_000), path, durable=durable)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
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
