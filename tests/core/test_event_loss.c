#include "pnc/event_loss.h"

#include "check.h"

#define EVENT_US 7500u
#define PERCENT (PNC_EVENT_LOSS_ALL / 100u)

static struct pnc_event_loss loss;

/* Carry packets without pause: of every `period` events the first one fails. Return the time after `events` events. */
static uint32_t carry(uint32_t now_us, uint32_t events, uint32_t period)
{
	pnc_event_loss_handed(&loss, now_us);
	for (uint32_t i = 0; i < events; i++) {
		now_us += EVENT_US;
		if (period == 0 || i % period != 0) {
			pnc_event_loss_acknowledged(&loss, now_us, EVENT_US, true);
			pnc_event_loss_acknowledged(&loss, now_us + 1400u, EVENT_US, true);
		}
	}
	return now_us + 1400u;
}

TEST(test_a_connection_that_carries_in_every_event_has_no_loss)
{
	pnc_event_loss_reset(&loss, 0);
	uint32_t now_us = carry(0, 1000, 0);
	CHECK_EQ(pnc_event_loss_share(&loss, now_us, EVENT_US), 0);
}

TEST(test_the_estimate_is_the_share_of_failed_events)
{
	static const uint32_t periods[] = {2, 4, 10};
	for (int i = 0; i < 3; i++) {
		memset(&loss, 0, sizeof(loss));
		pnc_event_loss_reset(&loss, 0);
		uint32_t now_us = carry(0, 2000, periods[i]);
		uint32_t percent = pnc_event_loss_share(&loss, now_us, EVENT_US) / PERCENT;
		CHECK(percent + 5u >= 100u / periods[i] && percent <= 100u / periods[i] + 5u);
	}
}

TEST(test_a_connection_that_carries_nothing_any_more_loses_every_event)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	uint32_t now_us = carry(0, 100, 0);
	CHECK_EQ(pnc_event_loss_share(&loss, now_us + EVENT_US, EVENT_US), 0);
	CHECK(pnc_event_loss_share(&loss, now_us + 3u * EVENT_US, EVENT_US) > 0);
	CHECK(pnc_event_loss_share(&loss, now_us + 200u * EVENT_US, EVENT_US) > 95u * PERCENT);
	/* However long it lasts: the time since then is not counted twice, and takes bounded steps. */
	uint16_t share = pnc_event_loss_share(&loss, now_us + 0x70000000u, EVENT_US);
	CHECK(share > 95u * PERCENT);
	CHECK_EQ(pnc_event_loss_share(&loss, now_us + 0x70000000u, EVENT_US), share);
}

TEST(test_a_packet_handed_to_an_idle_radio_may_take_two_events)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	for (uint32_t now_us = 0; now_us < 1000u * EVENT_US; now_us += 10u * EVENT_US) {
		pnc_event_loss_handed(&loss, now_us);
		pnc_event_loss_acknowledged(&loss, now_us + 2u * EVENT_US, EVENT_US, false);
		CHECK_EQ(loss.share, 0);
	}
	pnc_event_loss_handed(&loss, 0);
	pnc_event_loss_acknowledged(&loss, 5u * EVENT_US, EVENT_US, false);
	CHECK(loss.share > 0);
}

TEST(test_time_without_packets_in_flight_does_not_count)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	uint32_t now_us = carry(0, 100, 4);
	pnc_event_loss_acknowledged(&loss, now_us, EVENT_US, false);
	uint16_t share = loss.share;
	CHECK(share > 0);
	CHECK_EQ(pnc_event_loss_share(&loss, now_us + 1000u * EVENT_US, EVENT_US), share);
	pnc_event_loss_handed(&loss, now_us + 1000u * EVENT_US);
	CHECK_EQ(pnc_event_loss_share(&loss, now_us + 1002u * EVENT_US, EVENT_US), share);
}

TEST(test_another_phy_starts_without_loss_and_what_is_in_flight_stays_so)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	uint32_t now_us = carry(0, 100, 2);
	CHECK(loss.share > 0);
	pnc_event_loss_reset(&loss, now_us);
	CHECK_EQ(loss.share, 0);
	CHECK(pnc_event_loss_share(&loss, now_us + 4u * EVENT_US, EVENT_US) > 0);
}

TEST(test_an_unknown_interval_counts_nothing)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	pnc_event_loss_handed(&loss, 0);
	CHECK_EQ(pnc_event_loss_share(&loss, 1000000u, 0), 0);
}

