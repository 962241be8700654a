/* What a board does for the host at its serial port. */
#include "rig.h"

static struct rig rig;

static void say_bytes(const uint8_t *bytes, size_t len)
{
	pnc_board_serial_rx(&rig.board, 0, bytes, len);
}

TEST(test_a_board_says_nothing_before_a_host_does)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	pnc_board_tick(&rig.board, 900 * MS);
	rig_hear(&rig, 900 * MS);
	CHECK_EQ(rig.heard_count, 0);
	CHECK_EQ(rig.wakes, 0);
}

TEST(test_hello_is_answered_by_hello_then_credit)
{
	struct pnc_hello hello;
	struct pnc_credit credit;
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig.seq = 200;
	rig_hello(&rig, 0);
	CHECK(rig.wakes > 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
	CHECK_EQ(rig.heard[1].packet[0], PNC_TYPE_CREDIT);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.version, PNC_VERSION);
	CHECK_EQ(hello.kind, PNC_KIND_BOARD);
	CHECK_EQ(hello.role, PNC_ROLE_CAMERA);
	CHECK_EQ(hello.slots, PNC_QUEUE_SLOTS);
	CHECK_EQ(hello.in_flight, 4);
	CHECK_EQ(hello.session, 77);
	CHECK_EQ(hello.board_id, 0x1122334455667788);
	CHECK_BYTES(hello.name, hello.name_len, "rig", 3);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.next_seq, 201);
	CHECK_EQ(credit.missing, 0);
	CHECK_EQ(credit.free, PNC_QUEUE_SLOTS);
	CHECK_EQ(credit.link, PNC_LINK_STATE_DOWN);
}

TEST(test_hello_counts_the_sessions_of_hosts_from_a_number_that_differs_at_each_start)
{
	struct pnc_hello hello;
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	for (unsigned sessions = 1; sessions < 300; sessions++) {
		rig_hello(&rig, 0);
		rig_hear(&rig, 0);
		RIG_READ(&rig, hello, HELLO, &hello);
		CHECK_EQ(hello.sessions, (uint8_t)(77u + sessions));
	}
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION + 1u);
	rig_hear(&rig, 0);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.sessions, (uint8_t)(77u + 299u));
	const struct pnc_board_identity identity = {.session = 0xABCDu, .in_flight = 4};
	rig_start_as(&rig, &identity, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.sessions, 0xCE);
}

TEST(test_another_version_is_refused_and_the_session_stays_closed)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_VERSION), PNC_VERSION);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), PNC_ROLE_CAMERA);
	CHECK_EQ(rig.board.queue.totals.accepted, 0);
	static const uint8_t shorter_than_ours[] = {PNC_TYPE_HELLO, 0, 9};
	rig_say(&rig, 0, shorter_than_ours, 3);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_VERSION), PNC_VERSION);
}

TEST(test_another_version_ends_a_session_that_was_open)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	RIG_SAY(&rig, 0, hello, .version = 0);
	CHECK_EQ(rig.board.queue.totals.flushed, 1);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PONG), 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), PNC_ROLE_CAMERA);
}

TEST(test_a_hello_too_short_or_of_a_board_is_malformed)
{
	static const uint8_t cut[] = {PNC_TYPE_HELLO, 0, PNC_VERSION, 0};
	for (size_t len = 1; len <= 4; len++) {
		rig_start(&rig, PNC_ROLE_CAMERA, 0);
		rig_say(&rig, 0, cut, len);
		rig_hear(&rig, 0);
		CHECK_EQ(rig.heard_count, 1);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_HELLO);
	}
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION, .kind = PNC_KIND_BOARD);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_HELLO);
}

