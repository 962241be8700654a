/* What boards do over the air, and two of them back to back. */
#include "rig.h"

static struct rig camera;
static struct rig edge;

static size_t air_tx(struct rig *r, uint32_t now_us, uint8_t *packet)
{
	return pnc_board_radio_tx(&r->board, now_us, 0, packet);
}

/* The first byte of the next packet for the air; -1 if none. It is acknowledged at once. */
static int next_over_air(struct rig *r, uint32_t now_us)
{
	uint8_t packet[PNC_MAX_PACKET];
	if (air_tx(r, now_us, packet) == 0) {
		return -1;
	}
	pnc_board_radio_sent(&r->board, now_us, 0);
	return packet[0];
}

#define AIR_SAY(r, now_us, peer_, name, ...)                                                                           \
	do {                                                                                                           \
		uint8_t air_packet[PNC_MAX_PACKET];                                                                    \
		struct pnc_##name air_value = {__VA_ARGS__};                                                           \
		pnc_board_radio_rx(&(r)->board, now_us, peer_, air_packet,                                             \
				   pnc_##name##_write(&air_value, air_packet));                                        \
	} while (0)

/* Carries packets between camera and edge (as its peer `peer`) until both are silent. */
static void carry(uint32_t now_us, uint8_t peer)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len;
	bool more = true;
	while (more) {
		more = false;
		while ((len = air_tx(&camera, now_us, packet)) > 0) {
			pnc_board_radio_sent(&camera.board, now_us, 0);
			pnc_board_radio_rx(&edge.board, now_us, peer, packet, len);
			more = true;
		}
		while ((len = pnc_board_radio_tx(&edge.board, now_us, peer, packet)) > 0) {
			pnc_board_radio_sent(&edge.board, now_us, peer);
			pnc_board_radio_rx(&camera.board, now_us, 0, packet, len);
			more = true;
		}
	}
}

/* Two boards with hosts, joined by a radio. */
static void join(uint8_t peer)
{
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_start(&edge, PNC_ROLE_EDGE, 0);
	rig_hello(&camera, 0);
	rig_hello(&edge, 0);
	pnc_board_radio_up(&camera.board, 0, 0, &rig_link);
	pnc_board_radio_up(&edge.board, 0, peer, &rig_link);
	carry(0, peer);
	rig_hear(&camera, 0);
	rig_hear(&edge, 0);
}

TEST(test_a_picture_wakes_the_radio_unless_it_is_full)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&camera, PNC_ROLE_CAMERA);
	for (uint8_t i = 0; i < 4; i++) {
		camera.wakes = 0;
		rig_picture(&camera, 0, (struct picture){.rank = i, .remaining_ms = 100});
		CHECK(camera.wakes > 0);
		CHECK(air_tx(&camera, 0, packet) > 0);
	}
	camera.wakes = 0;
	rig_picture(&camera, 0, (struct picture){.rank = 4, .remaining_ms = 100});
	CHECK_EQ(camera.wakes, 0);
	pnc_board_radio_sent(&camera.board, 0, 0);
	CHECK(camera.wakes > 0);
	CHECK(air_tx(&camera, 0, packet) > 0);
}

TEST(test_the_host_is_told_when_the_radio_finds_an_expired_picture)
{
	rig_ready(&camera, PNC_ROLE_CAMERA);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 10});
	camera.wakes = 0;
	CHECK_EQ(next_over_air(&camera, 10 * MS), -1);
	CHECK_EQ(camera.wakes, 1);
	rig_hear(&camera, 10 * MS);
	CHECK_EQ(rig_count(&camera, PNC_TYPE_CREDIT), 1);
}

TEST(test_a_camera_sends_pictures_to_its_first_peer_alone)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_hello(&camera, 0);
	rig_connect(&camera, 0, 1);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(pnc_board_radio_tx(&camera.board, 0, 1, packet), 0);
}

TEST(test_credit_of_an_edge_speaks_of_no_link)
{
	struct pnc_credit credit;
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&edge, PNC_ROLE_EDGE);
	RIG_SAY(&edge, 0, result, .image = 1);
	CHECK(air_tx(&edge, 0, packet) > 0);
	RIG_SAY(&edge, 0, flush, .image = 1);
	rig_hear(&edge, 0);
	RIG_READ(&edge, credit, CREDIT, &credit);
	CHECK_EQ(credit.in_radio, 0);
	CHECK_EQ(credit.link, PNC_LINK_STATE_DOWN);
}

