/* Connections of a board at their edges: when the radio is woken, what a hello changes, what the air may say. */
#include "rig.h"

static struct rig rig;

static void air_hello(uint32_t now_us, uint8_t peer)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_BOARD};
	pnc_board_radio_rx(&rig.board, now_us, peer, packet, pnc_hello_write(&hello, packet));
}

/* Hand a picture of `codec_bytes` over at `now_us`; return the length of what the radio got. */
static size_t send_picture(uint32_t now_us, uint8_t codec_bytes)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_picture(&rig, now_us, (struct picture){.remaining_ms = 60000, .codec_bytes = codec_bytes});
	return pnc_board_radio_tx(&rig.board, now_us, 0, packet);
}

static uint32_t goodput_bps(uint32_t now_us)
{
	struct pnc_statistics statistics;
	RIG_SAY(&rig, now_us, statistics_request, .peer = 0);
	rig_hear(&rig, now_us);
	RIG_READ(&rig, statistics, STATISTICS, &statistics);
	return statistics.goodput_bps;
}

TEST(test_a_wider_mtu_than_needed_carries_pictures)
{
	const struct pnc_radio_link wide = {.interval_us = 7500, .mtu = 498, .phy = PNC_PHY_LE_2M};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_up(&rig.board, 0, 0, &wide);
	CHECK(send_picture(0, 1) > 0);
}

TEST(test_a_connection_that_ended_before_our_hello_left_wakes_nobody)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
	CHECK_EQ(rig.wakes, 1);
	pnc_board_radio_down(&rig.board, 0, 0, 8);
	rig.wakes = 0;
	pnc_board_tick(&rig.board, 0);
	CHECK_EQ(rig.wakes, 0);
	uint8_t packet[PNC_MAX_PACKET];
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), 0);
}

TEST(test_a_picture_wakes_nobody_before_the_hello_of_the_board_across)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
	pnc_board_radio_sent(&rig.board, 0, 0);
	rig_hear(&rig, 0);
	rig.wakes = 0;
	CHECK_EQ(send_picture(0, 1), 0);
	CHECK_EQ(rig.wakes, 0);
	air_hello(0, 0);
	CHECK(rig.wakes > 0);
}

TEST(test_a_picture_for_a_host_that_is_not_there_wakes_nobody)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 1000};
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_connect(&rig, 0, 0);
	rig.wakes = 0;
	pnc_board_radio_rx(&rig.board, 0, 0, packet, picture_write(&p, packet));
	CHECK_EQ(rig.board.queue.waiting, 1);
	CHECK_EQ(rig.wakes, 0);
}

TEST(test_a_refused_board_wakes_nobody_until_it_speaks_our_version)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION + 1u, .kind = PNC_KIND_BOARD};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_hello_write(&hello, packet));
	rig_hear(&rig, 0);
	rig.wakes = 0;
	CHECK_EQ(send_picture(0, 1), 0);
	CHECK_EQ(rig.wakes, 0);
	air_hello(0, 0);
	CHECK_EQ(rig.board.peers[0].state, PNC_LINK_STATE_UP);
	CHECK(rig.wakes > 0);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
}

TEST(test_an_answer_for_a_peer_whose_window_is_full_wakes_nobody)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_EDGE);
	rig_connect(&rig, 0, 1);
	RIG_SAY(&rig, 0, result, .peer = 1, .image = 1);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 1, packet) > 0);
	RIG_SAY(&rig, 0, result, .peer = 1, .image = 2);
	rig_hear(&rig, 0);
	rig.wakes = 0;
	pnc_board_tick(&rig.board, 0);
	CHECK_EQ(rig.wakes, 0);
	pnc_board_radio_sent(&rig.board, 0, 1);
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_a_second_hello_of_the_board_across_is_no_change)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	air_hello(0, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_a_new_connection_starts_without_goodput)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	CHECK(send_picture(0, 100) > 0);
	pnc_board_radio_sent(&rig.board, 0, 0);
	pnc_board_tick(&rig.board, 1000 * MS);
	CHECK_EQ(goodput_bps(1000 * MS), 800);
	pnc_board_radio_down(&rig.board, 1500 * MS, 0, 8);
	rig_connect(&rig, 1500 * MS, 0);
	CHECK_EQ(goodput_bps(1500 * MS), 0);
	CHECK(send_picture(1500 * MS, 100) > 0);
	pnc_board_radio_sent(&rig.board, 1500 * MS, 0);
	pnc_board_tick(&rig.board, 2499 * MS);
	CHECK_EQ(goodput_bps(2499 * MS), 0);
	pnc_board_tick(&rig.board, 2500 * MS);
	CHECK_EQ(goodput_bps(2500 * MS), 800);
}

TEST(test_the_packets_of_an_event_are_as_many_as_the_radio_says)
{
	struct pnc_radio_link link = rig_link;
	link.event_packets = 2;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_up(&rig.board, 0, 0, &link);
	CHECK(send_picture(0, 1) > 0);
	CHECK(send_picture(0, 1) > 0);
	CHECK_EQ(send_picture(0, 1), 0);
}

TEST(test_a_hello_that_is_cut_refuses_nobody)
{
	static const uint8_t hello[] = {PNC_TYPE_HELLO, 0, PNC_VERSION + 1u};
	rig_ready(&rig, PNC_ROLE_EDGE);
	for (size_t len = 1; len <= 2; len++) {
		pnc_board_radio_rx(&rig.board, 0, 0, hello, len);
		CHECK_EQ(rig.board.unknown, len);
		CHECK_EQ(rig.board.peers[0].state, PNC_LINK_STATE_UP);
	}
	pnc_board_radio_rx(&rig.board, 0, 0, hello, 3);
	CHECK_EQ(rig.board.peers[0].state, PNC_LINK_STATE_REFUSED);
}