TEST(test_nothing_is_accepted_before_hello)
{
	for (int first = 0; first < 256; first++) {
		uint8_t packet[PNC_MAX_PACKET] = {(uint8_t)first};
		if (first == PNC_TYPE_HELLO) {
			continue;
		}
		rig_start(&rig, PNC_ROLE_EDGE, 0);
		rig_say(&rig, 0, packet, sizeof(packet));
		rig_hear(&rig, 0);
		CHECK_EQ(rig.heard_count, 1);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), PNC_ROLE_EDGE);
		CHECK_EQ(rig.configure_calls, 0);
	}
}

TEST(test_only_a_camera_takes_pictures_from_its_host)
{
	static const enum pnc_role roles[] = {PNC_ROLE_NONE, PNC_ROLE_EDGE};
	for (int i = 0; i < 2; i++) {
		rig_ready(&rig, roles[i]);
		rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
		rig_hear(&rig, 0);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), roles[i]);
		CHECK_EQ(rig.board.queue.totals.accepted, 0);
	}
}

TEST(test_a_picture_without_codec_bytes_is_malformed)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 100};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	size_t len = picture_write(&p, packet);
	for (size_t cut = 1; cut < len; cut++) {
		rig_say(&rig, 0, packet, cut);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), packet[0]);
	}
	CHECK_EQ(rig.board.queue.totals.accepted, 0);
	CHECK_EQ(rig.board.taken, 0);
}

TEST(test_unknown_types_are_skipped_without_an_error)
{
	uint8_t packet[PNC_MAX_PACKET] = {0};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	uint32_t expected = 0;
	for (unsigned first = 0; first < 256; first++) {
		bool other = (first & 0x80u) == 0 && (first == 0 || first > PNC_TYPE_REPEAT);
		bool not_for_boards = first == PNC_TYPE_CREDIT || first == PNC_TYPE_STATISTICS ||
				      first == PNC_TYPE_LINK || first == PNC_TYPE_LOG || first == PNC_TYPE_ERROR ||
				      first == PNC_TYPE_PAIRING;
		if (other || not_for_boards) {
			packet[0] = (uint8_t)first;
			rig_say(&rig, 0, packet, sizeof(packet));
			expected++;
		}
	}
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 0);
	CHECK_EQ(rig.board.unknown, expected);
	CHECK(expected > 100);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD, .token = 5);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PONG), 1);
}

TEST(test_packets_too_short_are_malformed)
{
	static const struct {
		uint8_t type;
		uint8_t size;
	} cases[] = {{PNC_TYPE_CONFIGURE, PNC_CONFIGURE_SIZE},
		     {PNC_TYPE_FLUSH, PNC_FLUSH_SIZE},
		     {PNC_TYPE_STATISTICS_REQUEST, PNC_STATISTICS_REQUEST_SIZE},
		     {PNC_TYPE_PING, PNC_PING_SIZE},
		     {PNC_TYPE_PONG, PNC_PONG_SIZE},
		     {PNC_TYPE_RESULT, PNC_RESULT_SIZE},
		     {PNC_TYPE_PAIR, PNC_PAIR_SIZE},
		     {PNC_TYPE_RESET, PNC_RESET_SIZE}};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t packet[PNC_MAX_PACKET] = {cases[i].type};
		for (size_t len = 1; len < cases[i].size; len++) {
			rig_say(&rig, 0, packet, len);
			rig_hear(&rig, 0);
			CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), cases[i].type);
		}
	}
	CHECK_EQ(rig.configure_calls + rig.pair_calls + rig.reset_calls, 0);
}

TEST(test_bytes_beyond_the_known_fields_are_ignored)
{
	uint8_t packet[PNC_MAX_PACKET] = {0};
	struct pnc_ping ping = {.hop = PNC_HOP_BOARD, .token = 99};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	(void)pnc_ping_write(&ping, packet);
	rig_say(&rig, 0, packet, sizeof(packet));
	rig_hear(&rig, 0);
	struct pnc_pong pong;
	RIG_READ(&rig, pong, PONG, &pong);
	CHECK_EQ(pong.token, 99);
}