TEST(test_control_for_a_board_that_turns_out_to_be_another_version_makes_room)
{
	rig_ready(&edge, PNC_ROLE_EDGE);
	RIG_SAY(&edge, 0, result, .image = 1);
	AIR_SAY(&edge, 0, 0, hello, .version = PNC_VERSION + 1u);
	CHECK_EQ(edge.board.control.to_radio, 0);
	CHECK_EQ(next_over_air(&edge, 0), -1);
}

TEST(test_our_hello_goes_first_and_nothing_follows_before_theirs)
{
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_hello(&camera, 0);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(next_over_air(&camera, 0), -1);
	pnc_board_radio_up(&camera.board, 0, 0, &rig_link);
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_HELLO);
	CHECK_EQ(next_over_air(&camera, 0), -1);
	AIR_SAY(&camera, 0, 0, hello, .version = PNC_VERSION, .kind = PNC_KIND_BOARD);
	CHECK_EQ(next_over_air(&camera, 0), PNC_PICTURE_FLAGS_PICTURE);
}

TEST(test_a_hello_that_arrives_before_the_radio_is_reported_up_counts)
{
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_hello(&camera, 0);
	AIR_SAY(&camera, 0, 0, hello, .version = PNC_VERSION, .kind = PNC_KIND_BOARD);
	CHECK_EQ(camera.board.peers[0].state, PNC_LINK_STATE_DOWN);
	pnc_board_radio_up(&camera.board, 0, 0, &rig_link);
	CHECK_EQ(camera.board.peers[0].state, PNC_LINK_STATE_UP);
}

TEST(test_a_board_of_another_version_is_refused)
{
	struct pnc_link link;
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_hello(&camera, 0);
	pnc_board_radio_up(&camera.board, 0, 0, &rig_link);
	AIR_SAY(&camera, 0, 0, hello, .version = PNC_VERSION + 1u);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_HELLO);
	CHECK_EQ(next_over_air(&camera, 0), -1);
	rig_hear(&camera, 0);
	RIG_READ(&camera, link, LINK, &link);
	CHECK_EQ(link.state, PNC_LINK_STATE_REFUSED);
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_BOARD);
	rig_hear(&camera, 0);
	CHECK_EQ(rig_error(&camera, PNC_ERROR_CODE_NO_LINK), 0);
}

TEST(test_links_are_reported_when_they_come_up_change_and_go_down)
{
	struct pnc_link link;
	struct pnc_radio_link slower = {.interval_us = 50000, .mtu = 247, .phy = PNC_PHY_LE_1M};
	rig_ready(&camera, PNC_ROLE_CAMERA);
	pnc_board_radio_up(&camera.board, 0, 0, &slower);
	rig_hear(&camera, 0);
	RIG_READ(&camera, link, LINK, &link);
	CHECK_EQ(link.state, PNC_LINK_STATE_UP);
	CHECK_EQ(link.interval_us, 50000);
	CHECK_EQ(link.phy, PNC_PHY_LE_1M);
	pnc_board_radio_down(&camera.board, 0, 0, 0x08);
	rig_hear(&camera, 0);
	RIG_READ(&camera, link, LINK, &link);
	CHECK_EQ(link.state, PNC_LINK_STATE_DOWN);
	CHECK_EQ(link.reason, 0x08);
	pnc_board_radio_down(&camera.board, 0, 0, 0x08);
	rig_hear(&camera, 0);
	CHECK_EQ(rig_count(&camera, PNC_TYPE_LINK), 0);
	rig_connect(&camera, 0, 0);
	rig_hear(&camera, 0);
	RIG_READ(&camera, link, LINK, &link);
	CHECK_EQ(link.state, PNC_LINK_STATE_UP);
	CHECK_EQ(link.reason, 0);
}

