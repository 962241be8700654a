"""The firmware's core in this process: pairing requests in one chunk, and its number of connections."""

from __future__ import annotations

import asyncio

import pytest

from host.board.core import PEERS, BoardCore
from host.board.in_process import InProcessBoard
from host.link.frames import FrameReader, write_frame
from host.wire import VERSION, Control, Hello, Kind, Pair, PairAction, Pairing, Role, parse


def serial(board: BoardCore, *packets: Control) -> list[object]:
    """Write packets to a board in one chunk and return its answers."""
    chunk = b"".join(write_frame(seq, packet.pack()) for seq, packet in enumerate(packets))
    board.serial_rx(0, chunk)
    return [parse(frame.packet) for frame in FrameReader().feed(board.serial_tx(0, 4096))]


def test_each_pairing_request_of_a_chunk_takes_effect() -> None:
    board = BoardCore("camera", board_id=1, session=1, role=Role.CAMERA, on_configure=lambda _: True, on_wake=list)
    hello = Hello(version=VERSION, kind=Kind.HOST, session=1)
    opened = serial(board, hello, Pair(action=PairAction.OPEN, window_s=9))
    assert [(packet.open, packet.left_s) for packet in opened if isinstance(packet, Pairing)] == [(1, 9)]
    closed = serial(board, hello, Pair(action=PairAction.CLOSE), Pair(action=PairAction.REPORT))
    assert [packet.open for packet in closed if isinstance(packet, Pairing)] == [0]


def test_a_board_has_no_more_connections_than_the_compiled_core() -> None:
    async def carry(_peer: int, _packet: bytes) -> None:
        pass

    async def make(peers: int) -> InProcessBoard:
        return InProcessBoard("edge", Role.EDGE, carry, on_reset=list, peers=peers)

    assert asyncio.run(make(PEERS)).name == "edge"
    with pytest.raises(ValueError, match=f"{PEERS + 1} peers"):
        asyncio.run(make(PEERS + 1))
