"""The interface of a link for the tests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from host.transport.transport import Transport
from tests.hil.host import Host

#: What a test may need of a link, and why a link may not have it.
NEEDS = {
    "two_boards": "both ends are boards, and both have a queue and an account",
    "air_time": "what the air carries is known, so goodput can be held against it",
    "slow_air": "the air can be made slower than the serial port",
    "disconnect": "the connection can be cut from here",
    "reset": "a board can be reset from here",
    "unplug": "the cable can be pulled from here",
    "pairing": "strangers can be kept out",
}


class OnBoard(Protocol):
    """A program that controls a board."""

    async def reset_board(self) -> None:
        """Reset the board and continue with it."""

    async def leave_and_return(self) -> None:
        """Take the board's role until it has no connection, then restore it."""


class Rig(ABC):
    """A camera board, an edge board (or its substitute) and the radio between them."""

    name: str
    has: frozenset[str]

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow

    @abstractmethod
    async def start(self) -> None:
        """Start the boards, before the first host."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop the boards, after the last host."""

    @abstractmethod
    def camera_transport(self) -> Transport:
        """Return a new transport to the camera board."""

    @abstractmethod
    def edge_transport(self) -> Transport:
        """Return a new transport to the edge board."""

    async def prepare(self, camera: Host, edge: Host) -> None:
        """Prepare the link, with both hosts open."""
        del camera, edge

    async def restore(self, camera: Host, edge: Host) -> None:
        """Restore the link, before the hosts close."""
        del camera, edge

    async def cut(self, edge: OnBoard) -> None:
        """End the connection; it returns by itself. ``edge`` controls the edge board."""
        raise NotImplementedError

    def unplug(self) -> None:
        """Pull the camera board's cable."""
        raise NotImplementedError

    def replug(self) -> None:
        """Plug the camera board's cable in again."""
        raise NotImplementedError

    def strangers(self, camera: Host, edge: Host) -> AbstractAsyncContextManager[None]:
        """Make the edge unknown to the camera board, which then has no connection, until the context ends."""
        raise NotImplementedError

    def limit_bps(self, phy: int, interval_us: int) -> float:
        """Return the goodput limit of the air in whole packets, bit/s."""
        raise NotImplementedError
