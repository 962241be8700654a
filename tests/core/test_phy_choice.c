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

/* What is requested so long after a connection has begun, when it is asked for the first time. */
static uint8_t asked(uint8_t with, uint8_t slowest, uint32_t after_us, int8_t rssi_dbm, uint16_t loss)
{
	begin(with);
	return pnc_phy_choice_next(&choice, now_us + after_us, with, slowest, rssi_dbm, loss);
}

/* What is requested once any change is due. */
static uint8_t asked_in_the_end(uint8_t with, uint8_t slowest, int8_t rssi_dbm, uint16_t loss)
{
	return asked(with, slowest, S(1), rssi_dbm, loss);
}

TEST(test_each_phy_is_left_right_below_the_power_that_it_needs)
{
	static const struct {
		uint8_t phy, slower;
		int8_t needed_dbm;
	} cases[] = {
		{PNC_PHY_LE_2M, PNC_PHY_LE_1M, -89},
		{PNC_PHY_LE_1M, PNC_PHY_CODED_S2, -92},
		{PNC_PHY_CODED_S2, PNC_PHY_CODED_S8, -96},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int8_t needed_dbm = cases[i].needed_dbm;
		CHECK_EQ(asked_in_the_end(cases[i].phy, SLOWEST, needed_dbm, 0), PNC_PHY_KEEP);
		CHECK_EQ(asked_in_the_end(cases[i].phy, SLOWEST, (int8_t)(needed_dbm - 1), 0), cases[i].slower);
	}
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S8, SLOWEST, INT8_MIN, PNC_EVENT_LOSS_ALL), PNC_PHY_KEEP);
}

TEST(test_each_phy_is_left_right_above_the_failed_events_that_it_can_bear)
{
	static const struct {
		uint8_t phy, slower;
		int8_t rssi_dbm;
		uint16_t most;
	} cases[] = {
		{PNC_PHY_LE_2M, PNC_PHY_LE_1M, -85, PERCENT(20u)},
		{PNC_PHY_LE_1M, PNC_PHY_CODED_S2, -88, PERCENT(20u)},
		{PNC_PHY_CODED_S2, PNC_PHY_CODED_S8, -93, PERCENT(40u)},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t most = cases[i].most;
		CHECK_EQ(asked_in_the_end(cases[i].phy, SLOWEST, cases[i].rssi_dbm, most), PNC_PHY_KEEP);
		CHECK_EQ(asked_in_the_end(cases[i].phy, SLOWEST, cases[i].rssi_dbm, (uint16_t)(most + 1u)),
			 cases[i].slower);
	}
}

TEST(test_failed_events_are_put_down_to_the_power_up_to_12_db_above_what_is_needed)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_2M, SLOWEST, -77, PERCENT(30u)), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_2M, SLOWEST, -78, PERCENT(30u)), PNC_PHY_LE_1M);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S2, SLOWEST, -84, PERCENT(50u)), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S2, SLOWEST, -85, PERCENT(50u)), PNC_PHY_CODED_S8);
}

TEST(test_right_above_60_percent_of_failed_events_a_link_is_about_to_end)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_2M, SLOWEST, -85, PERCENT(60u)), PNC_PHY_LE_1M);
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_2M, SLOWEST, -85, PERCENT(60u) + 1u), PNC_PHY_CODED_S8);
}

TEST(test_right_above_6_percent_of_failed_events_a_faster_phy_needs_more_power)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_1M, SLOWEST, -86, PERCENT(6u)), PNC_PHY_LE_2M);
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_1M, SLOWEST, -86, PERCENT(6u) + 1u), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_1M, SLOWEST, -87, 0), PNC_PHY_KEEP);
}

TEST(test_where_both_are_low_the_power_decides_how_far_down)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_2M, SLOWEST, -98, PERCENT(30u)), PNC_PHY_CODED_S8);
}

TEST(test_down_takes_300_ms_and_up_takes_a_second)
{
	CHECK_EQ(asked(PNC_PHY_LE_2M, SLOWEST, S(0.3) - 1u, -91, 0), PNC_PHY_KEEP);
	CHECK_EQ(asked(PNC_PHY_LE_2M, SLOWEST, S(0.3), -91, 0), PNC_PHY_LE_1M);
	CHECK_EQ(asked(PNC_PHY_LE_1M, SLOWEST, S(1) - 1u, -60, 0), PNC_PHY_KEEP);
	CHECK_EQ(asked(PNC_PHY_LE_1M, SLOWEST, S(1), -60, 0), PNC_PHY_LE_2M);
}

TEST(test_failed_events_on_the_slowest_phy_that_may_be_chosen_change_nothing)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S2, PNC_PHY_CODED_S2, -90, PERCENT(50u)), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_LE_1M, PNC_PHY_LE_1M, -90, PERCENT(30u)), PNC_PHY_KEEP);
}

