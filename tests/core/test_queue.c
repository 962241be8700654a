/* The queue's claims, one by one; test_queue_model.py compares it with a naive one at every step. */
#include "pnc/queue.h"

#include "check.h"
#include "pictures.h"

#define MS 1000u

static struct pnc_queue queue;

static enum pnc_push push(uint32_t now_us, struct picture p)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = picture_write(&p, packet);
	return pnc_queue_push(&queue, now_us, packet, len);
}

/* The position of the packet popped; -1 if none. */
static int pop(uint32_t now_us)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_queue_pop(&queue, now_us, packet);
	return len > 0 ? picture_read(packet, len).position : -1;
}

static void check_accounts(void)
{
	const struct pnc_queue_totals *t = &queue.totals;
	CHECK_EQ(t->accepted, t->sent + t->expired + t->evicted + t->flushed + queue.waiting);
}

static void fill(uint8_t rank, uint16_t remaining_ms)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		CHECK_EQ(push(0, (struct picture){.rank = rank, .position = i, .remaining_ms = remaining_ms}),
			 PNC_PUSH_OK);
	}
}

TEST(test_no_packet_of_lower_importance_leaves_before_one_of_higher)
{
	pnc_queue_init(&queue);
	static const uint8_t ranks[] = {200, 0, 31, 32, 255, 33, 64, 63, 1, 128};
	for (uint8_t i = 0; i < sizeof(ranks); i++) {
		push(0, (struct picture){.rank = ranks[i], .position = ranks[i], .remaining_ms = (uint16_t)(900 - i)});
	}
	int last = -1;
	for (uint8_t i = 0; i < sizeof(ranks); i++) {
		int rank = pop(MS);
		CHECK(rank > last);
		last = rank;
	}
	CHECK_EQ(last, 255);
	CHECK_EQ(pop(MS), -1);
}

TEST(test_every_rank_comes_out_in_its_place)
{
	for (unsigned low = 0; low < PNC_MAX_RANKS; low++) {
		for (unsigned high = low + 1u; high < PNC_MAX_RANKS; high++) {
			pnc_queue_init(&queue);
			push(0, (struct picture){.rank = (uint8_t)high, .position = (uint16_t)high, .remaining_ms = 5});
			push(0, (struct picture){.rank = (uint8_t)low, .position = (uint16_t)low, .remaining_ms = 9});
			CHECK_EQ(pop(0), low);
			CHECK_EQ(pop(0), high);
		}
	}
}

TEST(test_equal_ranks_leave_by_deadline)
{
	pnc_queue_init(&queue);
	static const uint16_t remaining_ms[] = {50, 20, 90, 10, 70};
	for (uint16_t i = 0; i < 5; i++) {
		push(0, (struct picture){.rank = 3, .position = remaining_ms[i], .remaining_ms = remaining_ms[i]});
	}
	CHECK_EQ(pop(0), 10);
	CHECK_EQ(pop(0), 20);
	CHECK_EQ(pop(0), 50);
	CHECK_EQ(pop(0), 70);
	CHECK_EQ(pop(0), 90);
}

TEST(test_equal_ranks_and_deadlines_leave_by_arrival)
{
	fill(7, 100);
	for (int i = 0; i < (int)PNC_QUEUE_SLOTS; i++) {
		CHECK_EQ(pop(MS), i);
	}
}

TEST(test_nothing_leaves_after_its_deadline)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.rank = 0, .position = 1, .remaining_ms = 10});
	push(0, (struct picture){.rank = 1, .position = 2, .remaining_ms = 11});
	CHECK_EQ(pop(10 * MS), 2);
	CHECK_EQ(queue.totals.expired, 1);
	CHECK_EQ(queue.waiting, 0);
	check_accounts();
}

TEST(test_a_packet_leaves_while_a_whole_millisecond_remains)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.position = 1, .remaining_ms = 10});
	push(0, (struct picture){.position = 2, .remaining_ms = 10});
	CHECK_EQ(pop(9 * MS), 1);
	CHECK_EQ(pop(9 * MS + 1u), -1);
	CHECK_EQ(queue.totals.expired, 1);
}

TEST(test_no_remaining_time_is_expired_at_once)
{
	pnc_queue_init(&queue);
	CHECK_EQ(push(0, (struct picture){.remaining_ms = 0}), PNC_PUSH_EXPIRED);
	CHECK_EQ(queue.totals.accepted, 1);
	CHECK_EQ(queue.totals.expired, 1);
	CHECK_EQ(queue.waiting, 0);
}

TEST(test_expire_drops_what_is_past_and_nothing_else)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < 40; i++) {
		uint16_t remaining_ms = (uint16_t)(1 + i * 7 % 40);
		push(0, (struct picture){
				.rank = (uint8_t)(i % 5), .position = remaining_ms, .remaining_ms = remaining_ms});
	}
	CHECK_EQ(pnc_queue_expire(&queue, 0), 0);
	CHECK_EQ(pnc_queue_expire(&queue, 20 * MS), 20);
	CHECK_EQ(queue.waiting, 20);
	CHECK_EQ(pnc_queue_expire(&queue, 20 * MS), 0);
	for (int i = 0; i < 20; i++) {
		CHECK(pop(20 * MS) > 20);
	}
	check_accounts();
}