TEST(test_pictures_arrive_in_order_with_their_source)
{
	join(5);
	for (int i = 0; i < 10; i++) {
		rig_picture(&camera, 0,
			    (struct picture){.source = 9,
					     .rank = (uint8_t)(9 - i),
					     .position = 7,
					     .remaining_ms = 100,
					     .codec_bytes = 236});
	}
	carry(10 * MS, 5);
	rig_hear(&edge, 25 * MS);
	CHECK_EQ(edge.heard_count, 10);
	for (uint8_t i = 0; i < 10; i++) {
		struct picture p = picture_read(edge.heard[i].packet, edge.heard[i].len);
		CHECK_EQ(p.source, 5);
		CHECK_EQ(p.rank, i);
		CHECK_EQ(p.remaining_ms, 75);
		CHECK_EQ(p.codec_bytes, 236);
	}
	rig_check_accounts(&camera);
	rig_check_accounts(&edge);
	CHECK_EQ(camera.board.acked, 10);
}

TEST(test_control_goes_over_the_air_before_pictures)
{
	rig_ready(&camera, PNC_ROLE_CAMERA);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 100});
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_HOST);
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_PING);
	CHECK_EQ(next_over_air(&camera, 0), PNC_PICTURE_FLAGS_PICTURE);
}

TEST(test_each_hop_answers_its_own_ping)
{
	struct pnc_pong pong;
	struct pnc_ping ping;
	join(2);
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_BOARD, .token = 1, .origin_us = 10);
	rig_hear(&camera, 0);
	RIG_READ(&camera, pong, PONG, &pong);
	CHECK_EQ(pong.hop, PNC_HOP_BOARD);
	CHECK_EQ(pong.token, 1);
	CHECK_EQ(pong.origin_us, 10);

	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_BOARD, .token = 2);
	carry(0, 2);
	rig_hear(&camera, 0);
	rig_hear(&edge, 0);
	RIG_READ(&camera, pong, PONG, &pong);
	CHECK_EQ(pong.hop, PNC_HOP_PEER_BOARD);
	CHECK_EQ(pong.token, 2);
	CHECK_EQ(edge.heard_count, 0);

	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_HOST, .token = 3);
	carry(0, 2);
	rig_hear(&edge, 0);
	RIG_READ(&edge, ping, PING, &ping);
	CHECK_EQ(ping.peer, 2);
	CHECK_EQ(ping.token, 3);
	RIG_SAY(&edge, 0, pong, .peer = 2, .hop = PNC_HOP_PEER_HOST, .token = 3, .service_us = 5000);
	carry(0, 2);
	rig_hear(&camera, 0);
	RIG_READ(&camera, pong, PONG, &pong);
	CHECK_EQ(pong.peer, 0);
	CHECK_EQ(pong.service_us, 5000);
}

TEST(test_a_result_reaches_the_camera_it_names)
{
	struct pnc_result result;
	static const uint8_t text[] = "answer";
	join(3);
	RIG_SAY(&edge, 0, result, .peer = 3, .image = 42, .margin_ms = -5, .text = text, .text_len = 6);
	carry(0, 3);
	rig_hear(&camera, 0);
	RIG_READ(&camera, result, RESULT, &result);
	CHECK_EQ(result.image, 42);
	CHECK_EQ(result.margin_ms, -5);
	CHECK_EQ(result.peer, 0);
	CHECK_BYTES(result.text, result.text_len, text, 6);
}

TEST(test_the_air_does_not_command_a_board)
{
	static const enum pnc_role roles[] = {PNC_ROLE_CAMERA, PNC_ROLE_EDGE};
	for (int i = 0; i < 2; i++) {
		rig_ready(&camera, roles[i]);
		uint32_t unknown = 0;
		for (unsigned first = 0; first < 256; first++) {
			uint8_t packet[PNC_MAX_PACKET] = {(uint8_t)first, 0, PNC_ROLE_EDGE};
			bool picture = (first & 0x80u) != 0;
			if (first == PNC_TYPE_HELLO || first == PNC_TYPE_PING || first == PNC_TYPE_PONG ||
			    first == PNC_TYPE_RESULT || (picture && roles[i] == PNC_ROLE_EDGE)) {
				continue;
			}
			pnc_board_radio_rx(&camera.board, 0, 0, packet, sizeof(packet));
			CHECK_EQ(camera.board.unknown, ++unknown);
		}
		AIR_SAY(&camera, 0, 0, ping, .hop = PNC_HOP_BOARD);
		CHECK_EQ(camera.board.unknown, unknown + 1u);
		rig_hear(&camera, 0);
		CHECK_EQ(camera.heard_count, 0);
		CHECK_EQ(camera.configure_calls + camera.pair_calls + camera.reset_calls, 0);
		CHECK_EQ(camera.board.queue.totals.accepted, 0);
		CHECK_EQ(next_over_air(&camera, 0), -1);
	}
}