TEST(test_peers_that_cannot_be_are_malformed_or_not_linked)
{
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, statistics_request, .peer = PNC_PEERS);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_STATISTICS_REQUEST);
	RIG_SAY(&rig, 0, flush, .peer = 255);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_FLUSH);
	RIG_SAY(&rig, 0, ping, .peer = 255, .hop = PNC_HOP_PEER_BOARD);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NO_LINK), 255);
	RIG_SAY(&rig, 0, ping, .hop = 3);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_PING);
}

TEST(test_packets_for_a_peer_without_a_link_are_refused)
{
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_hello(&rig, 0);
	RIG_SAY(&rig, 0, result, .peer = 3);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NO_LINK), 3);
	RIG_SAY(&rig, 0, pong, .peer = 2);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NO_LINK), 2);
}

TEST(test_configure_is_applied_and_answered_by_hello)
{
	struct pnc_hello hello;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	RIG_SAY(&rig, 0, configure, .role = PNC_ROLE_CAMERA, .phy = PNC_PHY_CODED_S8, .tx_power_dbm = -8,
		.interval_us = 7500);
	CHECK_EQ(rig.configured.phy, PNC_PHY_CODED_S8);
	CHECK_EQ(rig.configured.tx_power_dbm, -8);
	CHECK_EQ(rig.board.queue.waiting, 1);
	RIG_SAY(&rig, 0, configure, .role = PNC_ROLE_CAMERA, .phy = PNC_PHY_AUTO);
	CHECK_EQ(rig.configured.phy, PNC_PHY_AUTO);
	RIG_SAY(&rig, 0, configure, .role = PNC_ROLE_EDGE, .address_type = 1, .interval_us = 4000000);
	CHECK_EQ(rig.configure_calls, 3);
	CHECK_EQ(rig.board.queue.waiting, 0);
	CHECK_EQ(rig.board.queue.totals.flushed, 1);
	rig_hear(&rig, 0);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.role, PNC_ROLE_EDGE);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 0);
}

TEST(test_an_illegal_configuration_names_its_first_illegal_field)
{
	static const struct {
		struct pnc_configure configure;
		uint32_t field;
	} cases[] = {
		{{.role = 3, .phy = 9}, 0},
		{{.role = 255}, 0},
		{{.role = 1, .phy = 6}, 1},
		{{.role = 2, .address_type = 2, .interval_us = 1}, 3},
		{{.role = 1, .interval_us = 7499}, 5},
		{{.role = 1, .interval_us = 4000001}, 5},
		{{.role = 1, .interval_us = 0xFFFFFFFFu}, 5},
	};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t packet[PNC_MAX_PACKET];
		rig_say(&rig, 0, packet, pnc_configure_write(&cases[i].configure, packet));
		rig_hear(&rig, 0);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_CONFIGURE), cases[i].field);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_HELLO), 0);
	}
	CHECK_EQ(rig.configure_calls, 0);
}

TEST(test_a_configuration_that_the_radio_refuses_changes_nothing)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	rig.radio_refuses = true;
	RIG_SAY(&rig, 0, configure, .role = PNC_ROLE_EDGE);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_CONFIGURE), 255);
	CHECK_EQ(rig.board.identity.role, PNC_ROLE_CAMERA);
	CHECK_EQ(rig.board.queue.waiting, 1);
}

TEST(test_who_may_pair_is_handed_on_and_answered_when_it_is_so)
{
	struct pnc_pairing pairing;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	RIG_SAY(&rig, 0, pair, .action = PNC_PAIR_ACTION_OPEN, .method = PNC_PAIR_METHOD_OUT_OF_BAND, .window_s = 30,
		.random = {1, 2}, .confirm = {3});
	CHECK_EQ(rig.pair_calls, 1);
	CHECK_EQ(rig.paired.window_s, 30);
	CHECK_EQ(rig.paired.random[1], 2);
	CHECK_EQ(rig.paired.confirm[0], 3);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	unsigned wakes = rig.wakes;
	pnc_board_pairing_changed(&rig.board, 0);
	CHECK_EQ(rig.wakes, wakes + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 1);
	RIG_READ(&rig, pairing, PAIRING, &pairing);
	CHECK_EQ(pairing.open, 1);
	CHECK_EQ(pairing.left_s, 30);
	CHECK_EQ(pairing.bonds, 3);
}