TEST(test_what_the_air_cuts_short_is_unknown_and_what_is_whole_is_not)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_ping ping = {.hop = PNC_HOP_PEER_HOST};
	struct picture p = {.remaining_ms = 100};
	rig_ready(&rig, PNC_ROLE_EDGE);
	size_t len = pnc_ping_write(&ping, packet);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, len);
	CHECK_EQ(rig.board.unknown, 0);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, len - 1u);
	CHECK_EQ(rig.board.unknown, 1);
	len = picture_write(&p, packet);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, len);
	CHECK_EQ(rig.board.unknown, 1);
	for (size_t cut = 1; cut < len; cut++) {
		pnc_board_radio_rx(&rig.board, 0, 0, packet, cut);
		CHECK_EQ(rig.board.unknown, 1u + cut);
	}
	CHECK_EQ(rig.board.queue.totals.accepted, 1);
	pnc_board_radio_rx(&rig.board, 0, 0, NULL, 0);
	CHECK_EQ(rig.board.unknown, 1u + len);
}

TEST(test_an_answer_that_the_air_cuts_short_is_unknown)
{
	static const uint8_t types[] = {PNC_TYPE_PONG, PNC_TYPE_RESULT};
	static const size_t sizes[] = {PNC_PONG_SIZE, PNC_RESULT_SIZE};
	for (int i = 0; i < 2; i++) {
		uint8_t packet[PNC_MAX_PACKET] = {types[i]};
		rig_ready(&rig, PNC_ROLE_CAMERA);
		for (size_t len = 1; len < sizes[i]; len++) {
			pnc_board_radio_rx(&rig.board, 0, 0, packet, len);
			CHECK_EQ(rig.board.unknown, len);
		}
		pnc_board_radio_rx(&rig.board, 0, 0, packet, sizes[i]);
		rig_hear(&rig, 0);
		CHECK_EQ(rig.heard_count, 1);
	}
}

static void air_ping(uint8_t hop, size_t cut)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_ping ping = {.hop = hop, .token = 5};
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_ping_write(&ping, packet) - cut);
}

TEST(test_a_ping_is_answered_or_forwarded_or_unknown)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	air_ping(PNC_HOP_PEER_BOARD, 0);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), PNC_PONG_SIZE);
	air_ping(PNC_HOP_PEER_HOST, 0);
	CHECK_EQ(rig.board.unknown, 0);
	CHECK_EQ(rig.board.control.dropped, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PING), 1);
	air_ping(PNC_HOP_PEER_HOST + 1u, 0);
	CHECK_EQ(rig.board.unknown, 1);
	air_ping(PNC_HOP_PEER_BOARD, 0);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), PNC_PONG_SIZE);
	air_ping(PNC_HOP_PEER_BOARD, 1); /* cut: not answered again */
	CHECK_EQ(rig.board.unknown, 2);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_what_a_later_version_adds_to_a_pong_is_forwarded)
{
	uint8_t packet[PNC_MAX_PACKET] = {PNC_TYPE_PONG};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, PNC_PONG_SIZE + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PONG), 1);
	CHECK_EQ(rig.heard[0].len, PNC_PONG_SIZE + 1u);
}

TEST(test_a_refused_board_says_nothing_to_the_host)
{
	static const uint8_t versions[] = {PNC_VERSION - 1u, PNC_VERSION + 1u};
	for (int i = 0; i < 2; i++) {
		uint8_t packet[PNC_MAX_PACKET];
		struct pnc_hello hello = {.version = versions[i], .kind = PNC_KIND_BOARD};
		struct pnc_result result = {.image = 1};
		rig_ready(&rig, PNC_ROLE_CAMERA);
		pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_hello_write(&hello, packet));
		CHECK_EQ(rig.board.peers[0].state, PNC_LINK_STATE_REFUSED);
		pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
		CHECK_EQ(rig.board.unknown, 1);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_RESULT), 0);
	}
}

TEST(test_lost_packets_of_all_connections_are_summed)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (unsigned lost = 1; lost <= 3; lost++) {
		CHECK(send_picture(0, 1) > 0);
		pnc_board_radio_down(&rig.board, 0, 0, 8);
		CHECK_EQ(rig.board.lost, lost);
		rig_connect(&rig, 0, 0);
	}
}

TEST(test_an_acknowledgement_on_an_edge_takes_no_credit_back)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, result, .image = 1);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	pnc_board_radio_sent(&rig.board, 0, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 1);
}

TEST(test_no_credit_is_due_without_a_host)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
	pnc_board_radio_sent(&rig.board, 0, 0);
	CHECK(!rig.board.credit_due);
	pnc_board_radio_down(&rig.board, 0, 0, 8);
	CHECK(!rig.board.credit_due);
}

TEST(test_credit_sums_the_bytes_of_all_acknowledged_packets)
{
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint8_t i = 1; i <= 3; i++) {
		CHECK(send_picture(0, (uint8_t)(10u * i)) > 0);
		pnc_board_radio_sent(&rig.board, 0, 0);
	}
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.acked_packets, 3);
	CHECK_EQ(credit.acked_bytes, 60);
}

TEST(test_an_acknowledgement_brings_a_credit_on_cameras_only)
{
	static const enum pnc_role roles[] = {PNC_ROLE_NONE, PNC_ROLE_CAMERA, PNC_ROLE_EDGE};
	for (int i = 0; i < 3; i++) {
		uint8_t packet[PNC_MAX_PACKET];
		rig_start(&rig, roles[i], 0);
		rig_hello(&rig, 0);
		pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
		CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
		rig_hear(&rig, 0);
		pnc_board_radio_sent(&rig.board, 0, 0);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), roles[i] == PNC_ROLE_CAMERA);
	}
}
