/* Frames to the host that did not arrive are sent again. */
#include "rig.h"

static struct rig rig;

#define REPEAT(now_us, ...) RIG_SAY(&rig, now_us, repeat, .next_seq = rig.reader.next_seq, __VA_ARGS__)

/* A picture arrives over the air from peer 0. */
static void arrive(uint32_t now_us, struct picture p)
{
	uint8_t packet[PNC_MAX_PACKET];
	pnc_board_radio_rx(&rig.board, now_us, 0, packet, picture_write(&p, packet));
}

/* The k-th packet heard, which must be a picture. */
static struct picture heard_picture(size_t k)
{
	CHECK(k < rig.heard_count);
	CHECK((rig.heard[k].packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0);
	return picture_read(rig.heard[k].packet, rig.heard[k].len);
}

/* How many pictures were heard. */
static size_t pictures_heard(void)
{
	size_t pictures = 0;
	for (size_t k = 0; k < rig.heard_count; k++) {
		pictures += (rig.heard[k].packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
	}
	return pictures;
}

/* An edge board that has sent pictures of the ranks 0 to count - 1 to its host at `now_us`, each with 100 ms left. */
static void with_pictures(uint32_t now_us, uint8_t count)
{
	rig_ready(&rig, PNC_ROLE_EDGE);
	for (uint8_t rank = 0; rank < count; rank++) {
		arrive(now_us, (struct picture){.program = 2, .image = 700, .rank = rank, .remaining_ms = 100});
	}
	rig_hear(&rig, now_us);
}

TEST(test_the_named_pictures_are_sent_again_by_rank_with_the_time_that_is_left)
{
	with_pictures(0, 4);
	CHECK_EQ(rig.heard_count, 4);
	REPEAT(30 * MS + 1u, .missing = 0x5);
	rig_hear(&rig, 30 * MS + 1u);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(heard_picture(0).rank, 1);
	CHECK_EQ(heard_picture(1).rank, 3);
	CHECK_EQ(heard_picture(0).image, 700);
	CHECK_EQ(heard_picture(0).program, 2);
	CHECK_EQ(heard_picture(0).remaining_ms, 69);
}

TEST(test_a_frame_is_sent_again_once_for_each_request_and_by_its_new_number)
{
	with_pictures(0, 2);
	uint8_t before = rig.reader.next_seq;
	REPEAT(MS, .missing = 0x2);
	REPEAT(MS, .missing = 0x2);
	rig_hear(&rig, MS);
	CHECK_EQ(rig.heard_count, 1);
	CHECK_EQ(rig.reader.next_seq, (uint8_t)(before + 1u));
	RIG_SAY(&rig, 2 * MS, repeat, .next_seq = before, .missing = 0x2);
	rig_hear(&rig, 2 * MS);
	CHECK_EQ(rig.heard_count, 0);
	RIG_SAY(&rig, 3 * MS, repeat, .next_seq = (uint8_t)(before + 1u), .missing = 0x1);
	rig_hear(&rig, 3 * MS);
	CHECK_EQ(rig.heard_count, 1);
	CHECK_EQ(heard_picture(0).rank, 0);
	CHECK_EQ(heard_picture(0).remaining_ms, 97);
}

TEST(test_a_picture_sent_again_counts_as_one)
{
	with_pictures(0, 3);
	const struct pnc_queue_totals *t = &rig.board.queue.totals;
	REPEAT(MS, .missing = 0x7);
	CHECK_EQ(t->accepted, 3);
	CHECK_EQ(t->sent, 0);
	CHECK_EQ(rig.board.queue.waiting, 3);
	rig_check_accounts(&rig);
	rig_hear(&rig, MS);
	CHECK_EQ(rig.heard_count, 3);
	CHECK_EQ(t->accepted, 3);
	CHECK_EQ(t->sent, 3);
	rig_check_accounts(&rig);
}

TEST(test_a_picture_without_time_is_not_sent_again)
{
	with_pictures(0, 1);
	REPEAT(99 * MS + 1u, .missing = 0x1);
	rig_hear(&rig, 99 * MS + 1u);
	CHECK_EQ(pictures_heard(), 0);
	CHECK_EQ(rig.board.queue.totals.sent, 1);
	rig_check_accounts(&rig);
}

TEST(test_the_last_frames_are_kept_and_older_ones_are_not)
{
	with_pictures(0, PNC_SENT_FRAMES + 3u);
	REPEAT(MS, .missing = UINT32_MAX);
	rig_hear(&rig, MS);
	CHECK_EQ(rig.heard_count, PNC_SENT_FRAMES);
	CHECK_EQ(heard_picture(0).rank, 3);
	CHECK_EQ(heard_picture(PNC_SENT_FRAMES - 1u).rank, PNC_SENT_FRAMES + 2u);
}

TEST(test_a_frame_with_the_same_number_256_frames_ago_is_not_meant)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = 1};
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_RESULT), 1);
	uint8_t then = rig.reader.next_seq;
	while (rig.reader.next_seq != (uint8_t)(then - 1u)) { /* credits, one by one */
		RIG_SAY(&rig, MS, flush, .all = 1);
		rig_hear(&rig, MS);
	}
	RIG_SAY(&rig, MS, flush, .all = 1);
	rig_hear(&rig, MS);
	CHECK_EQ(rig.reader.next_seq, then);
	REPEAT(MS, .missing = 0x1);
	rig_hear(&rig, MS);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_RESULT), 0);
}

