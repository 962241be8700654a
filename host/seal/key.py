"""The file of a key: 16 random bytes that only its owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Self

from ..errors import PncError, Reason
from ..files import cannot_write, write_new

KEY_BYTES = 16
#: What comes before the path of a key's file, if somebody wants to say what it is.
_PREFIX = "file:"


class KeyFileError(PncError):
    """A key's file cannot be made, read or used."""

    reason = Reason.BAD_FILE


class Key:
    """16 secret bytes. ``repr`` and ``str`` do not show them; ``name`` says where they come from."""

    __slots__ = ("_secret", "name")

    def __init__(self, secret: bytes, name: str = "") -> None:
        """Take the bytes. Raises ValueError if there are not 16."""
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(secret)}")
        self._secret = bytes(secret)
        self.name = name

    @property
    def secret(self) -> bytes:
        """The bytes."""
        return self._secret

    def __repr__(self) -> str:
        return f"<key {self.name}>" if self.name else "<key>"

    @classmethod
    def random(cls, name: str = "") -> Self:
        """Return a new key."""
        return cls(os.urandom(KEY_BYTES), name)


def path_of(text: str) -> Path:
    """Return the path that ``file:PATH``, or a path alone, names. Raises KeyFileError if there is none."""
    path = text.removeprefix(_PREFIX)
    if not path or "\0" in path:
        raise KeyFileError(f"{text!r} names no file: a key is file:PATH")
    return Path(path)


def _is_credential(path: Path) -> bool:
    """Return whether systemd has made a file for this service alone (LoadCredential, systemd.exec(5)).

    It belongs to root, and an access control list lets the service's user read it. The mode then shows the list's mask
    in the place of the group's rights: 440, though no group may read it.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return os.path.isabs(folder) and path.resolve().is_relative_to(Path(folder).resolve())


def read_key(path: str | Path) -> Key:
    """Read a key from a file of 16 bytes that its owner alone may read (mode 600).

    Of a credential of systemd's the group's right to read is its mask, and is allowed.

    Args:
        path: the file, or ``file:PATH``.

    Raises:
        KeyFileError: it is missing, no file, of another size or open to others, or it holds only zeros.
    """
    path = path_of(str(path))
    try:
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such file: `python -m host.boards key FILE` makes a key") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise KeyFileError(f"{path} is {what}: a key is a file of {KEY_BYTES} bytes")
        if os.name == "posix" and status.st_mode & (0o037 if _is_credential(path) else 0o077):
            mode = f"{stat.S_IMODE(status.st_mode):o}"
            raise KeyFileError(f"{path}: others than its owner may use this key (mode {mode}): chmod 600 it")
        secret = os.read(opened, KEY_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(opened)
    if len(secret) != KEY_BYTES or status.st_size != KEY_BYTES:
        raise KeyFileError(f"{path} has {status.st_size} bytes: a key has {KEY_BYTES}")
    if not any(secret):
        raise KeyFileError(f"{path} holds only zeros: a key is random")
    return Key(secret, str(path))


def make_key(path: str | Path) -> Key:
    """Write a new random key to a file that does not exist yet, with mode 600. Raises KeyFileError."""
    path = path_of(str(path))
    key = Key.random(str(path))
    try:
        write_new(key.secret, path, mode=0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} exists: a key is not written over") from None
    except OSError as error:
        raise cannot_write(path, error, KeyFileError) from None
    return key


def _unreadable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{path}: cannot be read ({error.strerror or error})")
