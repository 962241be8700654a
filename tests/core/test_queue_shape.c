/* How many packets the queue looks at, counted by its comparisons of deadlines. */
#include "pnc/clock.h"

static unsigned comparisons;
#define pnc_before(a, b) (comparisons++, pnc_before(a, b))
#include "../../firmware/core/src/queue.c"
#undef pnc_before

#include "check.h"
#include "pictures.h"

static struct pnc_queue queue;

static unsigned comparisons_of_push(struct picture p)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = picture_write(&p, packet);
	comparisons = 0;
	pnc_queue_push(&queue, 0, packet, len);
	return comparisons;
}

static unsigned comparisons_of_pop(void)
{
	uint8_t packet[PNC_MAX_PACKET];
	comparisons = 0;
	CHECK(pnc_queue_pop(&queue, 0, packet) > 0);
	return comparisons;
}

TEST(test_push_with_deadlines_in_order_looks_at_no_more_when_full)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		struct picture p = {.rank = 4, .remaining_ms = (uint16_t)(100 + i)};
		CHECK(comparisons_of_push(p) <= 2u);
	}
	CHECK(comparisons_of_push((struct picture){.rank = 5, .remaining_ms = 900}) <= 2u);
	CHECK(comparisons_of_push((struct picture){.rank = 3, .remaining_ms = 900}) <= 3u);
}

TEST(test_pop_looks_at_one_packet_however_many_wait)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		(void)comparisons_of_push((struct picture){.rank = (uint8_t)(i * 3), .remaining_ms = 100});
	}
	while (queue.waiting > 0) {
		CHECK_EQ(comparisons_of_pop(), 1);
	}
}

TEST(test_expire_with_nothing_past_looks_at_one_packet)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		(void)comparisons_of_push((struct picture){.rank = (uint8_t)i, .remaining_ms = 100});
	}
	comparisons = 0;
	CHECK_EQ(pnc_queue_expire(&queue, 0), 0);
	CHECK_EQ(comparisons, 1);
}

TEST(test_expire_looks_at_the_rest_only_once)
{
	pnc_queue_init(&queue);
	(void)comparisons_of_push((struct picture){.rank = 200, .remaining_ms = 5});
	for (uint16_t i = 0; i < 50; i++) {
		(void)comparisons_of_push((struct picture){.rank = (uint8_t)i, .remaining_ms = 100});
	}
	CHECK_EQ(pnc_queue_expire(&queue, 10000), 1);
	comparisons = 0;
	CHECK_EQ(pnc_queue_expire(&queue, 10000), 0);
	CHECK_EQ(comparisons, 1);
}
