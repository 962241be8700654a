"""Every bit of every field that a key protects: flipped, the packet is refused. What hops rewrite may change."""

from __future__ import annotations

import contextlib

import pytest

from host.link.border import Flaw
from host.link.sealing import Proof
from host.wire import MalformedError, Picture, Ping, Pong, Result, parse
from tests.seal.ends import Pair, plain

#: Bits of a picture packet's first byte that no hop may change: program and last rank. Bit 7 makes it a picture.
FLAGS = 0b0111_0000
PEER_AT = 1


def flipped(packet: bytes, bit: int) -> bytes:
    data = bytearray(packet)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def bits_of_a_picture(size: int) -> list[int]:
    """Return the numbers of the protected bits: without source, bit 7 of the flags, and remaining time."""
    return [bit for bit in range(8 * size) if (FLAGS >> bit & 1 if bit < 8 else bit // 8 not in (6, 7))]


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_every_protected_bit_of_a_picture_packet_is_refused_when_flipped(rank: int) -> None:
    size = len(Pair().picture()[rank].pack())
    for bit in bits_of_a_picture(size):
        pair = Pair()
        packets = pair.picture()
        altered = parse(flipped(packets[rank].pack(), bit))
        assert isinstance(altered, Picture)
        opened = pair.open(*packets[:rank], altered, *packets[rank + 1 :])
        # Where a forged packet of the same picture waits for the first one, the others wait, too.
        expected = [] if rank == 0 and altered.rank else [each for each in (0, 1, 2) if each != rank]
        assert [each.rank for each in opened] == expected, f"bit {bit}"
        again = pair.open(*packets)  # the sound packet is still taken: an altered one does no harm
        assert sorted(each.rank for each in opened + again) == [0, 1, 2], f"bit {bit}"


def test_a_flipped_bit_of_a_later_packet_is_counted() -> None:
    pair = Pair()
    first, second, _ = pair.picture()
    pair.open(first)
    data_bits = [bit for bit in bits_of_a_picture(len(second.pack())) if bit >= 64]
    for bit in data_bits:
        assert pair.open(parse(flipped(second.pack(), bit))) == []  # type: ignore[arg-type]
    assert pair.flaws == {Flaw.SEALED_PICTURE: len(data_bits)}


def test_bit_7_of_the_flags_makes_it_no_picture() -> None:
    for packet in Pair().picture():
        with contextlib.suppress(MalformedError):
            assert not isinstance(parse(flipped(packet.pack(), 7)), Picture)


def test_remaining_time_may_change_and_another_source_has_no_session() -> None:
    for bit in [*range(4), *range(48, 64)]:
        pair = Pair()
        altered = [parse(flipped(packet.pack(), bit)) for packet in pair.picture()]
        opened = pair.open(*altered)  # type: ignore[arg-type]
        assert len(opened) == (0 if bit < 4 else 3), f"bit {bit}"
        assert all(each.data == plain(rank=each.rank).data for each in opened)


def test_every_bit_of_a_result_but_the_peer_is_refused_when_flipped() -> None:
    pair = Pair()
    seal, packets = pair.sealed()
    pair.open(*packets)
    result = Result(image=7, program=2, more=1, margin_ms=5, service_us=6, ranks=b"\7" + bytes(31), text=b"a cat")
    sealed = pair.server.result(result)
    assert sealed is not None
    assert b"cat" not in sealed.pack()
    assert seal.open(sealed) == result
    data = sealed.pack()
    for bit in range(8, 8 * len(data)):
        altered = Result.unpack(flipped(data, bit))
        opened = seal.open(altered)
        assert (opened is not None) == (bit // 8 == PEER_AT), f"bit {bit}"


def test_every_bit_of_a_ping_and_a_pong_but_the_peer_is_refused_when_flipped() -> None:
    pair = Pair()
    ping = pair.camera.ping(Ping(hop=2, token=9, origin_us=8))
    _, pong = pair.server.pong(ping, Pong(hop=2, token=9, origin_us=8, held_us=1, service_us=2, clock_us=3))
    assert pair.camera.pong(pong) is Proof.SAME_KEY
    for bit in range(8, 8 * len(ping.pack())):
        proof, _ = pair.server.pong(Ping.unpack(flipped(ping.pack(), bit)), Pong())
        assert (proof is Proof.SAME_KEY) == (bit // 8 == PEER_AT), f"bit {bit} of the ping"
    for bit in range(8, 8 * len(pong.pack())):
        proof = pair.camera.pong(Pong.unpack(flipped(pong.pack(), bit)))
        assert (proof is Proof.SAME_KEY) == (bit // 8 == PEER_AT), f"bit {bit} of the pong"


def test_a_packet_cut_anywhere_is_refused() -> None:
    for rank in (0, 1):
        data = Pair().picture()[rank].pack()
        for length in range(9, len(data)):
            pair = Pair()
            packets = pair.picture()
            cut = Picture.unpack(packets[rank].pack()[:length])
            assert rank not in [each.rank for each in pair.open(*packets[:rank], cut)]
