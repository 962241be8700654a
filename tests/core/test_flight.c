#include "pnc/flight.h"

#include "check.h"

#define INTERVAL_US 7500u

static struct pnc_flight flight;

/* Hands packets out until the flight is full, then acknowledges them all `dwell_us` after that; the new clock. */
static uint32_t fly(uint32_t now_us, uint32_t dwell_us)
{
	while (!pnc_flight_full(&flight)) {
		pnc_flight_hand(&flight, now_us, 237, true);
	}
	while (flight.count > 0) {
		(void)pnc_flight_acknowledge(&flight, now_us + dwell_us, INTERVAL_US);
	}
	return now_us + dwell_us;
}

TEST(test_a_good_link_keeps_as_many_inside_as_it_may)
{
	uint32_t now_us = 0;
	pnc_flight_init(&flight, 4);
	for (int i = 0; i < 100; i++) {
		now_us = fly(now_us, 2u * INTERVAL_US);
		CHECK_EQ(flight.limit, 4);
	}
	CHECK_EQ(pnc_flight_ahead_us(&flight, INTERVAL_US), 0);
}

TEST(test_a_slow_link_keeps_one_inside)
{
	uint32_t now_us = 0;
	pnc_flight_init(&flight, 4);
	for (int i = 0; i < 10; i++) {
		now_us = fly(now_us, 20u * INTERVAL_US);
	}
	CHECK_EQ(flight.limit, 1);
	pnc_flight_hand(&flight, now_us, 1, true);
	CHECK(pnc_flight_full(&flight));
}

TEST(test_a_link_that_recovers_gets_all_of_them_again)
{
	uint32_t now_us = 0;
	pnc_flight_init(&flight, 6);
	for (int i = 0; i < 10; i++) {
		now_us = fly(now_us, 20u * INTERVAL_US);
	}
	CHECK_EQ(flight.limit, 1);
	for (int i = 0; i < 20; i++) {
		now_us = fly(now_us, INTERVAL_US);
	}
	CHECK_EQ(flight.limit, 6);
}

TEST(test_the_time_inside_is_foretold_but_for_two_intervals)
{
	uint32_t now_us = 0;
	pnc_flight_init(&flight, 1);
	CHECK_EQ(pnc_flight_ahead_us(&flight, INTERVAL_US), 0);
	for (int i = 0; i < 40; i++) {
		now_us = fly(now_us, 100000);
	}
	uint32_t ahead_us = pnc_flight_ahead_us(&flight, INTERVAL_US);
	CHECK(ahead_us > 100000u - 2u * INTERVAL_US - 10u);
	CHECK(ahead_us <= 100000u - 2u * INTERVAL_US);
}

#define EVENT_INTERVAL_US 15000u
#define EXCHANGE_US 2500u

static void refill(uint32_t now_us)
{
	while (!pnc_flight_full(&flight)) {
		pnc_flight_hand(&flight, now_us, 237, true);
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
			(void)pnc_flight_acknowledge(&flight, now_us, EVENT_INTERVAL_US);
			*unacknowledged = false;
		}
		more = flight.count > 1;
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
	pnc_flight_init(&flight, 3);
	pnc_flight_per_event(&flight, 5);
	refill(0);
	for (uint32_t i = 1; i < 200; i++) {
		CHECK_EQ(event(i * EVENT_INTERVAL_US, &unacknowledged, -1), 5);
		CHECK_EQ(flight.limit, 3);
	}
}

TEST(test_events_after_an_error_are_full_again)
{
	for (int lost = 0; lost < 5; lost++) {
		bool unacknowledged = false;
		pnc_flight_init(&flight, 3);
		pnc_flight_per_event(&flight, 5);
		refill(0);
		for (uint32_t i = 1; i < 50; i++) {
			int sent = event(i * EVENT_INTERVAL_US, &unacknowledged, i == 10 ? lost : -1);
			CHECK(i == 10 || i == 11 || sent == 5);
			CHECK(sent <= 6); /* the last packet of an event again, and those of the next */
		}
	}
}

TEST(test_without_a_number_for_events_only_the_limit_holds)
{
	pnc_flight_init(&flight, 3);
	refill(0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(flight.count, 3);
		(void)pnc_flight_acknowledge(&flight, (uint32_t)i * EXCHANGE_US, EVENT_INTERVAL_US);
		refill((uint32_t)i * EXCHANGE_US);
	}
}

TEST(test_packets_come_back_in_the_order_they_were_handed_out)
{
	pnc_flight_init(&flight, PNC_IN_FLIGHT_MAX);
	for (uint8_t round = 0; round < 50; round++) {
		for (uint8_t i = 0; i < 3; i++) {
			pnc_flight_hand(&flight, 0, (uint8_t)(round + i), i != 1);
		}
		CHECK_EQ(pnc_flight_pictures(&flight), round == 0 ? 2 : 3);
		for (uint8_t i = 0; i < 3; i++) {
			struct pnc_flying packet = pnc_flight_acknowledge(&flight, 0, INTERVAL_US);
			CHECK_EQ(packet.codec_bytes, round + i);
			CHECK_EQ(packet.credited, i != 1);
		}
	}
}

TEST(test_a_forgotten_session_counts_nothing)
{
	pnc_flight_init(&flight, 2);
	pnc_flight_hand(&flight, 0, 5, true);
	pnc_flight_forget(&flight);
	CHECK_EQ(pnc_flight_pictures(&flight), 1);
	CHECK(!pnc_flight_acknowledge(&flight, 0, INTERVAL_US).credited);
}

TEST(test_the_time_inside_is_right_across_the_wrap_of_the_clock)
{
	pnc_flight_init(&flight, 1);
	for (int i = 0; i < 40; i++) {
		pnc_flight_hand(&flight, 0xFFFFFF00u, 1, true);
		(void)pnc_flight_acknowledge(&flight, 0xFFFFFF00u + 50000u, INTERVAL_US);
	}
	CHECK(flight.dwell_us > 49990u && flight.dwell_us <= 50000u);
}