/* A packet was handed to an idle radio at 0, and nothing is known yet. */
static void hand_to_an_idle_radio(void)
{
	memset(&loss, 0, sizeof(loss));
	pnc_event_loss_reset(&loss, 0);
	pnc_event_loss_handed(&loss, 0);
}

/* The estimate after so many failed events in a row: each one is a 32nd of the average. */
static uint16_t after_failed(uint32_t events)
{
	uint32_t share = 0;
	for (uint32_t i = 0; i < events; i++) {
		share += (PNC_EVENT_LOSS_ALL - share) / 32u;
	}
	return (uint16_t)share;
}

#define FIRST_US (EVENT_US * 9u / 4u) /* until the first packet of an idle radio is late */
#define NEXT_US (EVENT_US * 5u / 4u)  /* until a later packet is late */

TEST(test_the_first_event_has_failed_right_after_two_and_a_quarter_events)
{
	hand_to_an_idle_radio();
	CHECK_EQ(pnc_event_loss_share(&loss, FIRST_US, EVENT_US), 0);
	CHECK_EQ(pnc_event_loss_share(&loss, FIRST_US + 1u, EVENT_US), after_failed(1));
}

TEST(test_a_later_event_has_failed_right_after_one_and_a_quarter_events)
{
	hand_to_an_idle_radio();
	pnc_event_loss_acknowledged(&loss, EVENT_US, EVENT_US, true);
	CHECK_EQ(pnc_event_loss_share(&loss, EVENT_US + NEXT_US, EVENT_US), 0);
	CHECK_EQ(pnc_event_loss_share(&loss, EVENT_US + NEXT_US + 1u, EVENT_US), after_failed(1));
}

TEST(test_each_failed_event_counts_once_however_often_the_estimate_is_asked_for)
{
	static const uint32_t steps_us[] = {1000, EVENT_US - 1u, EVENT_US, EVENT_US + 1u, 10u * EVENT_US + 1234u};
	for (size_t i = 0; i < sizeof(steps_us) / sizeof(steps_us[0]); i++) {
		hand_to_an_idle_radio();
		for (uint32_t now_us = FIRST_US + 1u; now_us < 400u * EVENT_US; now_us += steps_us[i]) {
			uint16_t share = pnc_event_loss_share(&loss, now_us, EVENT_US);
			CHECK_EQ(share, after_failed((now_us - FIRST_US - 1u) / EVENT_US + 1u));
		}
	}
}

TEST(test_a_silence_of_any_length_takes_bounded_steps_at_any_interval)
{
	hand_to_an_idle_radio();
	CHECK_EQ(pnc_event_loss_share(&loss, 0x70000000u, 1), after_failed(1000));
}

TEST(test_another_packet_for_a_busy_radio_does_not_excuse_the_first)
{
	hand_to_an_idle_radio();
	pnc_event_loss_handed(&loss, 2u * EVENT_US);
	CHECK_EQ(pnc_event_loss_share(&loss, FIRST_US + 1u, EVENT_US), after_failed(1));
}

TEST(test_on_another_phy_what_is_in_flight_may_take_two_events_again)
{
	hand_to_an_idle_radio();
	pnc_event_loss_acknowledged(&loss, EVENT_US, EVENT_US, true);
	pnc_event_loss_reset(&loss, 2u * EVENT_US);
	CHECK_EQ(pnc_event_loss_share(&loss, 2u * EVENT_US + FIRST_US, EVENT_US), 0);
	CHECK_EQ(pnc_event_loss_share(&loss, 2u * EVENT_US + FIRST_US + 1u, EVENT_US), after_failed(1));
}

TEST(test_a_success_of_the_last_connection_does_not_hide_one_of_this_when_the_clock_wraps)
{
	const uint32_t success_us = 2u * EVENT_US;
	hand_to_an_idle_radio();
	pnc_event_loss_acknowledged(&loss, success_us, EVENT_US, false);
	pnc_event_loss_reset(&loss, success_us - 10u * EVENT_US); /* 71 minutes later, less ten events */
	pnc_event_loss_handed(&loss, success_us - 10u * EVENT_US);
	uint16_t failed = pnc_event_loss_share(&loss, success_us, EVENT_US);
	CHECK(failed > 0);
	pnc_event_loss_acknowledged(&loss, success_us, EVENT_US, false);
	CHECK(loss.share < failed);
}
