"""Packets from the camera arrive at the edge: every size, in order, in time, counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host.wire import (
    MAX_CODEC_BYTES,
    VERSION,
    ErrorCode,
    Flush,
    Hello,
    Hop,
    Kind,
    LinkState,
    Ping,
    Pong,
    Role,
    Statistics,
)
from tests.hil.host import Host, picture
from tests.hil.needs import needs

Figure = Callable[[str, str], None]


def adds_up(account: Statistics) -> bool:
    """accepted = sent + expired + evicted + flushed + waiting."""
    dropped = account.expired + account.evicted + account.flushed
    return account.accepted == account.sent + dropped + account.waiting


async def test_both_boards_say_who_they_are(camera: Host, edge: Host, figure: Figure) -> None:
    for host, role in ((camera, Role.CAMERA), (edge, Role.EDGE)):
        hello = await host.greet()
        assert (hello.version, hello.kind, hello.role) == (VERSION, Kind.BOARD, role)
        assert hello.slots > 0
        assert hello.in_flight > 0
        figure(f"firmware of the {role.name.lower()}", ".".join(map(str, hello.firmware)))


async def test_a_packet_of_every_size_arrives_unchanged(camera: Host, edge: Host) -> None:
    await camera.greet()
    sizes = range(1, MAX_CODEC_BYTES + 1)
    await camera.offer([picture(size % 256, 0, size=size) for size in sizes])
    await edge.until(lambda: len(edge.pictures()) >= len(sizes))
    # Of one rank the earlier deadline goes first, and deadlines are known to the millisecond: neighbours may swap.
    arrived = sorted((packet.data for packet in edge.pictures()), key=len)
    assert arrived == [picture(size % 256, 0, size=size).data for size in sizes]


async def test_every_hop_answers_a_ping(camera: Host, edge: Host, figure: Figure) -> None:
    for hop in (Hop.BOARD, Hop.PEER_BOARD):
        pong = await camera.ask(Ping(hop=hop, token=7 + hop, origin_us=9), Pong)
        assert (pong.hop, pong.token, pong.origin_us) == (hop, 7 + hop, 9)
    at = len(edge.heard)
    camera.send(Ping(hop=Hop.PEER_HOST, token=77, origin_us=5))
    ping = await edge.hear(Ping, since=at)
    at = len(camera.heard)
    edge.send(Pong(hop=ping.hop, token=ping.token, origin_us=ping.origin_us, service_us=123, peer=ping.peer))
    pong = await camera.hear(Pong, since=at)
    assert (pong.hop, pong.token, pong.origin_us, pong.service_us) == (Hop.PEER_HOST, 77, 5, 123)
    figure("ping across the link held", f"{pong.held_us} us")


async def test_packets_of_an_image_arrive_in_the_order_of_their_ranks(camera: Host, edge: Host) -> None:
    await camera.offer([picture(1, rank) for rank in range(100)])
    await edge.until(lambda: len(edge.pictures()) == 100)
    ranks = [packet.rank for packet in edge.pictures()]
    # A packet that the radio had already goes before a better one that came later; here they come in order.
    assert ranks == sorted(ranks)


@needs("slow_air")
async def test_the_most_important_packet_overtakes_those_that_wait(camera: Host, edge: Host) -> None:
    hello = await camera.greet()
    await camera.offer([picture(1, 200, remaining_ms=60_000) for _ in range(30)])
    await camera.until(lambda: camera.credit is not None and camera.credit.taken == 30)
    waiting = camera.credit.waiting if camera.credit is not None else 0
    assert waiting > hello.in_flight
    await camera.offer([picture(1, 0)])
    await edge.until(lambda: len(edge.pictures()) == 31)
    place = [packet.rank for packet in edge.pictures()].index(0)
    assert place < 30 - 5  # before most of those that waited
    camera.send(Flush(all=1))


@needs("slow_air")
async def test_what_is_past_its_deadline_is_dropped_and_counted(camera: Host, edge: Host, figure: Figure) -> None:
    before = await camera.statistics()
    await camera.offer([picture(2, rank, remaining_ms=400) for rank in range(60)])
    await camera.until(lambda: camera.settled)
    account = await camera.statistics()
    expired = account.expired - before.expired
    assert adds_up(account)
    assert expired > 0
    assert account.accepted - before.accepted == 60
    assert account.sent - before.sent == 60 - expired
    assert len(edge.pictures()) <= 60 - expired
    assert all(packet.remaining_ms > 0 for packet in edge.pictures())
    figure("of 60 with 400 ms left, expired", str(expired))


@needs("two_boards")
async def test_both_boards_accounts_add_up(camera: Host, edge: Host) -> None:
    before = await camera.statistics(), await edge.statistics()
    await camera.offer([picture(3, rank) for rank in range(200)])
    await edge.until(lambda: len(edge.pictures()) == 200)
    await camera.until(lambda: camera.settled)
    after = await camera.statistics(), await edge.statistics()
    for one, other in zip(before, after, strict=True):
        assert adds_up(other)
        assert other.accepted - one.accepted == 200
        assert other.sent - one.sent == 200
        assert other.damaged == one.damaged
    assert after[0].acked - before[0].acked == 200
    assert after[0].link == LinkState.UP


@needs("slow_air")
async def test_flush_drops_what_waits_at_once(camera: Host, edge: Host) -> None:
    before = await camera.statistics()
    await camera.offer([picture(4, rank) for rank in range(40)])
    await camera.until(lambda: camera.credit is not None and camera.credit.taken >= 40)
    camera.send(Flush(image=4))
    await camera.until(lambda: camera.settled)
    account = await camera.statistics()
    flushed = account.flushed - before.flushed
    assert flushed > 0
    assert adds_up(account)
    assert len(edge.pictures()) <= 40 - flushed


async def test_credits_are_never_overrun_and_without_credit_the_worst_goes(camera: Host) -> None:
    await camera.greet()
    before = await camera.statistics()
    await camera.offer([picture(5, rank % 256, remaining_ms=65_000) for rank in range(300)])
    assert not [error for error in camera.errors if error.code == ErrorCode.OVERRUN]
    account = await camera.statistics()
    assert account.evicted == before.evicted
    assert all(credit.free >= 0 and credit.waiting + credit.free <= 64 for credit in camera.credits)


async def test_a_hello_of_another_version_is_refused(camera: Host) -> None:
    camera.send(Hello(version=VERSION + 1, kind=Kind.HOST, session=1))
    await camera.until(lambda: any(error.code == ErrorCode.VERSION for error in camera.errors))
    camera.send(picture(6, 0))
    await camera.until(lambda: any(error.code == ErrorCode.NOT_READY for error in camera.errors))
    await camera.greet()


@pytest.mark.parametrize(
    "noise", [b"\x00" * 300, b"\xff" * 1000, bytes(range(256)) * 8], ids=["zeros", "ones", "counts"]
)
async def test_garbage_on_the_serial_port_does_not_stop_the_service(camera: Host, edge: Host, noise: bytes) -> None:
    camera.transport.write(noise)
    camera.transport.write(b"\0")
    await camera.greet()
    await camera.offer([picture(7, rank) for rank in range(20)])
    await edge.until(lambda: len(edge.pictures()) == 20)