TEST(test_pictures_that_are_malformed_on_the_air_are_counted_as_unknown)
{
	uint8_t packet[PNC_MAX_PACKET] = {PNC_PICTURE_FLAGS_PICTURE};
	rig_ready(&edge, PNC_ROLE_EDGE);
	pnc_board_radio_rx(&edge.board, 0, 0, packet, PNC_PICTURE_HEADER);
	pnc_board_radio_rx(&edge.board, 0, 0, packet, 0);
	pnc_board_radio_rx(&edge.board, 0, 0, packet, 100000);
	pnc_board_radio_rx(&edge.board, 0, PNC_PEERS, packet, 20);
	pnc_board_radio_rx(&edge.board, 0, 1, packet, 20);
	CHECK_EQ(edge.board.unknown, 5);
	CHECK_EQ(edge.board.queue.totals.accepted, 0);
}

TEST(test_the_program_of_a_picture_crosses_both_boards)
{
	join(5);
	for (uint8_t program = 0; program < 4; program++) {
		rig_picture(&camera, 0, (struct picture){.program = program, .image = 0xFFFE, .remaining_ms = 100});
		carry(0, 5);
		rig_hear(&edge, 0);
		uint8_t flags = (uint8_t)(PNC_PICTURE_FLAGS_PICTURE | (unsigned)program << 4 | 5u);
		CHECK_EQ(rig_count(&edge, flags), 1);
		const struct heard *h = rig_find(&edge, flags, 0);
		CHECK_EQ(picture_read(h->packet, h->len).image, 0xFFFE);
	}
}

TEST(test_never_more_in_the_radio_than_allowed)
{
	uint8_t packet[PNC_MAX_PACKET];
	uint32_t random = 3;
	rig_ready(&camera, PNC_ROLE_CAMERA);
	unsigned in_radio = 0;
	unsigned full = 0;
	for (int i = 0; i < 20000; i++) {
		uint32_t choice = check_random(&random) % 4u;
		if (choice == 0) {
			rig_picture(&camera, 0, (struct picture){.rank = (uint8_t)i, .remaining_ms = 1000});
		} else if (choice == 1) {
			RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_HOST);
		} else if (choice == 2) {
			in_radio += air_tx(&camera, 0, packet) > 0;
			full += in_radio == 4;
		} else if (in_radio > 0) {
			pnc_board_radio_sent(&camera.board, 0, 0);
			in_radio--;
		}
		CHECK(in_radio <= 4);
		CHECK_EQ(camera.board.peers[0].tx_window.count, in_radio);
	}
	CHECK(full > 100);
}

/* Remaining time on the air of a picture that the host gave `remaining_ms`, sent now. */
static unsigned aired_ms(uint32_t now_us, uint16_t remaining_ms)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_picture(&camera, now_us, (struct picture){.remaining_ms = remaining_ms});
	CHECK(air_tx(&camera, now_us, packet) > 0);
	return pnc_get16(packet + PNC_PICTURE_REMAINING_AT);
}

TEST(test_a_slow_radio_takes_its_time_from_the_remaining_time_but_half_at_most)
{
	uint32_t now_us = 0;
	rig_ready(&camera, PNC_ROLE_CAMERA);
	uint32_t usual_ms = 2u * camera.board.peers[0].link.interval_us / 1000u;
	CHECK_EQ(aired_ms(now_us, 1000), 1000);
	for (int i = 0; i < 40; i++) {
		now_us += 100000u;
		pnc_board_radio_sent(&camera.board, now_us, 0);
		unsigned left_ms = aired_ms(now_us, 1000);
		CHECK(left_ms <= 1000u && left_ms >= 1000u - 100u + usual_ms);
		CHECK(i < 39 || left_ms <= 1000u - 100u + usual_ms + 1u);
	}
	now_us += 100000u;
	pnc_board_radio_sent(&camera.board, now_us, 0);
	CHECK_EQ(aired_ms(now_us, 40), 20);
}

