"""Files of keys: made with mode 600, and refused in one line when they cannot be keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from host.errors import Reason
from host.seal.key import Key, KeyFileError, make_key, read_key


def test_a_made_key_is_random_private_and_read_back(tmp_path: Path) -> None:
    made = [make_key(tmp_path / str(number)) for number in range(5)]
    assert len({key.secret for key in made}) == 5
    for number, key in enumerate(made):
        path = tmp_path / str(number)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == key.secret
        assert read_key(path).secret == read_key(f"file:{path}").secret == key.secret
    assert sorted(each.name for each in tmp_path.iterdir()) == ["0", "1", "2", "3", "4"]


def test_a_key_is_never_written_over_and_needs_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = make_key(path)
    for place, text in ((path, "exists"), (tmp_path, "exists"), (tmp_path / "no" / "key", "No such file")):
        with pytest.raises(KeyFileError, match=text):
            make_key(place)
    assert path.read_bytes() == key.secret


def _file(data: bytes, mode: int = 0o600) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)
        path.chmod(mode)

    return write


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "no such file: .*boards key FILE"),
    "a folder": (Path.mkdir, "is a folder: a key is a file of 16 bytes"),
    "a pipe": (os.mkfifo, "is no regular file"),
    "empty": (_file(b""), "has 0 bytes: a key has 16"),
    "too short": (_file(b"x" * 15), "has 15 bytes: a key has 16"),
    "too long": (_file(b"x" * 17), "has 17 bytes: a key has 16"),
    "very long": (_file(b"x" * 1_000_000), "has 1000000 bytes: a key has 16"),
    "as text": (_file(b"00" * 16), "has 32 bytes"),
    "zeros": (_file(bytes(16)), "holds only zeros"),
    "open to the group": (_file(b"x" * 16, 0o640), r"mode 640\): chmod 600"),
    "open to all": (_file(b"x" * 16, 0o604), r"mode 604\): chmod 600"),
    "writable by others": (_file(b"x" * 16, 0o602), r"mode 602\): chmod 600"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_clear_line(kind: str, tmp_path: Path) -> None:
    make, text = BAD[kind]
    path = tmp_path / "camera.key"
    make(path)
    with pytest.raises(KeyFileError, match=text) as caught:
        read_key(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.reason is Reason.BAD_FILE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    _file(b"x" * 16, 0o000)(tmp_path / "key")
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize("text", ["", "file:", "a\0b"])
def test_a_text_that_names_no_file(text: str) -> None:
    with pytest.raises(KeyFileError, match="names no file"):
        read_key(text)


def test_a_key_file_that_only_its_owner_reads_is_taken(tmp_path: Path) -> None:
    _file(b"x" * 16, 0o400)(tmp_path / "key")
    assert read_key(tmp_path / "key").secret == b"x" * 16


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_credential_of_systemd_shows_its_mask_as_the_groups_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    for place in (folder / "camera.key", tmp_path / "camera.key"):
        _file(b"x" * 16, 0o440)(place)
    (folder / "link.key").symlink_to(tmp_path / "camera.key")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(KeyFileError, match=r"mode 440\)"):
        read_key(folder / "camera.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert read_key(folder / "camera.key").secret == b"x" * 16
    for place in (tmp_path / "camera.key", folder / ".." / "camera.key", folder / "link.key"):
        with pytest.raises(KeyFileError, match=r"mode 440\)"):
            read_key(place)
    for mode in (0o460, 0o444, 0o441, 0o450):
        (folder / "camera.key").chmod(mode)
        with pytest.raises(KeyFileError, match=rf"mode {mode:o}\)"):
            read_key(folder / "camera.key")
    for nowhere in ("", "."):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", nowhere)
        with pytest.raises(KeyFileError, match=r"mode 4\d\d\)"):
            read_key(folder / "camera.key")


def test_the_bytes_are_not_shown() -> None:
    key = Key(b"0123456789abcdef", "camera.key")
    assert "0123" not in f"{key} {key!r} {[key]}"
    with pytest.raises(ValueError, match="16 bytes, not 3"):
        Key(b"abc")
