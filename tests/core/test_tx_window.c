#include "pnc/tx_window.h"

#include "check.h"

#define INTERVAL_US 7500u

static struct pnc_tx_window window;

/* Hand packets out until the window is full and acknowledge them all `radio_us` later. Return the new time. */
static uint32_t cycle(uint32_t now_us, uint32_t radio_us)
{
	while (!pnc_tx_window_is_full(&window)) {
		pnc_tx_window_add(&window, now_us, 236, true);
	}
	while (window.count > 0) {
		(void)pnc_tx_window_acknowledge(&window, now_us + radio_us, INTERVAL_US);
	}
	return now_us + radio_us;
}

TEST(test_a_good_link_keeps_as_many_inside_as_it_may)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, 4);
	for (int i = 0; i < 100; i++) {
		now_us = cycle(now_us, 2u * INTERVAL_US);
		CHECK_EQ(window.limit, 4);
	}
	CHECK_EQ(pnc_tx_window_delay_us(&window, INTERVAL_US), 0);
}

TEST(test_a_slow_link_keeps_one_inside)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, 4);
	for (int i = 0; i < 10; i++) {
		now_us = cycle(now_us, 20u * INTERVAL_US);
	}
	CHECK_EQ(window.limit, 1);
	pnc_tx_window_add(&window, now_us, 1, true);
	CHECK(pnc_tx_window_is_full(&window));
}

TEST(test_a_link_that_recovers_gets_all_of_them_again)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, 6);
	for (int i = 0; i < 10; i++) {
		now_us = cycle(now_us, 20u * INTERVAL_US);
	}
	CHECK_EQ(window.limit, 1);
	for (int i = 0; i < 20; i++) {
		now_us = cycle(now_us, INTERVAL_US);
	}
	CHECK_EQ(window.limit, 6);
}

/* The limit that a link settles on whose radio takes `packet_us` for each packet: acknowledgements are that far apart.
 */
static uint8_t settled(uint8_t most, uint32_t packet_us)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, most);
	for (int i = 0; i < 60; i++) {
		while (!pnc_tx_window_is_full(&window)) {
			pnc_tx_window_add(&window, now_us, 236, true);
		}
		now_us += packet_us;
		(void)pnc_tx_window_acknowledge(&window, now_us, INTERVAL_US);
	}
	return window.limit;
}

TEST(test_the_packets_behind_the_oldest_take_two_and_a_half_intervals_to_leave)
{
	for (uint8_t most = 1; most <= PNC_IN_FLIGHT_MAX; most++) {
		for (uint32_t packet_us = 500; packet_us <= 20u * INTERVAL_US; packet_us += 250) {
			uint32_t behind = 5u * INTERVAL_US / 2u / (packet_us + 1u);
			if (behind == 0 && packet_us <= 4u * INTERVAL_US) {
				behind = 1; /* a lossy link loses events, not packets: two fit into the next one */
			}
			uint32_t should = behind + 1u < most ? behind + 1u : most;
			CHECK_EQ(settled(most, packet_us), should);
		}
	}
}

TEST(test_a_fast_link_has_as_many_as_it_may)
{
	CHECK_EQ(settled(4, 1400), 4);
	CHECK_EQ(settled(PNC_IN_FLIGHT_MAX, 1400), PNC_IN_FLIGHT_MAX);
}

TEST(test_a_lossy_link_has_two)
{
	CHECK_EQ(settled(4, 3u * INTERVAL_US), 2);
	CHECK_EQ(settled(4, 4u * INTERVAL_US), 2);
	CHECK_EQ(settled(4, 4u * INTERVAL_US + 1u), 1);
}

TEST(test_the_limit_is_never_below_one_nor_above_the_most)
{
	uint32_t random = 2463534242u;
	for (uint8_t most = 1; most <= PNC_IN_FLIGHT_MAX; most++) {
		uint32_t now_us = 0xFFFF0000u;
		pnc_tx_window_init(&window, most);
		for (int i = 0; i < 5000; i++) {
			if (!pnc_tx_window_is_full(&window) && (window.count == 0 || check_random(&random) % 3u > 0)) {
				pnc_tx_window_add(&window, now_us, 1, true);
			} else {
				uint32_t scale = check_random(&random) % 18u;
				uint32_t interval_us = check_random(&random) % 50u == 0 ? 0 : 4000000u >> scale;
				now_us += check_random(&random) % (1u + (4000000u >> scale));
				(void)pnc_tx_window_acknowledge(&window, now_us, interval_us);
			}
			CHECK(window.limit >= 1 && window.limit <= most);
			CHECK(window.count <= most);
			CHECK(window.count > 0 || !pnc_tx_window_is_full(&window)); /* it can always go on */
		}
	}
}