TEST(test_an_in_flight_beyond_what_the_core_can_hold_is_cut)
{
	static const uint8_t asked[] = {0, 1, PNC_IN_FLIGHT_MAX, 200};
	static const uint8_t given[] = {1, 1, PNC_IN_FLIGHT_MAX, PNC_IN_FLIGHT_MAX};
	for (int i = 0; i < 4; i++) {
		struct pnc_board_identity identity = {.role = PNC_ROLE_CAMERA, .in_flight = asked[i]};
		pnc_board_init(&camera.board, &identity, &rig_ops, &camera, 0);
		CHECK_EQ(camera.board.identity.in_flight, given[i]);
	}
}

TEST(test_pictures_wait_until_a_full_one_fits)
{
	struct pnc_radio_link narrow = {.interval_us = 7500, .mtu = PNC_MAX_PACKET + 2u, .phy = PNC_PHY_LE_1M};
	rig_ready(&camera, PNC_ROLE_CAMERA);
	pnc_board_radio_up(&camera.board, 0, 0, &narrow);
	rig_picture(&camera, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(next_over_air(&camera, 0), -1);
	narrow.mtu++;
	unsigned wakes = camera.wakes;
	pnc_board_radio_up(&camera.board, 0, 0, &narrow);
	CHECK(camera.wakes > wakes);
	CHECK_EQ(next_over_air(&camera, 0), PNC_PICTURE_FLAGS_PICTURE);
}

TEST(test_hello_waits_until_it_fits_and_long_control_is_dropped)
{
	struct pnc_radio_link narrow = {.interval_us = 7500, .mtu = 23, .phy = PNC_PHY_LE_1M};
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_hello(&camera, 0);
	pnc_board_radio_up(&camera.board, 0, 0, &narrow);
	CHECK_EQ(next_over_air(&camera, 0), -1);
	AIR_SAY(&camera, 0, 0, hello, .version = PNC_VERSION, .kind = PNC_KIND_BOARD);
	narrow.mtu = 40;
	pnc_board_radio_up(&camera.board, 0, 0, &narrow);
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_HELLO);
	RIG_SAY(&camera, 0, result, .image = 1);
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_BOARD);
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_PING);
	CHECK_EQ(camera.board.control.dropped, 1);
}

TEST(test_a_broken_connection_loses_what_was_in_the_radio_and_nothing_else)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&camera, PNC_ROLE_CAMERA);
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_HOST);
	for (uint8_t i = 0; i < 10; i++) {
		rig_picture(&camera, 0, (struct picture){.rank = i, .remaining_ms = 100});
	}
	for (int i = 0; i < 4; i++) {
		CHECK(air_tx(&camera, 0, packet) > 0);
	}
	RIG_SAY(&camera, 0, ping, .hop = PNC_HOP_PEER_HOST);
	pnc_board_radio_down(&camera.board, 0, 0, 8);
	CHECK_EQ(camera.board.lost, 3);
	CHECK_EQ(camera.board.queue.waiting, 7);
	CHECK_EQ(camera.board.control.to_radio, 0);
	CHECK_EQ(next_over_air(&camera, 0), -1);
	pnc_board_radio_sent(&camera.board, 0, 0);
	CHECK_EQ(camera.board.acked, 0);
	rig_connect(&camera, 5 * MS, 0);
	CHECK_EQ(air_tx(&camera, 5 * MS, packet), PNC_PICTURE_HEADER + 1u);
	CHECK_EQ(packet[PNC_PICTURE_RANK_AT], 3);
	CHECK_EQ(pnc_get16(packet + PNC_PICTURE_REMAINING_AT), 95);
	pnc_board_tick(&camera.board, 100 * MS);
	CHECK_EQ(camera.board.queue.totals.expired, 6);
	rig_check_accounts(&camera);
}

TEST(test_an_edge_keeps_what_it_received_when_the_camera_goes)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 100};
	rig_ready(&edge, PNC_ROLE_EDGE);
	pnc_board_radio_rx(&edge.board, 0, 0, packet, picture_write(&p, packet));
	pnc_board_radio_down(&edge.board, 0, 0, 8);
	rig_hear(&edge, 0);
	CHECK_EQ(rig_count(&edge, PNC_PICTURE_FLAGS_PICTURE), 1);
}

