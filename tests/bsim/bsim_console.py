"""A host's end of a serial port without any policy: what the test says goes to the board, what it says is kept."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from host.link.channel import Channel
from host.wire import (
    VERSION,
    Configure,
    Control,
    Credit,
    Hello,
    Kind,
    Link,
    LinkState,
    Pair,
    Pairing,
    Picture,
    Role,
    Statistics,
    StatisticsRequest,
)
from tests.bsim.sim_clock import STEP_US, WallClock, clock_of

Packet = Picture | Control
_Kind = TypeVar("_Kind")
_READ = 65536


class BoardGoneError(Exception):
    """Nobody is behind the port any more."""


class Console:
    """One open port. ``heard`` holds the packets of the board, in order; ``on_packet`` sees each as it comes;
    ``links_up`` counts the reports of a connection that is up. All waits are measured by ``clock``, and while the
    console waits it lets that time pass: simulated time at a simulated board."""

    def __init__(self, path: Path) -> None:
        self.clock = clock_of(path)
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self.channel = Channel()
        self.credit: Credit | None = None
        self.heard: list[Packet] = []
        self.links_up = 0
        self.on_packet: Callable[[Packet], None] = lambda _: None
        self._unwritten = b""

    def close(self) -> None:
        """Close the port."""
        os.close(self._fd)

    def say(self, *packets: Packet) -> None:
        """Send packets, each in a frame."""
        for packet in packets:
            self.channel.write(0, packet)
        self.pump(0)

    def write(self, data: bytes) -> None:
        """Send bytes that need not be frames."""
        self._unwritten += self.channel.output() + data
        self.pump(0)

    @property
    def unwritten(self) -> int:
        """Bytes that the port has not taken yet."""
        return len(self._unwritten)

    def pump(self, wait_s: float = 0.05) -> None:
        """Write what waits, read what came, for at most that long or until something came."""
        clock = self.clock
        if isinstance(clock, WallClock):
            self._exchange(wait_s)
            return
        until_us = clock.now_us + round(wait_s * 1e6)
        while not self._exchange(0) and clock.now_us < until_us:
            clock.advance(min(STEP_US, until_us - clock.now_us))

    def _exchange(self, wait_s: float) -> bool:
        """Write and read what can be, after waiting in real time; return True if something came."""
        self._unwritten += self.channel.output()
        writing = [self._fd] if self._unwritten else []
        readable, writable, _ = select.select([self._fd], writing, [], wait_s)
        data = b""
        try:
            if writable:
                with contextlib.suppress(BlockingIOError):
                    self._unwritten = self._unwritten[os.write(self._fd, self._unwritten) :]
            if readable:
                data = os.read(self._fd, _READ)
        except OSError as error:
            if error.errno == errno.EIO:
                raise BoardGoneError from error
            raise
        if readable and not data:
            raise BoardGoneError
        for packet in self.channel.receive(data):
            self._take(packet)
        return bool(data)

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Credit):
            self.credit = packet
            self.channel.confirm(packet, lost=lambda _: None)
        self.links_up += isinstance(packet, Link) and packet.state == LinkState.UP
        self.heard.append(packet)
        self.on_packet(packet)

    def until(
        self, kind: type[_Kind], fits: Callable[[_Kind], bool] = lambda _: True, *, wait_s: float = 30.0
    ) -> _Kind:
        """Wait for a packet, and forget what came before it; AssertionError if none comes."""
        end_s = self.clock.now_s + wait_s
        seen: list[Any] = []
        while self.clock.now_s < end_s:
            while self.heard:
                packet = self.heard.pop(0)
                seen.append(packet)
                if isinstance(packet, kind) and fits(packet):
                    return packet
            self.pump()
        raise AssertionError(f"no such {kind.__name__} in {wait_s:g} s; heard {[type(p).__name__ for p in seen]}")

    def greet(self) -> Hello:
        """Open a session; returns the board's hello."""
        hello = Hello(version=VERSION, kind=Kind.HOST, session=1, name=b"test")
        for _ in range(50):
            self.say(hello)
            try:
                return self.until(Hello, wait_s=0.5)
            except AssertionError:
                continue
        raise AssertionError("the board does not answer hello")

    def configure(self, role: Role, **fields: int) -> Hello:
        """Give the board a role; returns its hello."""
        self.say(Configure(role=role, **{"tx_power_dbm": 127, **fields}))  # type: ignore[arg-type]
        return self.until(Hello, lambda hello: hello.role == role)

    def link_up(self, *, peer: int = 0, wait_s: float = 60.0) -> Link:
        """Wait for a connection that carries whole packets."""
        return self.until(
            Link, lambda link: link.state == LinkState.UP and link.peer == peer and link.mtu >= 247, wait_s=wait_s
        )

    def pairing(self, pair: Pair) -> Pairing:
        """Ask for who may pair; returns the answer."""
        self.pump(0)
        self.heard.clear()
        self.say(pair)
        return self.until(Pairing)

    def statistics(self, peer: int = 0) -> Statistics:
        """Ask for the board's account."""
        self.say(StatisticsRequest(peer=peer))
        return self.until(Statistics)


def appears(port: Path, wait_s: float) -> Console:
    """Open a port as soon as it is there; AssertionError if it does not come."""
    clock = clock_of(port)
    end_s = clock.now_s + wait_s
    while not port.is_symlink():
        assert clock.now_s < end_s, f"no {port.name}"
        clock.advance(5 * STEP_US)
    return Console(port)