TEST(test_remaining_time_subtracts_the_hold)
{
	uint8_t packet[PNC_MAX_PACKET];
	pnc_queue_init(&queue);
	push(123456, (struct picture){.rank = 1, .remaining_ms = 300});
	push(123456, (struct picture){.rank = 2, .remaining_ms = 300});
	size_t len = pnc_queue_pop(&queue, 123456, packet);
	CHECK_EQ(picture_read(packet, len).remaining_ms, 300);
	len = pnc_queue_pop(&queue, 123456 + 40 * MS + 1u, packet);
	CHECK_EQ(picture_read(packet, len).remaining_ms, 259);
}

TEST(test_only_the_remaining_time_changes_on_the_way)
{
	uint8_t in[PNC_MAX_PACKET];
	uint8_t out[PNC_MAX_PACKET];
	struct picture p = {
		.source = 5, .program = 2, .image = 0x4D07, .rank = 9, .position = 0xBEEF, .remaining_ms = 65535};
	for (unsigned codec_bytes = 1; codec_bytes <= PNC_MAX_CODEC_BYTES; codec_bytes++) {
		p.codec_bytes = (uint8_t)codec_bytes;
		size_t len = picture_write(&p, in);
		in[0] |= PNC_PICTURE_FLAGS_LAST;
		pnc_queue_init(&queue);
		CHECK_EQ(pnc_queue_push(&queue, 0, in, len), PNC_PUSH_OK);
		size_t out_len = pnc_queue_pop(&queue, 5 * MS, out);
		pnc_put16(in + PNC_PICTURE_REMAINING_AT, 65530);
		CHECK_BYTES(out, out_len, in, len);
	}
}

TEST(test_the_worst_waiting_packet_makes_room_for_a_better_one)
{
	fill(9, 100);
	CHECK_EQ(push(0, (struct picture){.rank = 8, .position = 500, .remaining_ms = 100}), PNC_PUSH_EVICTED);
	CHECK_EQ(queue.waiting, PNC_QUEUE_SLOTS);
	CHECK_EQ(queue.totals.evicted, 1);
	CHECK_EQ(pop(0), 500);
	for (int i = 0; i < (int)PNC_QUEUE_SLOTS - 1; i++) {
		CHECK_EQ(pop(0), i);
	}
	CHECK_EQ(pop(0), -1);
	check_accounts();
}

TEST(test_the_incoming_packet_goes_if_it_is_the_worst)
{
	fill(9, 100);
	CHECK_EQ(push(0, (struct picture){.rank = 10, .position = 500, .remaining_ms = 50}), PNC_PUSH_REFUSED);
	CHECK_EQ(push(0, (struct picture){.rank = 9, .position = 501, .remaining_ms = 101}), PNC_PUSH_REFUSED);
	CHECK_EQ(push(0, (struct picture){.rank = 9, .position = 502, .remaining_ms = 100}), PNC_PUSH_REFUSED);
	CHECK_EQ(queue.totals.evicted, 3);
	check_accounts();
	CHECK_EQ(push(0, (struct picture){.rank = 9, .position = 503, .remaining_ms = 99}), PNC_PUSH_EVICTED);
	CHECK_EQ(pop(0), 503);
	CHECK_EQ(pop(0), 0);
	check_accounts();
}

TEST(test_expired_packets_go_before_any_is_evicted)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.rank = 0, .position = 900, .remaining_ms = 5});
	for (uint16_t i = 1; i < PNC_QUEUE_SLOTS; i++) {
		push(0, (struct picture){.rank = 9, .position = i, .remaining_ms = 100});
	}
	CHECK_EQ(push(5 * MS, (struct picture){.rank = 200, .position = 901, .remaining_ms = 100}), PNC_PUSH_OK);
	CHECK_EQ(queue.totals.expired, 1);
	CHECK_EQ(queue.totals.evicted, 0);
	CHECK_EQ(pop(5 * MS), 1);
	check_accounts();
}

TEST(test_a_packet_taken_back_waits_in_its_place_and_counts_once)
{
	uint8_t packet[PNC_MAX_PACKET];
	pnc_queue_init(&queue);
	push(0, (struct picture){.rank = 1, .position = 1, .remaining_ms = 100});
	push(0, (struct picture){.rank = 2, .position = 2, .remaining_ms = 100});
	size_t len = pnc_queue_pop(&queue, 10 * MS, packet);
	CHECK_EQ(queue.totals.sent, 1);
	CHECK_EQ(pnc_queue_return(&queue, 20 * MS, packet, len), PNC_PUSH_OK);
	CHECK_EQ(queue.totals.accepted, 2);
	CHECK_EQ(queue.totals.sent, 0);
	CHECK_EQ(queue.waiting, 2);
	check_accounts();
	CHECK_EQ(pop(20 * MS), 1);
	CHECK_EQ(pop(20 * MS), 2);
	check_accounts();
}