TEST(test_nothing_leaves_either_board_after_its_deadline)
{
	join(0);
	rig_picture(&camera, 0, (struct picture){.rank = 0, .remaining_ms = 10});
	rig_picture(&camera, 0, (struct picture){.rank = 1, .remaining_ms = 30});
	carry(20 * MS, 0);
	CHECK_EQ(camera.board.queue.totals.expired, 1);
	CHECK_EQ(camera.board.queue.totals.sent, 1);
	rig_hear(&edge, 31 * MS);
	CHECK_EQ(rig_count(&edge, PNC_PICTURE_FLAGS_PICTURE), 0);
	CHECK_EQ(edge.board.queue.totals.expired, 1);
}

TEST(test_busy_time_is_counted_while_the_link_could_work)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&camera, PNC_ROLE_CAMERA);
	pnc_board_tick(&camera.board, 100 * MS);
	CHECK_EQ(camera.board.busy_us, 0);
	rig_picture(&camera, 200 * MS, (struct picture){.remaining_ms = 1000});
	CHECK(air_tx(&camera, 210 * MS, packet) > 0);
	pnc_board_radio_sent(&camera.board, 217 * MS, 0);
	pnc_board_tick(&camera.board, 300 * MS);
	CHECK_EQ(camera.board.busy_us, 17 * MS);
	rig_picture(&camera, 300 * MS, (struct picture){.remaining_ms = 1000});
	pnc_board_radio_down(&camera.board, 305 * MS, 0, 8);
	pnc_board_tick(&camera.board, 400 * MS);
	CHECK_EQ(camera.board.busy_us, 22 * MS);
	rig_connect(&camera, 500 * MS, 0);
	pnc_board_serial_closed(&camera.board, 501 * MS);
	pnc_board_tick(&camera.board, 600 * MS);
	CHECK_EQ(camera.board.busy_us, 23 * MS);
}

TEST(test_busy_time_counts_across_the_wrap_of_the_clock)
{
	const uint32_t start_us = UINT32_MAX - 10 * MS;
	rig_start(&camera, PNC_ROLE_CAMERA, start_us);
	rig_hello(&camera, start_us);
	rig_connect(&camera, start_us, 0);
	rig_picture(&camera, start_us, (struct picture){.remaining_ms = 1000});
	for (uint32_t passed_us = 0; passed_us <= 100 * MS; passed_us += 20 * MS) {
		pnc_board_tick(&camera.board, start_us + passed_us);
	}
	CHECK_EQ(camera.board.busy_us, 100 * MS);
	CHECK_EQ(camera.board.queue.waiting, 1);
}

TEST(test_eight_cameras_share_one_edge)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_statistics s;
	unsigned seen[PNC_PEERS] = {0};
	rig_start(&edge, PNC_ROLE_EDGE, 0);
	rig_hello(&edge, 0);
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		rig_connect(&edge, 0, peer);
	}
	rig_hear(&edge, 0);
	CHECK_EQ(rig_count(&edge, PNC_TYPE_LINK), PNC_PEERS);
	for (uint8_t rank = 0; rank < 8; rank++) {
		for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
			struct picture p = {.image = 1, .rank = rank, .remaining_ms = 100};
			pnc_board_radio_rx(&edge.board, 0, peer, packet, picture_write(&p, packet));
		}
	}
	RIG_SAY(&edge, 0, flush, .peer = 2, .image = 1);
	RIG_SAY(&edge, 0, statistics_request, .peer = 7);
	pnc_board_radio_down(&edge.board, 0, 4, 8);
	rig_hear(&edge, 0);
	RIG_READ(&edge, statistics, STATISTICS, &s);
	CHECK_EQ(s.peer, 7);
	CHECK_EQ(s.links, PNC_PEERS - 1u);
	CHECK_EQ(s.rssi_dbm, -47);
	int last_rank = 0;
	for (size_t i = 0; i < edge.heard_count; i++) {
		const struct heard *h = &edge.heard[i];
		if ((h->packet[0] & 0x80u) != 0) {
			struct picture p = picture_read(h->packet, h->len);
			CHECK(p.rank >= last_rank);
			last_rank = p.rank;
			seen[p.source]++;
		}
	}
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		CHECK_EQ(seen[peer], peer == 2 ? 0 : 8);
	}
	rig_check_accounts(&edge);
}