TEST(test_a_single_slow_packet_closes_the_window_and_fast_ones_open_it_again)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, 4);
	for (int i = 0; i < 10; i++) {
		now_us = cycle(now_us, INTERVAL_US);
	}
	CHECK_EQ(window.limit, 4);
	pnc_tx_window_add(&window, now_us, 236, true);
	now_us += 40u * INTERVAL_US;
	(void)pnc_tx_window_acknowledge(&window, now_us, INTERVAL_US);
	CHECK_EQ(window.limit, 1);
	int needed = 0;
	while (window.limit < 4 && needed < 40) {
		now_us = cycle(now_us, INTERVAL_US / 2u);
		needed++;
	}
	CHECK(needed <= 10);
}

TEST(test_the_time_of_a_packet_is_the_mean_of_the_last_one_and_those_before)
{
	static const uint32_t radio_us[] = {1000, 3000, 4000};
	static const uint32_t means_us[] = {1000, 2000, 3000};
	pnc_tx_window_init(&window, 1);
	for (int i = 0; i < 3; i++) {
		pnc_tx_window_add(&window, 0, 236, true);
		(void)pnc_tx_window_acknowledge(&window, radio_us[i], INTERVAL_US);
		CHECK_EQ(window.packet_us, means_us[i]);
	}
}

TEST(test_the_limit_grows_also_if_many_more_would_fit)
{
	uint32_t now_us = 40u * INTERVAL_US;
	pnc_tx_window_init(&window, PNC_IN_FLIGHT_MAX);
	pnc_tx_window_add(&window, 0, 236, true);
	(void)pnc_tx_window_acknowledge(&window, now_us, INTERVAL_US);
	CHECK_EQ(window.limit, 1);
	for (int i = 0; i < 20; i++) {
		pnc_tx_window_add(&window, now_us, 236, true);
		now_us += 100;
		(void)pnc_tx_window_acknowledge(&window, now_us, INTERVAL_US);
	}
	CHECK_EQ(window.limit, PNC_IN_FLIGHT_MAX);
}

TEST(test_the_time_inside_is_foretold_but_for_two_intervals)
{
	uint32_t now_us = 0;
	pnc_tx_window_init(&window, 1);
	CHECK_EQ(pnc_tx_window_delay_us(&window, INTERVAL_US), 0);
	for (int i = 0; i < 40; i++) {
		now_us = cycle(now_us, 100000);
	}
	uint32_t ahead_us = pnc_tx_window_delay_us(&window, INTERVAL_US);
	CHECK(ahead_us > 100000u - 2u * INTERVAL_US - 10u);
	CHECK(ahead_us <= 100000u - 2u * INTERVAL_US);
}

#define EVENT_INTERVAL_US 15000u
#define EXCHANGE_US 2500u

static void refill(uint32_t now_us)
{
	while (!pnc_tx_window_is_full(&window)) {
		pnc_tx_window_add(&window, now_us, 236, true);
	}
}

/* One connection event of a link layer: it begins a packet while there is one and says with each whether another
 * follows; what comes from the other side acknowledges the packet before. The exchange `lost` (from 0) ends it; -1:
 * none. Returns the packets on the air. */
static int event(uint32_t now_us, bool *unacknowledged, int lost)
{
	int sent = 0;
	for (bool more = true; more; now_us += EXCHANGE_US) {
		if (*unacknowledged) {
			(void)pnc_tx_window_acknowledge(&window, now_us, EVENT_INTERVAL_US);
			*unacknowledged = false;
		}
		more = window.count > 1;
		refill(now_us); /* too late for what is on the air now */
		if (sent == lost) {
			return sent;
		}
		sent++;
		*unacknowledged = true;
	}
	return sent;
}

TEST(test_an_event_carries_what_it_should_and_ends_with_it)
{
	bool unacknowledged = false;
	pnc_tx_window_init(&window, 3);
	pnc_tx_window_set_event_packets(&window, 5);
	refill(0);
	for (uint32_t i = 1; i < 200; i++) {
		CHECK_EQ(event(i * EVENT_INTERVAL_US, &unacknowledged, -1), 5);
		CHECK_EQ(window.limit, 3);
	}
}

TEST(test_events_after_an_error_are_full_again)
{
	for (int lost = 0; lost < 5; lost++) {
		bool unacknowledged = false;
		pnc_tx_window_init(&window, 3);
		pnc_tx_window_set_event_packets(&window, 5);
		refill(0);
		for (uint32_t i = 1; i < 50; i++) {
			int sent = event(i * EVENT_INTERVAL_US, &unacknowledged, i == 10 ? lost : -1);
			CHECK(i == 10 || i == 11 || sent == 5);
			CHECK(sent <= 6); /* the last packet of an event again, and those of the next */
		}
	}
}

/* Hand out the five packets of an event at 0, and acknowledge two of them by 5 ms. */
static void begin_event(void)
{
	pnc_tx_window_init(&window, PNC_IN_FLIGHT_MAX);
	pnc_tx_window_set_event_packets(&window, 5);
	refill(0);
	CHECK_EQ(window.count, 5);
	(void)pnc_tx_window_acknowledge(&window, EXCHANGE_US, EVENT_INTERVAL_US);
	(void)pnc_tx_window_acknowledge(&window, 2u * EXCHANGE_US, EVENT_INTERVAL_US);
	CHECK(pnc_tx_window_is_full(&window));
}

