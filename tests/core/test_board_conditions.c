/* What a board makes of its conditions: the PHY of a camera's connection, and the silence of its host. */
#include "rig.h"

#define INTERVAL_US 7500u
#define LONG_INTERVAL_US 30000u

static struct rig camera;

/* A camera with packets for the air, connected with that PHY, in a radio with these capabilities. */
static void begin(uint32_t capabilities, uint8_t phy)
{
	const struct pnc_board_identity identity = {
		.capabilities = capabilities, .role = PNC_ROLE_CAMERA, .in_flight = 3, .name = "rig"};
	const struct pnc_radio_link link = {.interval_us = INTERVAL_US, .mtu = 247, .phy = phy};
	rig_start_as(&camera, &identity, 0);
	pnc_board_radio_up(&camera.board, 0, 0, &link);
}

/* Hand a packet to the radio, which acknowledges nothing, and ask for the PHY after so many intervals. */
static uint8_t phy_after(uint32_t intervals, int8_t rssi_dbm)
{
	uint8_t packet[PNC_MAX_PACKET];
	CHECK(pnc_board_radio_tx(&camera.board, 1000, 0, packet) > 0);
	return pnc_board_radio_phy(&camera.board, 1000u + intervals * INTERVAL_US, rssi_dbm);
}

TEST(test_a_camera_asks_for_no_other_phy_while_its_events_carry)
{
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	CHECK_EQ(phy_after(1, -85), PNC_PHY_KEEP);
	pnc_board_radio_sent(&camera.board, 1000u + 2u * INTERVAL_US, 0);
	CHECK_EQ(pnc_board_radio_phy(&camera.board, 200u * INTERVAL_US, -85), PNC_PHY_KEEP);
}

TEST(test_a_camera_whose_events_all_fail_asks_for_the_slowest_phy_of_its_radio)
{
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	CHECK_EQ(phy_after(100, -85), PNC_PHY_CODED_S2); /* S8 needs a longer interval */
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	const struct pnc_radio_link rare = {.interval_us = LONG_INTERVAL_US, .mtu = 247, .phy = PNC_PHY_LE_2M};
	pnc_board_radio_up(&camera.board, 0, 0, &rare);
	CHECK_EQ(phy_after(400, -85), PNC_PHY_CODED_S8);
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	const struct pnc_radio_link rarer = {.interval_us = 50000u, .mtu = 247, .phy = PNC_PHY_LE_2M};
	pnc_board_radio_up(&camera.board, 0, 0, &rarer);
	CHECK_EQ(phy_after(700, -85), PNC_PHY_CODED_S8);
	begin(0, PNC_PHY_LE_2M);
	CHECK_EQ(phy_after(100, -85), PNC_PHY_LE_1M);
	begin(0, PNC_PHY_LE_1M);
	CHECK_EQ(phy_after(100, -85), PNC_PHY_KEEP);
}

TEST(test_another_phy_starts_without_failed_events)
{
	const struct pnc_radio_link slower = {.interval_us = INTERVAL_US, .mtu = 247, .phy = PNC_PHY_LE_1M};
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	CHECK(phy_after(100, -85) != PNC_PHY_KEEP);
	CHECK(camera.board.event_loss.share > 0);
	pnc_board_radio_up(&camera.board, 101u * INTERVAL_US, 0, &slower);
	CHECK_EQ(camera.board.event_loss.share, 0);
	camera.board.event_loss.share = 1000;
	pnc_board_radio_up(&camera.board, 102u * INTERVAL_US, 0, &slower); /* another MTU, say */
	CHECK_EQ(camera.board.event_loss.share, 1000);
	pnc_board_radio_down(&camera.board, 103u * INTERVAL_US, 0, 8);
	pnc_board_radio_up(&camera.board, 104u * INTERVAL_US, 0, &slower);
	CHECK_EQ(camera.board.event_loss.share, 0);
	CHECK(!camera.board.event_loss.busy);
}

TEST(test_any_other_phy_starts_without_failed_events)
{
	for (uint8_t before = PNC_PHY_LE_1M; before <= PNC_PHY_CODED_S8; before++) {
		for (uint8_t after = PNC_PHY_LE_1M; after <= PNC_PHY_CODED_S8; after++) {
			const struct pnc_radio_link link = {.interval_us = INTERVAL_US, .mtu = 247, .phy = after};
			begin(PNC_CAPABILITY_PHY_CODED, before);
			camera.board.event_loss.share = 1000;
			pnc_board_radio_up(&camera.board, 0, 0, &link);
			CHECK_EQ(camera.board.event_loss.share, after == before ? 1000 : 0);
		}
	}
}

