"""Serial ports: bytes in order; a port that cannot be opened is named, with the cause and a reason."""

from __future__ import annotations

import asyncio
import errno
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.errors import Reason
from host.transport import serial_port
from host.transport.serial_port import SerialTransport
from host.transport.transport import TransportError

BAUD = 115_200


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """Return a pseudo-terminal: its master, and the path of its slave."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_bytes_go_both_ways_in_order(terminal: tuple[int, str]) -> None:
    master, path = terminal

    async def run() -> tuple[bytes, bytes]:
        port = SerialTransport(path, BAUD)
        await port.open()
        os.write(master, bytes(range(256)))
        got = b""
        while len(got) < 256:
            got += await port.read()
        for k in range(64):
            port.write(bytes([k]) * 16)
        there = b""
        while len(there) < 1024:
            there += await asyncio.to_thread(os.read, master, 4096)
        await port.close()
        return got, there

    got, there = asyncio.run(run())
    assert got == bytes(range(256))
    assert there == b"".join(bytes([k]) * 16 for k in range(64))


def test_a_port_in_use_is_refused_and_free_again_after_close(terminal: tuple[int, str]) -> None:
    _, path = terminal

    async def run() -> None:
        first, second = SerialTransport(path, BAUD), SerialTransport(path, BAUD)
        await first.open()
        with pytest.raises(TransportError, match=f"^{path}: in use by another program$") as error:
            await second.open()
        assert error.value.reason is Reason.PORT_BUSY
        await first.close()
        await second.open()
        await second.close()

    asyncio.run(run())


def test_ports_that_are_none_are_refused_by_name_and_cause(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no port")
    for name, words, reason in [
        (str(tmp_path / "none"), "no such port$", Reason.PORT_MISSING),
        (str(file), "not a serial port$", Reason.OTHER),
        (str(tmp_path), "", Reason.OTHER),
    ]:
        with pytest.raises(TransportError, match=f"^{name}: .*{words}") as error:
            asyncio.run(SerialTransport(name).open())
        assert "\n" not in str(error.value)
        assert error.value.reason is reason


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (OSError(errno.EACCES, "Permission denied"), "no permission", Reason.PORT_DENIED),
        (OSError(errno.EBUSY, "Device or resource busy"), "in use by another program", Reason.PORT_BUSY),
        (OSError(errno.ENODEV, "No such device"), "unplugged?", Reason.PORT_LOST),
        (RuntimeError("first line\nsecond line"), "first line", Reason.OTHER),
    ],
)
def test_each_cause_has_its_words_and_reason(error: Exception, cause: str, reason: Reason) -> None:
    assert serial_port._cause(error) == (cause, reason)


def test_writing_to_a_port_that_is_not_open_does_nothing() -> None:
    SerialTransport("nowhere").write(b"x")