TEST(test_the_state_of_pairing_is_for_a_host_in_session_only)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	pnc_board_pairing_changed(&rig.board, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	rig_hello(&rig, 0);
	pnc_board_pairing_changed(&rig.board, 0);
	rig_hello(&rig, 0); /* another host: the state was told to nobody */
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_HELLO), 1);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PAIRING), 0);
}

TEST(test_a_pair_or_reset_that_cannot_be_is_malformed_or_refused)
{
	static const struct pnc_pair pairs[] = {
		{.action = PNC_PAIR_ACTION_FORGET + 1u},
		{.action = PNC_PAIR_ACTION_OPEN, .method = PNC_PAIR_METHOD_OUT_OF_BAND + 1u},
		{.action = PNC_PAIR_ACTION_FORGET, .address_type = 2},
	};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		uint8_t packet[PNC_MAX_PACKET];
		rig_say(&rig, 0, packet, pnc_pair_write(&pairs[i], packet));
		rig_hear(&rig, 0);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_PAIR);
	}
	RIG_SAY(&rig, 0, reset, .kind = PNC_RESET_KIND_BOOTLOADER + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_RESET);
	CHECK_EQ(rig.pair_calls + rig.reset_calls, 0);
	rig.radio_refuses = true;
	RIG_SAY(&rig, 0, pair, .action = PNC_PAIR_ACTION_OPEN);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_REFUSED), PNC_TYPE_PAIR);
	RIG_SAY(&rig, 0, reset, .kind = PNC_RESET_KIND_BOOTLOADER);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_REFUSED), PNC_TYPE_RESET);
}

TEST(test_a_reset_is_asked_for_once_and_not_answered)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	RIG_SAY(&rig, 0, reset, .kind = PNC_RESET_KIND_FIRMWARE);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	CHECK_EQ(rig.reset_calls, 1);
}

TEST(test_a_hello_restarts_the_session)
{
	struct pnc_credit credit;
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint8_t i = 0; i < 6; i++) {
		rig_picture(&rig, 0, (struct picture){.rank = i, .remaining_ms = 100, .codec_bytes = 50});
	}
	for (int i = 0; i < 4; i++) {
		CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
	}
	pnc_board_radio_sent(&rig.board, 0, 0);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.taken, 6);
	CHECK_EQ(credit.acked_packets, 1);
	CHECK_EQ(credit.acked_bytes, 50);
	CHECK_EQ(credit.waiting, 2);
	CHECK_EQ(credit.in_radio, 3);
	CHECK_EQ(credit.link, PNC_LINK_STATE_UP);

	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	rig.seq = 0;
	rig_hello(&rig, 0);
	pnc_board_radio_sent(&rig.board, 0, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PONG), 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_LINK), 1);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.taken, 0);
	CHECK_EQ(credit.waiting, 0);
	CHECK_EQ(credit.acked_packets, 0);
	CHECK_EQ(credit.acked_bytes, 0);
	CHECK_EQ(credit.in_radio, 2);
	CHECK_EQ(credit.missing, 0);
	CHECK_EQ(credit.next_seq, 1);
	CHECK_EQ(rig.board.acked, 2);
	CHECK_EQ(rig.board.queue.totals.flushed, 2);
	CHECK_EQ(rig.board.reader.missed, 0);
	rig_check_accounts(&rig);
}