TEST(test_a_new_connection_is_judged_by_its_own_power)
{
	const struct pnc_radio_link link = {.interval_us = INTERVAL_US, .mtu = 247, .phy = PNC_PHY_LE_2M};
	begin(PNC_CAPABILITY_PHY_CODED, PNC_PHY_LE_2M);
	CHECK_EQ(pnc_board_radio_phy(&camera.board, 100 * MS, -91), PNC_PHY_KEEP); /* too early */
	pnc_board_radio_down(&camera.board, 200 * MS, 0, 8);
	pnc_board_radio_up(&camera.board, 500 * MS, 0, &link);
	CHECK_EQ(pnc_board_radio_phy(&camera.board, 799 * MS, -91), PNC_PHY_KEEP);
	CHECK_EQ(pnc_board_radio_phy(&camera.board, 800 * MS, -91), PNC_PHY_LE_1M);
	pnc_board_radio_down(&camera.board, 900 * MS, 0, 8);
	pnc_board_radio_up(&camera.board, 1000 * MS, 0, &link);
	CHECK_EQ(pnc_board_radio_phy(&camera.board, 2000 * MS, PNC_RSSI_UNKNOWN), PNC_PHY_KEEP);
}

TEST(test_events_count_as_failed_as_long_as_any_packet_is_in_flight)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_ready(&camera, PNC_ROLE_CAMERA);
	for (uint8_t rank = 0; rank < 2; rank++) {
		rig_picture(&camera, 0, (struct picture){.rank = rank, .remaining_ms = 1000});
		CHECK(pnc_board_radio_tx(&camera.board, 0, 0, packet) > 0);
	}
	pnc_board_radio_sent(&camera.board, INTERVAL_US, 0);
	(void)pnc_board_radio_phy(&camera.board, 10u * INTERVAL_US, -60);
	uint16_t share = camera.board.event_loss.share;
	CHECK(share > 0);
	pnc_board_radio_sent(&camera.board, 10u * INTERVAL_US, 0);
	share = camera.board.event_loss.share;
	(void)pnc_board_radio_phy(&camera.board, 100u * INTERVAL_US, -60);
	CHECK_EQ(camera.board.event_loss.share, share);
}

TEST(test_what_a_board_sent_before_it_became_a_camera_is_not_awaited)
{
	static const enum pnc_role roles[] = {PNC_ROLE_NONE, PNC_ROLE_EDGE};
	for (int i = 0; i < 2; i++) {
		rig_ready(&camera, roles[i]);
		RIG_SAY(&camera, 0, configure, .role = PNC_ROLE_CAMERA);
		CHECK_EQ(pnc_board_radio_phy(&camera.board, 100u * INTERVAL_US, -85), PNC_PHY_KEEP);
		CHECK_EQ(camera.board.event_loss.share, 0);
	}
}

/* The share of failed events after so many intervals without an acknowledgement. */
static uint16_t share_after(uint8_t phy, uint32_t interval_us, uint32_t us)
{
	const struct pnc_radio_link link = {.interval_us = interval_us, .mtu = 247, .phy = phy};
	begin(PNC_CAPABILITY_PHY_CODED, phy);
	pnc_board_radio_up(&camera.board, 0, 0, &link);
	uint8_t packet[PNC_MAX_PACKET];
	CHECK(pnc_board_radio_tx(&camera.board, 1000, 0, packet) > 0);
	(void)pnc_board_radio_phy(&camera.board, 1000u + us, -85);
	return camera.board.event_loss.share;
}

TEST(test_events_on_the_coded_phy_are_as_far_apart_as_their_packets_need)
{
	CHECK_EQ(share_after(PNC_PHY_LE_1M, 7500, 16000), 0); /* two and a quarter events are allowed */
	CHECK(share_after(PNC_PHY_LE_1M, 7500, 18000) > 0);
	CHECK_EQ(share_after(PNC_PHY_CODED_S2, 7500, 33000), 0); /* every second event */
	CHECK(share_after(PNC_PHY_CODED_S2, 7500, 35000) > 0);
	CHECK_EQ(share_after(PNC_PHY_CODED_S8, 7500, 67000), 0); /* every fourth */
	CHECK(share_after(PNC_PHY_CODED_S8, 7500, 69000) > 0);
	CHECK_EQ(share_after(PNC_PHY_CODED_S8, 30000, 67000), 0);
	CHECK(share_after(PNC_PHY_CODED_S8, 30000, 69000) > 0);
	CHECK_EQ(share_after(PNC_PHY_CODED_S8, 0, 69000), 0);
}

TEST(test_a_host_is_silent_since_its_last_intact_frame)
{
	rig_start(&camera, PNC_ROLE_CAMERA, 0);
	pnc_board_tick(&camera.board, 5000u * MS);
	CHECK_EQ(pnc_board_silent_ms(&camera.board), 5000);
	rig_hello(&camera, 6000u * MS);
	pnc_board_tick(&camera.board, 7500u * MS);
	CHECK_EQ(pnc_board_silent_ms(&camera.board), 2500);
	pnc_board_serial_rx(&camera.board, 8000u * MS, (const uint8_t[]){1, 2, 3, 0}, 4);
	CHECK_EQ(pnc_board_silent_ms(&camera.board), 3000);
}
