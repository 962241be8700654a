/* What a board reports to its host: the words of each error, every number of the statistics, and when it wakes. */
#include "rig.h"

static struct rig rig;

TEST(test_each_error_has_words_of_its_own)
{
	uint8_t texts[PNC_ERROR_CODE_BONDS_FULL + 1u][PNC_MAX_PACKET];
	rig_ready(&rig, PNC_ROLE_CAMERA);
	memset(texts, 0, sizeof(texts));
	for (uint8_t code = PNC_ERROR_CODE_VERSION; code <= PNC_ERROR_CODE_BONDS_FULL; code++) {
		struct pnc_error error;
		pnc_board_fault(&rig.board, 0, (enum pnc_error_code)code, 1);
		rig_hear(&rig, 0);
		RIG_READ(&rig, error, ERROR, &error);
		CHECK_EQ(error.code, code);
		CHECK(error.text_len > 10);
		memcpy(texts[code], error.text, error.text_len);
		for (uint8_t other = 0; other < code; other++) {
			CHECK(memcmp(texts[other], texts[code], PNC_MAX_PACKET) != 0);
		}
	}
}

TEST(test_several_errors_are_each_sent_by_their_number)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_BONDS_FULL, 7);
	pnc_board_fault(&rig.board, 0, PNC_ERROR_CODE_VERSION, 8);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 2);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_VERSION), 8);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_BONDS_FULL), 7);
}

TEST(test_statistics_have_every_total)
{
	static const uint8_t bad[] = {9, 9, 0};
	static const uint8_t unknown[] = {0x7F};
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_statistics s;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (int i = 0; i < 3; i++) {
		rig_picture(&rig, 0, (struct picture){.remaining_ms = 1000});
		CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0);
	}
	pnc_board_radio_sent(&rig.board, 0, 0);
	pnc_board_radio_down(&rig.board, 0, 0, 8); /* two are lost */
	pnc_board_serial_rx(&rig.board, 0, bad, sizeof(bad));
	rig.seq = (uint8_t)(rig.seq + 4u); /* four are missed */
	for (int i = 0; i < 5; i++) {
		rig_say(&rig, 0, unknown, sizeof(unknown));
	}
	rig.board.control.dropped = 6;
	pnc_board_tick(&rig.board, 9 * MS);
	RIG_SAY(&rig, 9 * MS, statistics_request, .peer = 0);
	rig_hear(&rig, 9 * MS);
	RIG_READ(&rig, statistics, STATISTICS, &s);
	CHECK_EQ(s.acked, 1);
	CHECK_EQ(s.lost, 2);
	CHECK_EQ(s.sent, 3);
	CHECK_EQ(s.damaged, 1);
	CHECK_EQ(s.missed, 4);
	CHECK_EQ(s.unknown, 5);
	CHECK_EQ(s.control_dropped, 6);
	CHECK_EQ(s.uptime_ms, 9);
	CHECK_EQ(s.link, PNC_LINK_STATE_DOWN);
	CHECK_EQ(s.links, 0);
}

TEST(test_a_credit_speaks_of_the_link_of_a_camera_only)
{
	static const enum pnc_role roles[] = {PNC_ROLE_NONE, PNC_ROLE_CAMERA, PNC_ROLE_EDGE};
	for (int i = 0; i < 3; i++) {
		bool camera = roles[i] == PNC_ROLE_CAMERA;
		uint8_t packet[PNC_MAX_PACKET];
		struct pnc_credit credit;
		rig_start(&rig, roles[i], 0);
		rig_hello(&rig, 0);
		rig_connect(&rig, 0, 0);
		pnc_board_radio_down(&rig.board, 0, 0, 8);
		pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
		CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0); /* our hello is in flight */
		struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_BOARD};
		pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_hello_write(&hello, packet));
		RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
		rig_hear(&rig, 0);
		RIG_READ(&rig, credit, CREDIT, &credit);
		CHECK_EQ(credit.in_radio, camera);
		CHECK_EQ(credit.link, camera ? PNC_LINK_STATE_UP : PNC_LINK_STATE_DOWN);
	}
}