TEST(test_a_new_host_gets_the_pictures_that_wait_on_an_edge)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 100, .position = 9};
	rig_ready(&rig, PNC_ROLE_EDGE);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, picture_write(&p, packet));
	pnc_board_serial_closed(&rig.board, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	rig_hello(&rig, MS);
	rig_hear(&rig, MS);
	CHECK_EQ(rig_count(&rig, PNC_PICTURE_FLAGS_PICTURE), 1);
}

TEST(test_a_closed_port_flushes_a_camera)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	pnc_board_serial_closed(&rig.board, 0);
	CHECK_EQ(rig.board.queue.totals.flushed, 1);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(rig.board.queue.totals.accepted, 1);
}

TEST(test_a_picture_without_room_is_an_overrun)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (unsigned i = 0; i < PNC_QUEUE_SLOTS; i++) {
		rig_picture(&rig, 0, (struct picture){.rank = 100, .remaining_ms = 100});
	}
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 0);
	rig_picture(&rig, 0, (struct picture){.rank = 101, .remaining_ms = 100});
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_OVERRUN), 101);
	rig_picture(&rig, 0, (struct picture){.rank = 7, .remaining_ms = 100});
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_OVERRUN), 7);
	CHECK_EQ(rig.board.taken, PNC_QUEUE_SLOTS + 2u);
	CHECK_EQ(rig.board.queue.totals.evicted, 2);
	rig_check_accounts(&rig);
}

TEST(test_errors_of_one_kind_are_told_once)
{
	static const uint8_t cut[] = {PNC_TYPE_FLUSH};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (int i = 0; i < 1000; i++) {
		rig_say(&rig, 0, cut, 1);
		RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_PEER_BOARD, .peer = 6);
	}
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 2);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 1);
}

TEST(test_flush_drops_an_image_and_is_answered_by_credit)
{
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint8_t i = 0; i < 9; i++) {
		rig_picture(&rig, 0,
			    (struct picture){.image = (uint16_t)(i % 3 * 256 + 1), .rank = i, .remaining_ms = 100});
	}
	rig_hear(&rig, 0);
	RIG_SAY(&rig, 0, flush, .image = 257);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.waiting, 6);
	RIG_SAY(&rig, 0, flush, .image = 200);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.waiting, 6);
	RIG_SAY(&rig, 0, flush, .image = 200, .all = 1);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.waiting, 0);
	CHECK_EQ(rig.board.queue.totals.flushed, 9);
	RIG_SAY(&rig, 0, flush, .all = 2);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_FLUSH);
}

TEST(test_credit_comes_after_eight_frames)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (int i = 0; i < 7; i++) {
		RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_PEER_HOST);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 0);
	}
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_PEER_HOST);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 1);
}

TEST(test_credit_precedes_the_answer_to_a_ping)
{
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_CREDIT);
	CHECK_EQ(rig.heard[1].packet[0], PNC_TYPE_PONG);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.next_seq, rig.seq);
}

TEST(test_credit_names_a_gap_at_once)
{
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.seq = (uint8_t)(rig.seq + 2u);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_PEER_HOST);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.next_seq, rig.seq);
	CHECK_EQ(credit.missing, 6);
}

TEST(test_credit_reports_damage_at_once)
{
	static const uint8_t bad[] = {9, 9, 0};
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	unsigned wakes = rig.wakes;
	say_bytes(bad, sizeof(bad));
	CHECK(rig.wakes > wakes);
	rig_hear(&rig, 0);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.damaged, 1);
}

TEST(test_credit_is_repeated_while_there_is_work)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	rig_picture(&rig, MS, (struct picture){.remaining_ms = 200});
	rig_hear(&rig, MS);
	unsigned credits = 0;
	for (uint32_t now_us = 2 * MS; now_us < 1000 * MS; now_us += 10 * MS) {
		pnc_board_tick(&rig.board, now_us);
		rig_hear(&rig, now_us);
		credits += (unsigned)rig_count(&rig, PNC_TYPE_CREDIT);
		CHECK(now_us > 250 * MS || credits + 1u >= now_us / (60u * MS));
	}
	CHECK(credits >= 4 && credits <= 5);
	CHECK_EQ(rig.board.queue.totals.expired, 1);
}

