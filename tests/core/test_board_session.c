/* What ends with a session, when a credit is due, and when a camera counts as busy. */
#include "rig.h"

#define REFRESH_US (PNC_CREDIT_REFRESH_MS * MS)

static struct rig rig;

static const uint8_t cut[] = {PNC_TYPE_FLUSH};

/* Return the credits heard once the board has been brought up to date at `now_us`. */
static size_t credits_at(uint32_t now_us)
{
	pnc_board_tick(&rig.board, now_us);
	rig_hear(&rig, now_us);
	return rig_count(&rig, PNC_TYPE_CREDIT);
}

static void hand_over_a_picture(uint32_t now_us)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_picture(&rig, now_us, (struct picture){.remaining_ms = 60000});
	CHECK(pnc_board_radio_tx(&rig.board, now_us, 0, packet) > PNC_PICTURE_HEADER);
	rig_hear(&rig, now_us);
}

TEST(test_a_closed_port_hears_nothing_of_what_was_due)
{
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0); /* hello and credit are due */
	rig_say(&rig, 0, cut, sizeof(cut));
	pnc_board_serial_closed(&rig.board, 0);
	CHECK(!rig.board.credit_due);
	rig.wakes = 0;
	pnc_board_tick(&rig.board, 0);
	CHECK_EQ(rig.wakes, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig.heard_count, 0);
}

TEST(test_a_host_of_another_version_hears_no_error_of_the_last_session)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig_say(&rig, 0, cut, sizeof(cut));
	RIG_SAY(&rig, 0, hello, .version = PNC_VERSION + 1u);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_ERROR), 1);
	CHECK_EQ(rig_error(&rig, PNC_ERROR_CODE_VERSION), PNC_VERSION);
}

TEST(test_statistics_that_the_last_host_asked_for_of_any_peer_are_not_sent)
{
	rig_ready(&rig, PNC_ROLE_EDGE);
	for (uint8_t peer = 0; peer < PNC_PEERS; peer++) {
		RIG_SAY(&rig, 0, statistics_request, .peer = peer);
	}
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_HELLO), 1);
	CHECK_EQ(rig_count(&rig, PNC_TYPE_STATISTICS), 0);
}

TEST(test_hello_names_how_the_board_started)
{
	struct pnc_hello hello;
	const struct pnc_board_identity identity = {.boot = PNC_BOOT_WATCHDOG, .in_flight = 4};
	rig_start_as(&rig, &identity, 0);
	rig_hello(&rig, 0);
	rig_hear(&rig, 0);
	RIG_READ(&rig, hello, HELLO, &hello);
	CHECK_EQ(hello.boot, PNC_BOOT_WATCHDOG);
}

TEST(test_hello_leaves_as_soon_as_it_fits_with_its_name)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_radio_link link = {.interval_us = 7500, .mtu = PNC_HELLO_SIZE + 3u + 2u};
	rig_start(&rig, PNC_ROLE_EDGE, 0); /* its name has three bytes, and ATT takes three more */
	pnc_board_radio_up(&rig.board, 0, 0, &link);
	CHECK_EQ(rig.wakes, 0);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), 0);
	link.mtu++;
	pnc_board_radio_up(&rig.board, 0, 0, &link);
	CHECK_EQ(rig.wakes, 1);
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 0, 0, packet), PNC_HELLO_SIZE + 3u);
}

TEST(test_a_camera_repeats_its_credit_while_a_single_packet_is_in_flight)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	hand_over_a_picture(0);
	CHECK_EQ(credits_at(0), 0);
	uint32_t last_us = rig.board.credited_us;
	CHECK_EQ(credits_at(last_us + REFRESH_US), 1); /* of the frame that brought the picture */
	last_us += REFRESH_US;
	CHECK_EQ(credits_at(last_us + REFRESH_US - 1u), 0);
	CHECK_EQ(credits_at(last_us + REFRESH_US), 1);
	last_us += REFRESH_US;
	pnc_board_radio_sent(&rig.board, last_us, 0); /* announced by a credit of its own */
	rig_hear(&rig, last_us);
	CHECK_EQ(credits_at(last_us + REFRESH_US), 0);
}

TEST(test_one_frame_without_a_credit_is_reported_after_a_while)
{
	rig_ready(&rig, PNC_ROLE_EDGE);
	RIG_SAY(&rig, 0, statistics_request, .peer = 0);
	CHECK_EQ(credits_at(REFRESH_US - 1u), 0);
	CHECK_EQ(credits_at(REFRESH_US), 1);
	CHECK_EQ(credits_at(2u * REFRESH_US), 0);
}

TEST(test_only_what_a_camera_has_in_flight_repeats_the_credit)
{
	static const enum pnc_role roles[] = {PNC_ROLE_NONE, PNC_ROLE_EDGE};
	for (int i = 0; i < 2; i++) {
		uint8_t packet[PNC_MAX_PACKET];
		rig_start(&rig, roles[i], 0);
		rig_hello(&rig, 0);
		pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
		CHECK(pnc_board_radio_tx(&rig.board, 0, 0, packet) > 0); /* hello, not yet acknowledged */
		rig_hear(&rig, 0);
		CHECK_EQ(credits_at(REFRESH_US), 0);
	}
}

TEST(test_a_board_without_a_host_wakes_nobody_for_a_credit)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct picture p = {.remaining_ms = 60000};
	rig_start(&rig, PNC_ROLE_EDGE, 0);
	rig_connect(&rig, 0, 0);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, picture_write(&p, packet));
	rig.wakes = 0;
	CHECK_EQ(pnc_board_radio_tx(&rig.board, 2u * REFRESH_US, 0, packet), 0);
	CHECK_EQ(rig.wakes, 0);
}

TEST(test_a_dropped_packet_is_reported_where_the_count_of_dropped_ones_wraps)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	rig.board.queue.totals.flushed = UINT32_MAX;
	rig.board.credited_dropped = UINT32_MAX;
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 10});
	CHECK_EQ(credits_at(9 * MS), 0);
	CHECK_EQ(credits_at(10 * MS), 1);
}

TEST(test_a_camera_is_not_busy_while_the_board_across_speaks_another_version)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION + 1u};
	rig_start(&rig, PNC_ROLE_CAMERA, 0);
	rig_hello(&rig, 0);
	pnc_board_radio_up(&rig.board, 0, 0, &rig_link);
	pnc_board_radio_rx(&rig.board, 0, 0, packet, pnc_hello_write(&hello, packet));
	rig_picture(&rig, 0, (struct picture){.remaining_ms = 60000});
	pnc_board_tick(&rig.board, 50 * MS);
	CHECK_EQ(rig.board.busy_us, 0);
}

TEST(test_a_board_that_is_no_longer_a_camera_is_not_busy)
{
	rig_ready(&rig, PNC_ROLE_CAMERA);
	hand_over_a_picture(0);
	RIG_SAY(&rig, 10 * MS, configure, .role = PNC_ROLE_NONE);
	pnc_board_tick(&rig.board, 50 * MS);
	CHECK_EQ(rig.board.busy_us, 10 * MS);
}
