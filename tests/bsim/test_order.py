"""Order, expiry and accounting on the real stack."""

from __future__ import annotations

from pathlib import Path

from host.wire import Link, LinkState, Picture, Statistics, StatisticsRequest
from tests.bsim.bsim_scene import Scene, Source, attenuated, picture, scene

IN_FLIGHT_DEFAULT = 3
FILL_IMAGE = 200


def _balance(statistics: Statistics) -> None:
    s = statistics
    assert s.accepted == s.sent + s.expired + s.evicted + s.flushed + s.waiting, s


def _drain(boards: Scene, wait_s: float = 60.0) -> None:
    """Until the camera's queue and radio are empty and nothing more comes out at the edge."""
    clock = boards.camera.clock
    end_s = clock.now_s + wait_s
    while clock.now_s < end_s:
        state = boards.camera.statistics()
        quiet = len(boards.edge.heard)
        boards.pump_for(0.3)
        if state.waiting == 0 and state.sent == state.acked + state.lost and len(boards.edge.heard) == quiet:
            return
    raise AssertionError(f"still under way: {state}")


def test_rank_0_overtakes_all_but_what_is_in_flight(program: Path, tmp_path: Path) -> None:
    """The board says how many packets it had handed to its radio just before rank 0 came in on the serial port; rank 0
    arrives next after those, and the one or two that left while its frame was read (0.8 ms at 3 Mbaud)."""
    handed_meanwhile: list[int] = []
    with scene(tmp_path, program, board=["-baud=3000000"]) as boards:
        assert boards.camera.greet().in_flight == IN_FLIGHT_DEFAULT
        arrived: list[int] = []
        boards.edge.on_packet = lambda packet: arrived.append(packet.rank) if isinstance(packet, Picture) else None
        given = 0
        for image in range(20):
            while (credit := boards.camera.credit) is None or credit.waiting < 40:
                boards.camera.say(*(picture(FILL_IMAGE, 100 + (given + k) % 100) for k in range(8)))
                given += 8
                boards.pump(0.001)
            boards.camera.heard.clear()
            boards.camera.say(StatisticsRequest(), picture(image, 0))
            before = boards.camera.until(Statistics)
            assert before.waiting > 20
            while arrived.count(0) <= image:
                boards.pump(0.001)
            position = max(at for at, rank in enumerate(arrived) if rank == 0)
            assert before.sent - before.acked <= IN_FLIGHT_DEFAULT
            handed_meanwhile.append(position - before.sent)
    assert all(count <= 2 for count in handed_meanwhile), handed_meanwhile


def test_the_stack_never_holds_more_packets_than_it_may(program: Path, tmp_path: Path) -> None:
    """The camera is asked before the edge, so what was handed out but has not arrived is all inside the stack."""
    with scene(tmp_path, program, board=["-baud=3000000"]) as boards:
        source = Source(boards.camera)
        inside: list[int] = []
        while source.given < 3000:
            source.fill()
            boards.pump(0.001)
            boards.camera.heard.clear()
            camera = boards.camera.statistics()
            edge = boards.edge.statistics()
            assert camera.sent - camera.acked <= IN_FLIGHT_DEFAULT
            assert camera.acked <= edge.accepted
            inside.append(camera.sent - edge.accepted)
    assert max(inside) <= IN_FLIGHT_DEFAULT, max(inside)
    assert len(inside) > 100


def test_rank_0_enters_the_air_behind_at_most_the_packets_in_flight(program: Path, tmp_path: Path) -> None:
    """One burst, worst rank first; just before rank 0 the board is asked what has left: only that, and the
    one or two that left while its frame was read, arrive before it."""
    with scene(tmp_path, program, board=["-baud=3000000"]) as boards:
        for image in range(10):
            boards.edge.heard.clear()
            others = [picture(image, rank) for rank in range(40, 20, -1)]
            boards.camera.heard.clear()
            boards.camera.say(*others, StatisticsRequest(), picture(image, 0))
            before = boards.camera.until(Statistics)
            left = before.sent - image * (len(others) + 1)
            assert before.sent - before.acked <= IN_FLIGHT_DEFAULT
            ranks = [boards.edge.until(Picture).rank for _ in range(len(others) + 1)]
            assert sorted(ranks) == sorted([0, *(p.rank for p in others)])
            first = ranks.index(0)
            tail = ranks[first + 1 :]
            assert tail == sorted(tail), "what waited with rank 0 left in the order of rank"
            assert left <= first <= left + 2


def test_a_packet_past_its_deadline_never_arrives(program: Path, tmp_path: Path) -> None:
    with scene(tmp_path, program, board=["-baud=3000000"]) as boards:
        # They come in at 0.8 ms each and leave at 1.5: the wait soon is longer than the 15 ms that they have left.
        boards.camera.say(*(picture(1, rank, remaining_ms=15) for rank in range(120)))
        _drain(boards)
        arrived = [p for p in boards.edge.heard if isinstance(p, Picture)]
        assert arrived
        assert all(p.remaining_ms >= 1 for p in arrived)
        camera, edge = boards.camera.statistics(), boards.edge.statistics()
        assert camera.expired > 10
        assert camera.sent + camera.expired == 120
        assert camera.sent == edge.accepted
        assert edge.sent + edge.expired == edge.accepted
        assert len(arrived) == edge.sent


def test_accounts_add_up_through_loss_disconnect_and_reconnection(program: Path, tmp_path: Path) -> None:
    """130 dB between 4 s and 12 s, and an attenuation that damages packets before and after."""
    table = "0 60\n3000000 60\n3000001 93\n4000000 93\n4000001 130\n12000000 130\n12000001 60\n600000000 60\n"
    with scene(tmp_path, program, board=["-baud=3000000"], air=attenuated(tmp_path, table)) as boards:
        delivered: list[Picture] = []
        boards.edge.on_packet = lambda packet: delivered.append(packet) if isinstance(packet, Picture) else None
        source = Source(boards.camera)
        down_s = up_s = 0.0
        back_ms = 0
        while not back_ms or source.given < 4000:
            source.fill()
            boards.pump()
            for packet in boards.camera.heard:
                if isinstance(packet, Link) and packet.state == LinkState.DOWN:
                    down_s = boards.camera.clock.now_s
                if isinstance(packet, Link) and packet.state == LinkState.UP and down_s and not up_s:
                    up_s = boards.camera.clock.now_s
            boards.camera.heard.clear()
            boards.edge.heard.clear()
            if up_s and not back_ms:
                back_ms = boards.camera.statistics().uptime_ms
            assert boards.camera.clock.now_s - down_s < 90 or not down_s
        _drain(boards)
        camera, edge = boards.camera.statistics(), boards.edge.statistics()
    _balance(camera)
    _balance(edge)
    assert camera.accepted == source.given
    assert camera.sent == camera.acked + camera.lost
    assert camera.lost > 0
    assert camera.acked <= edge.accepted <= camera.sent
    assert len(delivered) == edge.sent
    assert back_ms < 12_000 + 2_000
    for packet in delivered:
        assert packet.data == picture(packet.image, packet.rank).data
    keys = [(p.image, p.rank) for p in delivered]
    assert len(set(keys)) == len(keys)
