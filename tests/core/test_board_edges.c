/* Calls at the edges of what a board takes: peers that there are not, events in an unusual order. */
#include "rig.h"

/* Bytes between the fields of a struct have no value that MemorySanitizer would let be compared. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define UNCHANGED(a, b) ((void)(a), (void)(b), true)
#endif
#endif
#ifndef UNCHANGED
#define UNCHANGED(a, b) (memcmp((a), (b), sizeof(*(a))) == 0)
#endif

static struct rig rig;

TEST(test_a_peer_that_there_is_not_changes_nothing)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	for (uint8_t code = PNC_FIRST_FAULT; code <= PNC_ERROR_CODE_BONDS_FULL; code++) {
		pnc_board_fault(&rig.board, 0, (enum pnc_error_code)code,
				UINT32_MAX); /* not all zero behind the last */
	}
	rig_hear(&rig, 0);
	static struct pnc_board before;
	memcpy(&before, &rig.board, sizeof(before));
	for (unsigned peer = PNC_PEERS; peer <= UINT8_MAX; peer++) {
		pnc_board_radio_up(&rig.board, 0, (uint8_t)peer, &rig_link);
		CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, (uint8_t)peer, packet), 0);
		pnc_board_radio_sent(&rig.board, 0, (uint8_t)peer);
		pnc_board_radio_down(&rig.board, 0, (uint8_t)peer, 8);
	}
	CHECK(UNCHANGED(&before, &rig.board));
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_pictures_leave_a_camera_for_its_first_peer_only)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	rig_connect(&rig, 0, 1);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 100});
	CHECK_EQ(rig.board.queue.waiting, 1);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 1, packet), 0);
	rig_connect(&rig, 0, 0);
	CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > PNC_PICTURE_HEADER);
}

TEST(test_a_connection_that_ends_before_its_report_is_reported_once_as_down)
{
	struct pnc_link link;
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	rig_connect(&rig, 0, 3);
	pnc_board_radio_down(&rig.board, 0, 3, 0x13);
	pnc_board_radio_down(&rig.board, 0, 3, 0x16);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_LINK), 1);
	RIG_READ(&rig, link, LINK, &link);
	CHECK_EQ(link.peer, 3);
	CHECK_EQ(link.state, PNC_LINK_STATE_DOWN);
	CHECK_EQ(link.reason, 0x16);
}

TEST(test_a_board_in_the_middle_of_a_frame_wakes_its_adapter)
{
	uint8_t byte;
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	CHECK_EQ(pnc_board_serial_tx(&rig.board, 0, &byte, 1), 1);
	CHECK_EQ(pnc_frame_read(&rig.reader, byte), PNC_FRAME_MORE);
	unsigned wakes = rig.wakes;
	pnc_board_tick(&rig.board, 0);
	CHECK_EQ(rig.wakes, wakes + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_STATISTICS), 1);
	wakes = rig.wakes;
	pnc_board_tick(&rig.board, 0);
	CHECK_EQ(rig.wakes, wakes);
}

TEST(test_a_name_without_an_end_is_cut)
{
	struct pnc_hello hello;
	struct pnc_board_identity identity = {.in_flight = 4};
	memset(identity.name, 'x', sizeof(identity.name));
	rig_start_as(&rig, &identity, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.name_len, PNC_HELLO_NAME);
}

TEST(test_a_picture_that_expires_unseen_is_reported_by_the_next_pull)
{
	uint8_t bytes[PNC_MAX_FRAME];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 10});
	CHECK_EQ(pnc_board_serial_tx(&rig.board, 9 * MS, bytes, sizeof(bytes)), 0);
	CHECK(pnc_board_serial_tx(&rig.board, 10 * MS, bytes, sizeof(bytes)) > PNC_CREDIT_SIZE);
}

TEST(test_a_fault_wakes_the_adapter)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.wakes = 0;
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_SCAN, 1u << 16);
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_a_fault_that_was_told_wakes_nobody_any_more)
{
	for (uint8_t code = PNC_FIRST_FAULT; code <= PNC_ERROR_CODE_BONDS_FULL; code++) {
		for (unsigned bit = 0; bit < 32; bit++) {
			uint8_t packet[PNC_MAX_PACKET];
			rig_start(&rig, PNC_ROLE_CAMERA, 60 * MS);
			rig_hello(&rig, 60 * MS);
			pnc_board_radio_up(&rig.board, 60 * MS, 0, &rig_link);
			CHECK(pnc_board_radio_tx(&rig.board, 60 * MS, 0, packet) > 0); /* in flight from now on */
			pnc_board_fault(&rig.board, 60 * MS, (enum pnc_error_code)code, (uint32_t)1 << bit);
			rig_hear(&rig, 60 * MS);
			rig.wakes = 0;
			pnc_board_tick(&rig.board, 61 * MS);
			CHECK_EQ(rig.wakes, 0);
		}
	}
}