TEST(test_flush_drops_one_image_of_one_source)
{
	pnc_queue_init(&queue);
	for (uint16_t i = 0; i < 48; i++) {
		push(0, (struct picture){.source = (uint8_t)(i % 3),
					 .image = (uint16_t)(i % 4 * 256),
					 .rank = (uint8_t)(i % 2 * 40),
					 .position = i,
					 .remaining_ms = 100});
	}
	CHECK_EQ(pnc_queue_flush(&queue, 1, 512), 4);
	CHECK_EQ(pnc_queue_flush(&queue, 1, 512), 0);
	CHECK_EQ(pnc_queue_flush(&queue, 1, 2), 0);
	CHECK_EQ(queue.totals.flushed, 4);
	CHECK_EQ(pnc_queue_flush_source(&queue, 2), 16);
	check_accounts();
	int left = 0;
	for (int position = pop(0); position >= 0; position = pop(0)) {
		CHECK(position % 3 != 2);
		CHECK(position % 3 != 1 || position % 4 != 2);
		left++;
	}
	CHECK_EQ(left, 28);
}

TEST(test_image_0_is_an_image_like_others)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.image = 0, .position = 1, .remaining_ms = 100});
	push(0, (struct picture){.image = 1, .position = 2, .remaining_ms = 100});
	CHECK_EQ(pnc_queue_flush(&queue, 0, 0), 1);
	CHECK_EQ(pop(0), 2);
}

TEST(test_flush_all_empties_the_queue_and_counts)
{
	fill(1, 100);
	CHECK_EQ(pnc_queue_flush_all(&queue), PNC_QUEUE_SLOTS);
	CHECK_EQ(queue.totals.flushed, PNC_QUEUE_SLOTS);
	check_accounts();
	CHECK_EQ(pop(0), -1);
	for (uint16_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		CHECK_EQ(push(0, (struct picture){.position = i, .remaining_ms = 9}), PNC_PUSH_OK);
	}
	CHECK_EQ(pop(0), 0);
}

TEST(test_deadlines_hold_across_the_wrap_of_the_clock)
{
	const uint32_t start_us = UINT32_MAX - 10 * MS;
	pnc_queue_init(&queue);
	push(start_us, (struct picture){.rank = 1, .position = 30, .remaining_ms = 30});
	push(start_us, (struct picture){.rank = 1, .position = 5, .remaining_ms = 5});
	push(start_us, (struct picture){.rank = 1, .position = 20, .remaining_ms = 20});
	CHECK_EQ(pnc_queue_expire(&queue, start_us + 4 * MS), 0);
	CHECK_EQ(pnc_queue_expire(&queue, start_us + 15 * MS), 1);
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_queue_pop(&queue, start_us + 15 * MS, packet);
	CHECK_EQ(picture_read(packet, len).position, 20);
	CHECK_EQ(picture_read(packet, len).remaining_ms, 5);
	CHECK_EQ(pop(start_us + 30 * MS), -1);
	CHECK_EQ(queue.totals.expired, 2);
}

TEST(test_the_longest_deadline_holds)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.position = 1, .remaining_ms = PNC_MAX_DEADLINE_MS});
	push(0, (struct picture){.position = 2, .remaining_ms = PNC_MAX_DEADLINE_MS});
	CHECK_EQ(pnc_queue_expire(&queue, (PNC_MAX_DEADLINE_MS - 1u) * MS), 0);
	CHECK_EQ(pop((PNC_MAX_DEADLINE_MS - 1u) * MS), 1);
	CHECK_EQ(pop(PNC_MAX_DEADLINE_MS * MS), -1);
}

TEST(test_the_earliest_deadline_after_expiry_may_be_that_of_a_later_rank)
{
	pnc_queue_init(&queue);
	push(0, (struct picture){.rank = 1, .position = 1, .remaining_ms = 2});
	push(0, (struct picture){.rank = 1, .position = 2, .remaining_ms = 90});
	push(0, (struct picture){.rank = 40, .position = 3, .remaining_ms = 30});
	push(0, (struct picture){.rank = 200, .position = 4, .remaining_ms = 60});
	CHECK_EQ(pnc_queue_expire(&queue, 2 * MS), 1);
	CHECK_EQ(queue.earliest_us, 30 * MS);
	CHECK_EQ(pnc_queue_expire(&queue, 29 * MS), 0);
	CHECK_EQ(pnc_queue_expire(&queue, 30 * MS), 1);
	CHECK_EQ(pnc_queue_expire(&queue, 60 * MS), 1);
	CHECK_EQ(pop(60 * MS), 2);
	check_accounts();
}
