#include "pnc/phy_choice.h"

#include "pnc/event_loss.h"

#include "check.h"

#define STEP_US 50000u
#define S(seconds) ((uint32_t)((seconds)*1000000u))
#define PERCENT(n) ((uint16_t)((n)*PNC_EVENT_LOSS_ALL / 100u))
#define SLOWEST PNC_PHY_CODED_S8

static struct pnc_phy_choice choice;
static uint32_t now_us;
static uint8_t phy;
static uint32_t changes;

static void begin(uint8_t with)
{
	now_us = 1000;
	phy = with;
	changes = 0;
	pnc_phy_choice_init(&choice, now_us);
}

/* Let the conditions last for so long, with a radio that does as it is told. */
static void last(uint32_t us, int8_t rssi_dbm, uint16_t loss)
{
	for (uint32_t end_us = now_us + us; now_us < end_us; now_us += STEP_US) {
		uint8_t next = pnc_phy_choice_next(&choice, now_us, phy, SLOWEST, rssi_dbm, loss);
		if (next != PNC_PHY_KEEP) {
			CHECK(next != phy);
			phy = next;
			changes++;
		}
	}
}

TEST(test_a_strong_link_stays_at_2m)
{
	begin(PNC_PHY_LE_2M);
	last(S(60), -60, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
	CHECK_EQ(changes, 0);
}

TEST(test_the_phy_follows_the_power_down_and_up)
{
	static const struct {
		int8_t rssi_dbm;
		uint8_t phy;
	} steps[] = {
		{-70, PNC_PHY_LE_2M},    {-88, PNC_PHY_LE_2M},     {-91, PNC_PHY_LE_1M},    {-94, PNC_PHY_CODED_S2},
		{-98, PNC_PHY_CODED_S8}, {-110, PNC_PHY_CODED_S8}, {-95, PNC_PHY_CODED_S8}, {-92, PNC_PHY_CODED_S2},
		{-88, PNC_PHY_LE_1M},    {-87, PNC_PHY_LE_1M},     {-85, PNC_PHY_LE_2M},
	};
	begin(PNC_PHY_LE_2M);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		last(S(15), steps[i].rssi_dbm, 0);
		CHECK_EQ(phy, steps[i].phy);
	}
}

