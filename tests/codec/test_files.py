"""Files that codecs write: whole, and nothing but a file is ever replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from host.codec.files import write_whole


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