TEST(test_a_board_starts_empty_wherever_it_lies_and_whenever_it_starts)
{
	const struct pnc_board_identity identity = {.role = PNC_ROLE_CAMERA, .in_flight = 4};
	const uint32_t start_us = 5000 * MS;
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	memset(&rig.board, 0xAA, sizeof(rig.board));
	pnc_board_init(&rig.board, &identity, &rig_ops, &rig, start_us);
	pnc_board_tick(&rig.board, start_us);
	CHECK_EQ(rig.wakes, 0);
	CHECK_EQ(rig.board.uptime_ms, 0);
	CHECK_EQ(rig.board.busy_us, 0);
	CHECK_EQ(rig.board.unknown, 0);
	rig_hello(&rig, start_us);
	rig_hear(&rig, start_us);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
	CHECK_EQ(rig.heard[1].packet[0], PNC_TYPE_CREDIT);
}

TEST(test_the_first_peer_that_there_is_not_is_refused_too)
{
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, flush, .peer = PNC_PEERS);
	RIG_SAY(&rig, 0, ping, .peer = 1, .hop = PNC_HOP_PEER_BOARD);
	RIG_SAY(&rig, 0, ping, .peer = PNC_PEERS, .hop = PNC_HOP_PEER_BOARD);
	CHECK_EQ(rig.board.control.to_radio, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_FLUSH);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NO_LINK), PNC_PEERS);
}

TEST(test_a_gap_is_named_once)
{
	static const uint8_t begun[] = {9, 9, 9};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.seq++; /* a single frame is missing */
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_PEER_HOST);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 1);
	pnc_board_serial_rx(&rig.board, 0, begun, sizeof(begun)); /* of the next frame */
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_credit_comes_after_any_number_of_frames_at_once)
{
	static const uint8_t unknown[] = {0x7F};
	uint8_t bytes[1024u * 9u];
	for (size_t frames = 8; frames <= 1024; frames *= 2) {
		size_t len = 0;
		rig_ready(&rig, PNC_ROLE_CAMERA);
		for (size_t i = 0; i < frames; i++) {
			len += pnc_frame_write(rig.seq++, unknown, sizeof(unknown), bytes + len);
		}
		pnc_board_serial_rx(&rig.board, 0, bytes, len);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_CREDIT), 1);
	}
}

TEST(test_a_new_host_hears_of_every_connection)
{
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	for (uint8_t peer = 1; peer < PNC_PEERS; peer += 2) {
		rig_connect(&rig, 0, peer);
	}
	for (int host = 0; host < 2; host++) {
		rig_hello(&rig, 0);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_LINK), PNC_PEERS / 2u);
	}
}

TEST(test_every_pairing_action_is_handed_on)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint8_t action = 0; action <= PNC_PAIR_ACTION_FORGET; action++) {
		RIG_SAY(&rig, 0, pair, .action = action, .address_type = 0);
		RIG_SAY(&rig, 0, pair, .action = action, .address_type = 1);
		CHECK_EQ(rig.pair_calls, 2u * (action + 1u));
	}
}

TEST(test_a_request_that_is_cut_does_not_repeat_the_last_one)
{
	static const uint8_t statistics[] = {PNC_TYPE_STATISTICS_REQUEST};
	static const uint8_t repeat[] = {PNC_TYPE_REPEAT};
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = 1};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
	rig_hear(&rig, 0);
	RIG_SAY(&rig, 0, repeat, .next_seq = rig.reader.next_seq, .missing = UINT32_MAX);
	rig_hear(&rig, 0);
	CHECK(rig_count(&rig, PNC_TYPE_RESULT) == 1);
	rig_say(&rig, 0, repeat, sizeof(repeat));
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 1);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	rig_hear(&rig, 0);
	rig_say(&rig, 0, statistics, sizeof(statistics));
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_STATISTICS_REQUEST);
}

TEST(test_the_radio_wakes_the_adapter_once_for_a_credit)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.wakes = 0;
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), 0);
	CHECK_EQ(rig.wakes, 0);
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 10});
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 20});
	rig_hear(&rig, 0);
	rig.wakes = 0;
	CHECK(pnc_board_radio_tx(&rig.board, 10 * MS, 0, packet) > 0); /* the first has expired */
	CHECK_EQ(rig.wakes, 1);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 10 * MS, 0, packet), 0);
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_an_answer_for_one_peer_is_not_offered_to_another)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_EDGE);
	rig_connect(&rig, 0, 1);
	rig_hear(&rig, 0);
	rig.wakes = 0;
	RIG_SAY(&rig, 0, result, .peer = 1, .image = 5);
	CHECK_EQ(rig.wakes, 1);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), 0);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 1, packet), PNC_RESULT_SIZE);
	CHECK_EQ(packet[0], PNC_TYPE_RESULT);
}