TEST(test_a_new_host_does_not_hear_what_was_meant_for_the_last)
{
	static const uint8_t cut[] = {PNC_TYPE_FLUSH};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_say(&rig, 0, cut, 1);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	pnc_board_radio_down(&rig.board, 0, 0, 8);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
	CHECK_EQ(rig.heard[1].packet[0], PNC_TYPE_CREDIT);
}

TEST(test_an_idle_board_is_silent)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	unsigned wakes = rig.wakes;
	for (uint32_t now_us = 0; now_us < 1000 * MS; now_us += 10 * MS) {
		pnc_board_tick(&rig.board, now_us);
	}
	CHECK_EQ(rig.wakes, wakes);
	rig_hear(&rig, 1000 * MS);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_expiry_is_told_in_a_credit)
{
	struct pnc_credit credit;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 20});
	pnc_board_tick(&rig.board, 19 * MS);
	CHECK_EQ(rig.board.queue.waiting, 1);
	pnc_board_tick(&rig.board, 20 * MS);
	rig_hear(&rig, 20 * MS);
	RIG_READ(&rig, credit, CREDIT, &credit);
	CHECK_EQ(credit.waiting, 0);
	CHECK_EQ(credit.taken, 1);
}

TEST(test_urgent_packets_go_to_the_host_first)
{
	static const uint8_t order[] = {PNC_TYPE_HELLO,
					PNC_TYPE_ERROR,
					PNC_TYPE_CREDIT,
					PNC_TYPE_LINK,
					PNC_TYPE_STATISTICS,
					PNC_TYPE_PONG,
					0x80};
	static const uint8_t cut[] = {PNC_TYPE_FLUSH};
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 100};
	rig_ready(&rig, PNC_ROLE_EDGE);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, picture_write(&p, packet));
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
	rig_say(&rig, 0, cut, 1);
	RIG_SAY(&rig, 0, configure, .role = PNC_ROLE_EDGE);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, sizeof(order));
	for (size_t i = 0; i < sizeof(order); i++) {
		CHECK_EQ(rig.heard[i].packet[0], order[i]);
	}
}

TEST(test_frames_come_whole_through_a_port_of_any_width)
{
	uint8_t byte[1];
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	unsigned packets = 0;
	while (pnc_board_serial_tx(&rig.board, 0, byte, 0) == 0 && pnc_board_serial_tx(&rig.board, 0, byte, 1) == 1) {
		packets += pnc_frame_read(&rig.reader, byte[0]) == PNC_FRAME_PACKET;
	}
	CHECK_EQ(packets, 2);
}

TEST(test_statistics_account_for_every_packet_and_name_the_peer)
{
	struct pnc_statistics s;
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint8_t i = 0; i < 70; i++) {
		rig_picture(&rig, 0, (struct picture){.image = i % 2, .rank = i, .remaining_ms = i < 60 ? 90 : 10});
	}
	RIG_SAY(&rig, 0, flush, .image = 1);
	pnc_board_tick(&rig.board, 50 * MS);
	while (pnc_board_radio_tx(&rig.board, 50 * MS, 0, packet) > 0) {
	}
	pnc_board_radio_sent(&rig.board, 50 * MS, 0);
	RIG_SAY(&rig, 60 * MS, statistics_request, .peer = 0);
	rig_hear(&rig, 60 * MS);
	RIG_READ(&rig, statistics, STATISTICS, &s);
	CHECK_EQ(s.accepted, 70);
	CHECK_EQ(s.evicted, 6);
	CHECK_EQ(s.flushed, 32);
	CHECK_EQ(s.expired, 2);
	CHECK_EQ(s.sent, 4);
	CHECK_EQ(s.acked, 1);
	CHECK_EQ(s.waiting, 26);
	CHECK_EQ(s.accepted, s.sent + s.expired + s.evicted + s.flushed + s.waiting);
	CHECK_EQ(s.uptime_ms, 60);
	CHECK_EQ(s.links, 1);
	CHECK_EQ(s.link, PNC_LINK_STATE_UP);
	CHECK_EQ(s.rssi_dbm, -40);
	CHECK_EQ(s.mtu, 247);
	CHECK_EQ(s.interval_us, 7500);
	CHECK_EQ(s.phy, PNC_PHY_LE_2M);
}