static uint32_t goodput_bps(struct rig *r, uint32_t now_us, uint8_t peer)
{
	struct pnc_statistics s;
	RIG_SAY(r, now_us, statistics_request, .peer = peer);
	rig_hear(r, now_us);
	RIG_READ(r, statistics, STATISTICS, &s);
	return s.goodput_bps;
}

TEST(test_goodput_is_what_was_acknowledged_or_received_in_the_last_second)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&camera, PNC_ROLE_CAMERA);
	rig_ready(&edge, PNC_ROLE_EDGE);
	rig_connect(&edge, 0, 3);
	for (uint32_t now_ms = 0; now_ms < 1000; now_ms += 10) {
		rig_picture(&camera, now_ms * MS, (struct picture){.remaining_ms = 100, .codec_bytes = 200});
		size_t len = pnc_board_radio_tx(&camera.board, now_ms * MS, 0, packet);
		CHECK(len > 0);
		pnc_board_radio_rx(&edge.board, now_ms * MS, 3, packet, len);
		pnc_board_radio_sent(&camera.board, now_ms * MS, 0);
		pnc_board_tick(&camera.board, now_ms * MS);
		pnc_board_tick(&edge.board, now_ms * MS);
	}
	CHECK_EQ(goodput_bps(&camera, 999 * MS, 0), 0); /* the second is not over */
	for (uint32_t now_ms = 1000; now_ms < 2000; now_ms += 50) {
		pnc_board_tick(&camera.board, now_ms * MS);
		pnc_board_tick(&edge.board, now_ms * MS);
		CHECK_EQ(goodput_bps(&camera, now_ms * MS, 0), 100 * 200 * 8);
		CHECK_EQ(goodput_bps(&edge, now_ms * MS, 3), 100 * 200 * 8);
		CHECK_EQ(goodput_bps(&edge, now_ms * MS, 0), 0);
	}
	pnc_board_tick(&camera.board, 2000 * MS);
	CHECK_EQ(goodput_bps(&camera, 2000 * MS, 0), 0);
}

TEST(test_goodput_does_not_wrap)
{
	struct pnc_goodput g;
	pnc_goodput_init(&g, UINT32_MAX);
	for (int i = 0; i < 100000; i++) {
		pnc_goodput_add(&g, PNC_MAX_CODEC_BYTES);
	}
	pnc_goodput_tick(&g, 1000 * MS - 1u);
	CHECK(g.bps > 4000000);
}

TEST(test_an_answer_without_a_host_is_dropped_and_counted)
{
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	rig_connect(&camera, 0, 0);
	AIR_SAY(&camera, 0, 0, pong, .token = 1);
	AIR_SAY(&camera, 0, 0, ping, .hop = PNC_HOP_PEER_HOST);
	CHECK_EQ(camera.board.control.dropped, 2);
	AIR_SAY(&camera, 0, 0, ping, .hop = PNC_HOP_PEER_BOARD);
	CHECK_EQ(next_over_air(&camera, 0), PNC_TYPE_PONG);
}

TEST(test_pulling_only_when_woken_delivers_everything)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len;
	uint32_t random = 11;
	unsigned arrived = 0;
	unsigned sent = 0;
	join(1);
	camera.wakes = 0;
	edge.wakes = 0;
	for (uint32_t now_us = MS; now_us < 2000 * MS; now_us += MS) {
		if (sent < 300 && check_random(&random) % 3u == 0) {
			rig_picture(&camera, now_us, (struct picture){.rank = (uint8_t)sent++, .remaining_ms = 60000});
		}
		if (camera.wakes > 0) {
			camera.wakes = 0;
			rig_hear(&camera, now_us);
			while ((len = air_tx(&camera, now_us, packet)) > 0) {
				pnc_board_radio_rx(&edge.board, now_us, 1, packet, len);
			}
		}
		if (check_random(&random) % 2u == 0) {
			pnc_board_radio_sent(&camera.board, now_us, 0);
		}
		if (edge.wakes > 0) {
			edge.wakes = 0;
			rig_hear(&edge, now_us);
			arrived += (unsigned)rig_count(&edge, 0x81);
		}
	}
	CHECK_EQ(sent, 300);
	CHECK_EQ(arrived, 300);
}