TEST(test_an_acknowledgement_later_than_nine_quarters_of_a_packet_begins_an_event)
{
	const uint32_t late_us = EVENT_INTERVAL_US / 5u * 9u / 4u;
	begin_event();
	(void)pnc_tx_window_acknowledge(&window, 2u * EXCHANGE_US + late_us, EVENT_INTERVAL_US);
	CHECK(pnc_tx_window_is_full(&window));
	begin_event();
	(void)pnc_tx_window_acknowledge(&window, 2u * EXCHANGE_US + late_us + 1u, EVENT_INTERVAL_US);
	refill(0);
	CHECK_EQ(window.count, 4); /* two that are sent again and two more follow the acknowledged one */
}

TEST(test_an_event_of_one_packet_waits_for_it)
{
	pnc_tx_window_init(&window, 4);
	pnc_tx_window_set_event_packets(&window, 1);
	for (uint32_t i = 0; i < 10; i++) {
		refill(i * EVENT_INTERVAL_US);
		CHECK_EQ(window.count, 1);
		(void)pnc_tx_window_acknowledge(&window, (i + 1u) * EVENT_INTERVAL_US, EVENT_INTERVAL_US);
	}
}

TEST(test_a_lower_number_for_events_holds_at_once)
{
	pnc_tx_window_init(&window, 8);
	pnc_tx_window_set_event_packets(&window, 5);
	refill(0);
	pnc_tx_window_set_event_packets(&window, 3);
	CHECK(pnc_tx_window_is_full(&window));
	(void)pnc_tx_window_acknowledge(&window, EXCHANGE_US, EVENT_INTERVAL_US);
	CHECK(pnc_tx_window_is_full(&window));
}

TEST(test_a_number_for_events_that_comes_late_does_not_count_what_has_left)
{
	pnc_tx_window_init(&window, 4);
	for (uint32_t i = 0; i < 10; i++) {
		(void)cycle(i * EVENT_INTERVAL_US, EXCHANGE_US);
	}
	pnc_tx_window_set_event_packets(&window, 3);
	refill(0);
	CHECK_EQ(window.count, 3);
	pnc_tx_window_set_event_packets(&window, 3); /* another parameter has changed */
	CHECK(pnc_tx_window_is_full(&window));
	(void)pnc_tx_window_acknowledge(&window, EXCHANGE_US, EVENT_INTERVAL_US);
	CHECK_EQ(window.count, 2);
	pnc_tx_window_set_event_packets(&window, 3);
	CHECK(pnc_tx_window_is_full(&window)); /* three of this event are with the radio or acknowledged */
	pnc_tx_window_set_event_packets(&window, 0);
	pnc_tx_window_set_event_packets(&window, 3);
	refill(0);
	CHECK_EQ(window.count, 3);
}

TEST(test_without_a_number_for_events_only_the_limit_holds)
{
	pnc_tx_window_init(&window, 3);
	refill(0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(window.count, 3);
		(void)pnc_tx_window_acknowledge(&window, (uint32_t)i * EXCHANGE_US, EVENT_INTERVAL_US);
		refill((uint32_t)i * EXCHANGE_US);
	}
}

TEST(test_packets_come_back_in_the_order_they_were_handed_out)
{
	pnc_tx_window_init(&window, PNC_IN_FLIGHT_MAX);
	for (uint8_t round = 0; round < 50; round++) {
		for (uint8_t i = 0; i < 3; i++) {
			pnc_tx_window_add(&window, 0, (uint8_t)(round + i), i != 1);
		}
		CHECK_EQ(pnc_tx_window_pictures(&window), round == 0 ? 2 : 3);
		for (uint8_t i = 0; i < 3; i++) {
			struct pnc_tx_packet packet = pnc_tx_window_acknowledge(&window, 0, INTERVAL_US);
			CHECK_EQ(packet.codec_bytes, round + i);
			CHECK_EQ(packet.credited, i != 1);
		}
	}
}

TEST(test_a_forgotten_session_counts_nothing)
{
	pnc_tx_window_init(&window, 2);
	pnc_tx_window_add(&window, 0, 5, true);
	pnc_tx_window_forget_session(&window);
	CHECK_EQ(pnc_tx_window_pictures(&window), 1);
	CHECK(!pnc_tx_window_acknowledge(&window, 0, INTERVAL_US).credited);
}

TEST(test_the_time_inside_is_right_across_the_wrap_of_the_clock)
{
	pnc_tx_window_init(&window, 1);
	for (int i = 0; i < 40; i++) {
		pnc_tx_window_add(&window, 0xFFFFFF00u, 1, true);
		(void)pnc_tx_window_acknowledge(&window, 0xFFFFFF00u + 50000u, INTERVAL_US);
	}
	CHECK(window.radio_us > 49990u && window.radio_us <= 50000u);
}