TEST(test_a_sudden_fall_needs_one_change)
{
	begin(PNC_PHY_LE_2M);
	last(S(5), -60, 0);
	last(S(2), -102, 0);
	CHECK_EQ(phy, PNC_PHY_CODED_S8);
	CHECK(changes <= 2);
	last(S(3), -60, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_it_is_faster_down_than_up)
{
	begin(PNC_PHY_LE_2M);
	last(S(5), -60, 0);
	last(S(0.5), -91, 0);
	CHECK_EQ(phy, PNC_PHY_LE_1M);
	last(S(0.6), -60, 0);
	CHECK_EQ(phy, PNC_PHY_LE_1M);
	last(S(0.6), -60, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_failed_events_at_low_power_choose_the_next_slower_phy)
{
	begin(PNC_PHY_LE_2M);
	last(S(2), -85, PERCENT(19u));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
	last(S(0.2), -85, PERCENT(25u));
	CHECK_EQ(phy, PNC_PHY_LE_1M);
	CHECK_EQ(changes, 1);
	begin(PNC_PHY_CODED_S2);
	last(S(2), -93, PERCENT(39u));
	CHECK_EQ(phy, PNC_PHY_CODED_S2);
	last(S(0.2), -93, PERCENT(45u));
	CHECK_EQ(phy, PNC_PHY_CODED_S8);
	last(S(2), -97, PERCENT(100u));
	CHECK_EQ(phy, PNC_PHY_CODED_S8);
}

TEST(test_failed_events_at_high_power_are_not_the_powers_fault)
{
	begin(PNC_PHY_LE_2M);
	last(S(20), -76, PERCENT(90u));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_a_link_that_is_about_to_end_gets_the_slowest_phy)
{
	begin(PNC_PHY_LE_2M);
	last(S(1), -85, PERCENT(61u));
	CHECK_EQ(phy, PNC_PHY_CODED_S8);
	CHECK_EQ(changes, 1);
}

TEST(test_without_a_measurement_only_failed_events_count)
{
	begin(PNC_PHY_LE_2M);
	last(S(2), PNC_RSSI_UNKNOWN, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
	last(S(0.2), PNC_RSSI_UNKNOWN, PERCENT(30u));
	CHECK_EQ(phy, PNC_PHY_LE_1M);
	last(S(60), PNC_RSSI_UNKNOWN, 0);
	CHECK_EQ(phy, PNC_PHY_LE_1M);
}

TEST(test_an_unknown_measurement_leaves_the_average_as_it_is)
{
	begin(PNC_PHY_LE_1M);
	last(S(0.5), -60, 0);
	last(S(2), PNC_RSSI_UNKNOWN, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_while_events_fail_a_faster_phy_needs_more_power)
{
	begin(PNC_PHY_LE_1M);
	last(S(20), -75, PERCENT(10u));
	CHECK_EQ(phy, PNC_PHY_LE_1M);
	last(S(20), -74, PERCENT(10u));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_failed_events_at_high_power_do_not_hold_a_slow_phy)
{
	begin(PNC_PHY_CODED_S2);
	last(S(2), -60, PERCENT(90u));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
	CHECK_EQ(changes, 1);
}

/* How long the present PHY lasts with that power and loss, at most 60 s. */
static uint32_t until_change_us(int8_t rssi_dbm, uint16_t loss)
{
	uint32_t begin_us = now_us, before = changes;
	while (changes == before && now_us - begin_us < S(60)) {
		last(STEP_US, rssi_dbm, loss);
	}
	return now_us - begin_us;
}

TEST(test_going_up_takes_longer_after_each_mistake_and_soon_again_when_it_has_lasted)
{
	uint32_t waited_us = 0;
	begin(PNC_PHY_LE_1M);
	for (int i = 0; i < 5; i++) {
		uint32_t us = until_change_us(-85, 0);
		CHECK_EQ(phy, PNC_PHY_LE_2M);
		CHECK(us > waited_us || us >= S(10));
		CHECK(us <= S(17));
		waited_us = us;
		CHECK(until_change_us(-85, PERCENT(50u)) <= S(0.5));
		CHECK_EQ(phy, PNC_PHY_LE_1M);
	}
	CHECK(waited_us >= S(8));
	last(S(20), -85, 0);
	CHECK_EQ(phy, PNC_PHY_LE_2M);
	last(S(11), -85, 0);
	CHECK(until_change_us(-85, PERCENT(50u)) <= S(0.5));
	CHECK(until_change_us(-85, 0) <= S(1.2));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}

TEST(test_a_peer_that_does_not_follow_is_asked_ever_more_rarely)
{
	uint32_t asked = 0;
	begin(PNC_PHY_LE_2M);
	for (uint32_t end_us = now_us + S(100); now_us < end_us; now_us += STEP_US) {
		uint8_t next = pnc_phy_choice_next(&choice, now_us, PNC_PHY_LE_2M, SLOWEST, -94, 0);
		asked += next != PNC_PHY_KEEP;
	}
	CHECK(asked >= 8 && asked <= 12);
}

TEST(test_nothing_slower_is_chosen_than_the_radio_has)
{
	begin(PNC_PHY_LE_2M);
	for (int i = 0; i < 100; i++) {
		uint8_t next = pnc_phy_choice_next(&choice, now_us, phy, PNC_PHY_LE_1M, -104, PERCENT(80u));
		phy = next != PNC_PHY_KEEP ? next : phy;
		now_us += STEP_US;
	}
	CHECK_EQ(phy, PNC_PHY_LE_1M);
}