TEST(test_a_flushed_picture_is_not_sent_again)
{
	static const struct pnc_flush flushes[] = {{.image = 1}, {.peer = 1, .all = 1}};
	for (int i = 0; i < 2; i++) {
		rig_ready(&rig, PNC_ROLE_EDGE);
		rig_connect(&rig, 0, 1);
		for (uint16_t image = 0; image < 4; image++) {
			uint8_t packet[PNC_MAX_PACKET];
			struct picture p = {.image = (uint16_t)(image / 2u * 256u + 1u),
					    .rank = (uint8_t)image,
					    .remaining_ms = 100};
			pnc_board_radio_rx(&rig.board, 0, (uint8_t)(image % 2u), packet, picture_write(&p, packet));
		}
		rig_hear(&rig, 0);
		uint8_t next_seq = rig.reader.next_seq;
		RIG_SAY(&rig, 0, flush, .peer = flushes[i].peer, .image = flushes[i].image, .all = flushes[i].all);
		rig_hear(&rig, 0);
		RIG_SAY(&rig, MS, repeat, .next_seq = next_seq, .missing = 0xF);
		rig_hear(&rig, MS);
		CHECK_EQ(rig.heard_count, i == 0 ? 3 : 2);
		for (size_t k = 0; k < rig.heard_count; k++) {
			struct picture p = heard_picture(k);
			CHECK(i == 0 ? p.source == 1 || p.image == 257 : p.source == 0);
		}
		rig_check_accounts(&rig);
	}
}

TEST(test_forwarded_packets_are_sent_again_and_credits_and_own_pongs_are_not)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = 1, .text = (const uint8_t *)"x", .text_len = 1};
	struct pnc_pong pong = {.hop = PNC_HOP_PEER_HOST, .token = 3};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_pong_write(&pong, packet));
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 4);
	REPEAT(MS, .missing = 0xF);
	rig_hear(&rig, MS);
	CHECK_EQ(rig.heard_count, 2);
	RIG_READ(&rig, result, RESULT, &result);
	CHECK_EQ(result.text_len, 1);
	RIG_READ(&rig, pong, PONG, &pong);
	CHECK_EQ(pong.token, 3);
}

TEST(test_a_state_is_reported_again_as_it_is_now)
{
	struct pnc_link link;
	struct pnc_statistics statistics;
	struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_BOARD};
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, statistics_request, .peer = 3);
	RIG_SAY(&rig, 0, pair, .action = PNC_PAIR_ACTION_REPORT);
	pnc_board_radio_up(&rig.board, 0, 3, &rig_link);
	pnc_board_radio_rx(&rig.board, 0, 3, packet, pnc_hello_write(&hello, packet));
	pnc_board_pairing_changed(&rig.board, 0);
	rig_hear(&rig, 0);
	RIG_READ(&rig, link, LINK, &link);
	CHECK_EQ(link.state, PNC_LINK_STATE_UP);
	uint8_t next_seq = rig.reader.next_seq;
	pnc_board_radio_down(&rig.board, MS, 3, 8);
	rig_hear(&rig, MS);
	RIG_SAY(&rig, 2 * MS, repeat, .next_seq = next_seq, .missing = 0x7);
	rig_hear(&rig, 2 * MS);
	CHECK_EQ(rig.heard_count, 3);
	RIG_READ(&rig, link, LINK, &link);
	CHECK_EQ(link.peer, 3);
	CHECK_EQ(link.state, PNC_LINK_STATE_DOWN);
	RIG_READ(&rig, statistics, STATISTICS, &statistics);
	CHECK_EQ(statistics.peer, 3);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PAIRING), 1);
}