TEST(test_a_link_of_another_version_is_not_counted)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION + 1u, .kind = PNC_KIND_BOARD};
	struct pnc_statistics s;
	rig_ready(&rig, PNC_ROLE_EDGE);
	pnc_board_radio_up(&rig.board, 0, 1, &rig_link);
	pnc_board_radio_rx(&rig.board, 0, 1, packet, pnc_hello_write(&hello, packet));
	RIG_SAY(&rig, 0, statistics_request, .peer = 1);
	rig_hear(&rig, 0);
	RIG_READ(&rig, statistics, STATISTICS, &s);
	CHECK_EQ(s.links, 1);
	CHECK_EQ(s.link, PNC_LINK_STATE_REFUSED);
}

TEST(test_pairing_is_closed_unless_the_adapter_says_otherwise)
{
	struct pnc_pairing pairing;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	pnc_board_pairing_changed(&rig.board, 0);
	rig_hear(&rig, 0);
	RIG_READ(&rig, pairing, PAIRING, &pairing);
	CHECK_EQ(pairing.open, 0);
	CHECK_EQ(pairing.bonds, 3);
}

TEST(test_a_refusal_before_hello_wakes_the_adapter)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	RIG_SAY(&rig, 0, ping, .hop = PNC_HOP_BOARD);
	CHECK_EQ(rig.wakes, 1);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_NOT_READY), PNC_ROLE_CAMERA);
}

TEST(test_the_answer_to_another_version_wakes_the_adapter)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION + 1u);
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_a_picture_from_the_air_wakes_the_adapter_of_an_edge)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 100};
	rig_ready(&rig, PNC_ROLE_EDGE);
	rig.wakes = 0;
	pnc_board_radio_rx(&rig.board, 0, 0, packet, picture_write(&p, packet));
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_an_answer_from_the_air_wakes_the_adapter)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = 1};
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.wakes = 0;
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_result_write(&result, packet));
	CHECK_EQ(rig.wakes, 1);
}

TEST(test_a_report_on_any_peer_wakes_the_adapter)
{
	struct pnc_radio_link slower = rig_link;
	slower.interval_us = 50000;
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_hello(&rig, 0);
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		rig_connect(&rig, 0, peer);
		rig_hear(&rig, 0);
		rig.wakes = 0;
		RIG_SAY(&rig, 0, statistics_request, .peer = peer);
		CHECK_EQ(rig.wakes, 1);
		rig_hear(&rig, 0);
		rig.wakes = 0;
		pnc_board_radio_up(&rig.board, 0, peer, &slower);
		CHECK_EQ(rig.wakes, 1);
		rig_hear(&rig, 0);
		CHECK_EQ(rig_count(&rig, PNC_TYPE_LINK), 1);
	}
}

TEST(test_frames_fill_the_room_that_there_is_and_no_more)
{
	uint8_t bytes[2u * PNC_MAX_FRAME];
	for (size_t room = 1; room <= 80; room++) {
		unsigned packets = 0;
		unsigned ends = 0;
		size_t written;
		rig_start(&rig, PNC_ROLE_CAMERA, 0);
		rig_hello(&rig, 0);
		do {
			memset(bytes, 0xEE, sizeof(bytes));
			written = pnc_board_serial_tx(&rig.board, 0, bytes, room);
			CHECK(written <= room);
			for (size_t i = 0; i < written; i++) {
				packets += pnc_frame_read(&rig.reader, bytes[i]) == PNC_FRAME_PACKET;
				ends += bytes[i] == 0;
			}
			for (size_t i = written; i < sizeof(bytes); i++) {
				CHECK_EQ(bytes[i], 0xEE);
			}
		} while (written == room);
		CHECK_EQ(packets, 2);
		CHECK_EQ(ends, 2);
	}
}