TEST(test_a_fault_is_reported_at_once_and_to_every_later_host)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SETTINGS, 1u << 16 | 5u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 0); /* nobody has said hello */
	for (int host = 0; host < 2; host++) {
		rig_hello(&rig, 10 * MS);
		rig_hear(&rig, 10 * MS);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 1);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_SETTINGS), 1u << 16 | 5u);
	}
	pnc_board_fault(&rig.board, 20 * MS, PNC_ERROR_CODE_BONDS_FULL, 1u << 16 | 8u);
	rig_hear(&rig, 20 * MS);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_BONDS_FULL), 1u << 16 | 8u);
}

TEST(test_a_note_is_told_to_every_host_after_its_hello)
{
	const struct pnc_board_identity identity = {
		.role = PNC_ROLE_CAMERA, .in_flight = 4, .note = "watchdog: sender"};
	struct pnc_log log;
	rig_start_as(&rig, &identity, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
	for (int host = 0; host < 2; host++) {
		rig_hello(&rig, 10 * MS);
		pnc_board_fault(&rig.board, 10 * MS, PNC_ERROR_CODE_SETTINGS, 1u << 16);
		rig_hear(&rig, 10 * MS);
		CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
		CHECK_EQ(rig.heard[1].packet[0], PNC_TYPE_ERROR);
		CHECK_EQ(rig.heard[2].packet[0], PNC_TYPE_LOG);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_LOG), 1);
		RIG_READ(&rig, log, LOG, &log);
		CHECK_EQ(log.level, 2);
		CHECK_EQ(log.text_len, 16);
		CHECK(memcmp(log.text, "watchdog: sender", 16) == 0);
		pnc_board_tick(&rig.board, 100 * MS);
		rig_hear(&rig, 100 * MS);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_LOG), 0);
	}
}

TEST(test_a_note_waits_for_a_host_of_our_version)
{
	const struct pnc_board_identity identity = {.role = PNC_ROLE_CAMERA, .in_flight = 4, .note = "fault"};
	rig_start_as(&rig, &identity, 0);
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_HELLO), 1);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_LOG), 0);
	rig_hello(&rig, 10 * MS);
	rig_hear(&rig, 10 * MS);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_LOG), 1);
}

TEST(test_a_fault_that_has_ended_is_not_reported)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SCAN, 1u << 16);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SERVICE, 2u << 16);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SCAN, 0); /* before it could be sent */
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_SERVICE), 2u << 16);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SERVICE, 0);
	rig_hello(&rig, 10 * MS);
	rig_hear(&rig, 10 * MS);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 0);
}

TEST(test_uptime_loses_no_fraction_of_a_millisecond)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	for (uint32_t now_us = 0; now_us <= 1000 * MS; now_us += 700) {
		pnc_board_tick(&rig.board, now_us);
	}
	CHECK_EQ(rig.board.uptime_ms, 999);
}

TEST(test_uptime_goes_on_when_the_clock_wraps)
{
	const uint32_t start_us = 123;
	uint32_t now_us = start_us;
	rig_start(&rig, PNC_ROLE_CAMERA, start_us);
	for (int minute = 0; minute < 200; minute++) {
		for (int i = 0; i < 60; i++) {
			now_us += 1000 * MS;
			pnc_board_tick(&rig.board, now_us);
		}
	}
	CHECK_EQ(rig.board.uptime_ms, 200 * 60 * 1000);
}