TEST(test_a_phy_slower_than_may_be_chosen_is_left_for_a_faster_one_that_has_the_power)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S8, PNC_PHY_CODED_S2, -110, 0), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S8, PNC_PHY_CODED_S2, -95, PERCENT(80u)), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S2, PNC_PHY_LE_1M, -90, PERCENT(50u)), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S8, PNC_PHY_CODED_S2, -93, 0), PNC_PHY_CODED_S2);
	CHECK_EQ(asked_in_the_end(PNC_PHY_CODED_S2, PNC_PHY_LE_1M, -60, 0), PNC_PHY_LE_2M);
}

TEST(test_a_phy_that_is_not_known_counts_as_the_slowest)
{
	CHECK_EQ(asked_in_the_end(PNC_PHY_KEEP, SLOWEST, -110, PNC_EVENT_LOSS_ALL), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_KEEP, SLOWEST, -96, 0), PNC_PHY_KEEP);
	CHECK_EQ(asked_in_the_end(PNC_PHY_KEEP, SLOWEST, -93, 0), PNC_PHY_CODED_S2);
	CHECK_EQ(asked_in_the_end(PNC_PHY_KEEP, SLOWEST, -60, 0), PNC_PHY_LE_2M);
}

/* Ask every millisecond until another PHY is requested, and return how long that took. The peer follows if told so. */
static uint32_t waited_us(int8_t rssi_dbm, uint16_t loss, bool follows)
{
	for (uint32_t us = 1000; us <= S(60); us += 1000) {
		uint8_t next = pnc_phy_choice_next(&choice, now_us + us, phy, SLOWEST, rssi_dbm, loss);
		if (next != PNC_PHY_KEEP) {
			now_us += us;
			phy = follows ? next : phy;
			return us;
		}
	}
	return 0;
}

TEST(test_a_peer_that_does_not_follow_is_asked_after_twice_the_time_up_to_16_s)
{
	static const uint32_t waits_s[] = {1, 2, 4, 8, 16, 16, 16};
	static const int8_t rssi_dbm[] = {-91, -94, -98}; /* for 1M, S2, S8 */
	for (size_t k = 0; k < 3; k++) {
		begin(PNC_PHY_LE_2M);
		CHECK_EQ(waited_us(rssi_dbm[k], 0, false), S(0.3));
		for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
			CHECK_EQ(waited_us(rssi_dbm[k], 0, false), S(waits_s[i]));
		}
	}
}

TEST(test_a_peer_that_does_not_follow_to_a_faster_phy_is_asked_as_rarely)
{
	static const uint32_t waits_s[] = {1, 1, 2, 4, 8, 16, 16, 16};
	begin(PNC_PHY_LE_1M);
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
		CHECK_EQ(waited_us(-60, 0, false), S(waits_s[i]));
	}
}

TEST(test_going_up_was_a_mistake_unless_the_faster_phy_has_lasted_for_10_s)
{
	static const struct {
		uint32_t lasts_us, next_wait_us;
	} cases[] = {{S(0.3), S(2)}, {S(10) - 1u, S(2)}, {S(10), S(1)}, {S(12), S(1)}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(PNC_PHY_LE_1M);
		CHECK_EQ(waited_us(-85, 0, true), S(1));
		CHECK_EQ(phy, PNC_PHY_LE_2M);
		now_us += cases[i].lasts_us; /* nothing is asked meanwhile */
		phy = pnc_phy_choice_next(&choice, now_us, phy, SLOWEST, -85, PERCENT(30u));
		CHECK_EQ(phy, PNC_PHY_LE_1M);
		CHECK_EQ(waited_us(-85, 0, true), cases[i].next_wait_us);
	}
}

TEST(test_where_going_up_is_always_a_mistake_it_is_tried_after_twice_the_time_up_to_16_s)
{
	static const uint32_t waits_s[] = {1, 2, 4, 8, 16, 16, 16};
	begin(PNC_PHY_LE_1M);
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
		CHECK_EQ(waited_us(-85, 0, true), S(waits_s[i]));
		CHECK_EQ(phy, PNC_PHY_LE_2M);
		CHECK_EQ(waited_us(-85, PERCENT(50u), true), S(0.3));
		CHECK_EQ(phy, PNC_PHY_LE_1M);
	}
}

TEST(test_a_mistake_of_the_last_connection_does_not_slow_this_one)
{
	begin(PNC_PHY_LE_1M);
	CHECK_EQ(waited_us(-85, 0, true), S(1)); /* up, and the connection ends */
	begin(PNC_PHY_LE_2M);
	CHECK_EQ(waited_us(-91, 0, true), S(0.3));
	last(S(0.5), -60, 0); /* the average follows */
	CHECK_EQ(waited_us(-60, 0, true), S(0.5));
	CHECK_EQ(phy, PNC_PHY_LE_2M);
}