TEST(test_each_state_is_reported_again_alone_and_past_the_queue_of_pictures)
{
	for (unsigned which = 0; which < 3; which++) { /* link, statistics, pairing */
		static const uint8_t types[] = {PNC_TYPE_PAIRING, PNC_TYPE_STATISTICS, PNC_TYPE_LINK};
		rig_ready(&rig, PNC_ROLE_EDGE);
		pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
		RIG_SAY(&rig, 0, statistics_request, .peer = 0);
		RIG_SAY(&rig, 0, pair, .action = PNC_PAIR_ACTION_OPEN, .window_s = 0xFFFF);
		pnc_board_pairing_changed(&rig.board, 0);
		rig_hear(&rig, 0);
		CHECK_EQ(rig.heard_count, 3);
		REPEAT(0, .missing = 1u << which);
		CHECK_EQ(rig.board.queue.waiting, 0);
		CHECK_EQ(rig.board.queue.totals.sent, 0);
		rig_hear(&rig, 0);
		CHECK_EQ(rig.heard_count, 1);
		CHECK_EQ(rig.heard[0].packet[0], types[which]);
	}
}

TEST(test_frames_of_an_earlier_session_or_role_are_not_sent_again)
{
	with_pictures(0, 1);
	uint8_t next_seq = rig.reader.next_seq;
	rig_hello(&rig, MS);
	RIG_SAY(&rig, MS, repeat, .next_seq = next_seq, .missing = 0x1);
	rig_hear(&rig, MS);
	CHECK_EQ(pictures_heard(), 0);

	with_pictures(0, 1);
	next_seq = rig.reader.next_seq;
	RIG_SAY(&rig, MS, configure, .role = PNC_ROLE_CAMERA, .tx_power_dbm = 127);
	RIG_SAY(&rig, MS, repeat, .next_seq = next_seq, .missing = 0x1);
	CHECK_EQ(rig.board.queue.waiting, 0);
	CHECK_EQ(rig.board.queue.totals.sent, 1);
	rig_check_accounts(&rig);
}

TEST(test_a_repeat_before_hello_or_too_short_is_refused)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_repeat repeat = {.missing = 1};
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_say(&rig, 0, packet, pnc_repeat_write(&repeat, packet));
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), PNC_ROLE_EDGE);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	rig_say(&rig, 0, packet, PNC_REPEAT_SIZE - 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_REPEAT);
}

TEST(test_a_ping_of_the_other_host_is_sent_again)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_ping ping = {.hop = PNC_HOP_PEER_HOST, .token = 0x5A};
	struct pnc_ping again;
	rig_ready(&rig, PNC_ROLE_EDGE);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_ping_write(&ping, packet));
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_PING), 1);
	REPEAT(MS, .missing = 0x1);
	rig_hear(&rig, MS);
	RIG_READ(&rig, ping, PING, &again);
	CHECK_EQ(again.token, 0x5A);
}

TEST(test_a_request_that_is_cut_asks_for_nothing_whatever_the_board_said_last)
{
	static const uint8_t cut[PNC_REPEAT_SIZE - 1u] = {PNC_TYPE_REPEAT};
	uint8_t text[PNC_MAX_PACKET - PNC_RESULT_SIZE];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (unsigned i = 0; i < 256; i++) {
		uint8_t packet[PNC_MAX_PACKET];
		memset(text, (uint8_t)(rig.board.frames + 1u), sizeof(text)); /* as if the next frame were named */
		struct pnc_result result = {.image = 1, .text = text, .text_len = sizeof(text)};
		pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_RESULT), 1);
		rig_say(&rig, 0, cut, 1u + i % sizeof(cut));
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_RESULT), 0);
		CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_MALFORMED), PNC_TYPE_REPEAT);
	}
}
