"""What a link is to the tests."""

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
    """A program on a board's port."""

    async def reset_board(self) -> None:
        """Reset the board, and go on with it."""

    async def leave_and_return(self) -> None:
        """Take the board's role until it is connected to nobody, and give it back."""


class Rig(ABC):
    """A camera board, an edge board (or what stands for it) and the air between."""

    name: str
    has: frozenset[str]

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow

    @abstractmethod
    async def start(self) -> None:
        """Before the first host."""

    @abstractmethod
    async def stop(self) -> None:
        """After the last host."""

    @abstractmethod
    def camera_port(self) -> Transport:
        """The camera board's port; a new object for every host."""

    @abstractmethod
    def edge_port(self) -> Transport:
        """The port behind which the edge board is."""

    async def prepare(self, camera: Host, edge: Host) -> None:
        """With both hosts on their ports: whatever the link still needs."""
        del camera, edge

    async def restore(self, camera: Host, edge: Host) -> None:
        """Before they leave."""
        del camera, edge

    async def cut(self, edge: OnBoard) -> None:
        """End the connection; it comes back by itself. ``edge`` is who has the edge board's port."""
        raise NotImplementedError

    def unplug(self) -> None:
        """Pull the camera board's cable."""
        raise NotImplementedError

    def replug(self) -> None:
        """Plug it in again."""
        raise NotImplementedError

    def strangers(self, camera: Host, edge: Host) -> AbstractAsyncContextManager[None]:
        """As long as it lasts, the edge is a stranger to the camera board, which is connected to nobody."""
        raise NotImplementedError

    def limit_bps(self, phy: int, interval_us: int) -> float:
        """Goodput in whole packets that the air allows, bit/s."""
        raise NotImplementedError
