"""A computer's clock that is set back while a ping is under way costs that ping, and no later picture."""

from __future__ import annotations

from host.link.border import Flaw
from host.wire import Hop, Ping, Pong
from tests.link.desk import ROUND_TRIP_US, SERVICE_US, SenderDesk, ranked


def test_a_clock_set_back_during_a_ping_makes_no_round_trip_of_an_hour() -> None:
    desk = SenderDesk()
    desk.ready()
    desk.wait(1_000_000)
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    known = desk.sender.server.least_us
    desk.now_us -= 500_000
    desk.say(
        Pong(
            hop=Hop.PEER_HOST,
            token=ping.token,
            origin_us=ping.origin_us,
            service_us=SERVICE_US,
            clock_us=desk.clock_us(ROUND_TRIP_US // 2),
        )
    )
    assert desk.sender.session.channel.border.counts == {Flaw.PONG_ORIGIN: 1}
    assert desk.sender.server.least_us == known
    assert desk.sender.server.least_one_way_us == ROUND_TRIP_US / 2


def test_a_sender_that_first_hears_a_pong_with_its_clock_set_back_is_not_ready() -> None:
    desk = SenderDesk()
    desk.open()
    desk.credit()
    desk.at(desk.now_us)
    (ping,) = [packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST]
    desk.pong(ping, round_trip_us=-500_000, clock_us=0)
    assert not desk.sender.ready
    desk.wait(700_000)
    desk.credit()
    desk.at(desk.now_us)
    desk.pong([packet for packet in desk.heard(Ping) if packet.hop == Hop.PEER_HOST][-1])
    assert desk.sender.ready
    assert desk.sender.submit(desk.now_us, ranked(1), desk.now_us + 300_000) is not None
