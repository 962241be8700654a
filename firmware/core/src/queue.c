#include "pnc/queue.h"

#include <stdbool.h>

#include "pnc/clock.h"

#define WORD_BITS 32u
#define ANY_IMAGE 0x10000u

_Static_assert(PNC_QUEUE_SLOTS >= 1u && PNC_QUEUE_SLOTS <= 254u, "slots are numbered by a byte");

/* Return the number of the lowest bit set in v, which must not be 0. */
static uint8_t lowest_bit(uint32_t v)
{
	uint8_t n = 0;
	for (uint8_t half = WORD_BITS / 2u; half > 0; half /= 2u) {
		if ((v & ((1u << half) - 1u)) == 0) {
			v >>= half;
			n = (uint8_t)(n + half);
		}
	}
	return n;
}

/* Return the number of the highest bit set in v, which must not be 0. */
static uint8_t highest_bit(uint32_t v)
{
	uint8_t n = 0;
	for (uint8_t half = WORD_BITS / 2u; half > 0; half /= 2u) {
		if (v >> half != 0) {
			v >>= half;
			n = (uint8_t)(n + half);
		}
	}
	return n;
}

static uint8_t best_rank(const struct pnc_queue *q)
{
	uint8_t word = lowest_bit(q->used_words);
	return (uint8_t)(word * WORD_BITS + lowest_bit(q->used[word]));
}

static uint8_t worst_rank(const struct pnc_queue *q)
{
	uint8_t word = highest_bit(q->used_words);
	return (uint8_t)(word * WORD_BITS + highest_bit(q->used[word]));
}

/* Return true if less than 1 ms remains until the deadline. */
static bool is_past(uint32_t deadline_us, uint32_t now_us)
{
	return pnc_before(deadline_us, now_us + PNC_US_PER_MS);
}

/* Empty the buckets and free every slot. */
static void clear(struct pnc_queue *q)
{
	memset(q->head, PNC_NO_SLOT, sizeof(q->head));
	memset(q->tail, PNC_NO_SLOT, sizeof(q->tail));
	memset(q->used, 0, sizeof(q->used));
	q->used_words = 0;
	q->waiting = 0;
	for (uint8_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		q->slots[i].next = (uint8_t)(i + 1u);
	}
	q->slots[PNC_QUEUE_SLOTS - 1u].next = PNC_NO_SLOT;
	q->free = 0;
}

void pnc_queue_init(struct pnc_queue *q)
{
	memset(q, 0, sizeof(*q));
	clear(q);
}

/* Insert slot `at` into its bucket, after every packet whose deadline is not later. */
static void insert(struct pnc_queue *q, uint8_t at)
{
	struct pnc_slot *s = &q->slots[at];
	uint8_t rank = s->packet[PNC_PICTURE_RANK_AT];
	uint8_t after = q->tail[rank];
	uint8_t before = PNC_NO_SLOT;
	while (after != PNC_NO_SLOT && pnc_before(s->deadline_us, q->slots[after].deadline_us)) {
		before = after;
		after = q->slots[after].previous;
	}
	s->previous = after;
	s->next = before;
	if (after == PNC_NO_SLOT) {
		q->head[rank] = at;
	} else {
		q->slots[after].next = at;
	}
	if (before == PNC_NO_SLOT) {
		q->tail[rank] = at;
	} else {
		q->slots[before].previous = at;
	}
	q->used[rank / WORD_BITS] |= 1u << rank % WORD_BITS;
	q->used_words |= 1u << rank / WORD_BITS;
	if (q->waiting == 0 || pnc_before(s->deadline_us, q->earliest_us)) {
		q->earliest_us = s->deadline_us;
	}
	q->waiting++;
}

/* Remove slot `at` from its bucket and free it. Its content stays valid until the next push. */
static void take(struct pnc_queue *q, uint8_t at)
{
	struct pnc_slot *s = &q->slots[at];
	uint8_t rank = s->packet[PNC_PICTURE_RANK_AT];
	if (s->previous == PNC_NO_SLOT) {
		q->head[rank] = s->next;
	} else {
		q->slots[s->previous].next = s->next;
	}
	if (s->next == PNC_NO_SLOT) {
		q->tail[rank] = s->previous;
	} else {
		q->slots[s->next].previous = s->previous;
	}
	if (q->head[rank] == PNC_NO_SLOT) {
		q->used[rank / WORD_BITS] &= ~(1u << rank % WORD_BITS);
		if (q->used[rank / WORD_BITS] == 0) {
			q->used_words &= ~(1u << rank / WORD_BITS);
		}
	}
	s->next = q->free;
	q->free = at;
	q->waiting--;
}

enum pnc_push pnc_queue_push(struct pnc_queue *q, uint32_t now_us, const uint8_t *packet, size_t len)
{
	uint16_t remaining_ms = pnc_get16(packet + PNC_PICTURE_REMAINING_AT);
	uint32_t deadline_us = now_us + remaining_ms * PNC_US_PER_MS;
	enum pnc_push outcome = PNC_PUSH_OK;
	q->totals.accepted++;
	if (remaining_ms == 0) {
		q->totals.expired++;
		return PNC_PUSH_EXPIRED;
	}
	if (q->waiting == PNC_QUEUE_SLOTS) {
		(void)pnc_queue_expire(q, now_us);
	}
	if (q->waiting == PNC_QUEUE_SLOTS) {
		uint8_t rank = worst_rank(q);
		uint8_t worst = q->tail[rank];
		q->totals.evicted++;
		if (packet[PNC_PICTURE_RANK_AT] > rank ||
		    (packet[PNC_PICTURE_RANK_AT] == rank && !pnc_before(deadline_us, q->slots[worst].deadline_us))) {
			return PNC_PUSH_REFUSED;
		}
		take(q, worst);
		outcome = PNC_PUSH_EVICTED;
	}
	uint8_t at = q->free;
	struct pnc_slot *s = &q->slots[at];
	q->free = s->next;
	s->deadline_us = deadline_us;
	s->len = (uint8_t)len;
	memcpy(s->packet, packet, len);
	insert(q, at);
	return outcome;
}

enum pnc_push pnc_queue_return(struct pnc_queue *q, uint32_t now_us, const uint8_t *packet, size_t len)
{
	q->totals.sent--;
	q->totals.accepted--;
	return pnc_queue_push(q, now_us, packet, len);
}

size_t pnc_queue_pop(struct pnc_queue *q, uint32_t now_us, uint8_t *out)
{
	while (q->waiting > 0) {
		uint8_t at = q->head[best_rank(q)];
		const struct pnc_slot *s = &q->slots[at];
		take(q, at);
		if (is_past(s->deadline_us, now_us)) {
			q->totals.expired++;
			continue;
		}
		q->totals.sent++;
		memcpy(out, s->packet, s->len);
		pnc_put16(out + PNC_PICTURE_REMAINING_AT, (uint16_t)((s->deadline_us - now_us) / PNC_US_PER_MS));
		return s->len;
	}
	return 0;
}

uint8_t pnc_queue_expire(struct pnc_queue *q, uint32_t now_us)
{
	uint8_t dropped = 0;
	bool first = true;
	if (q->waiting == 0 || !is_past(q->earliest_us, now_us)) {
		return 0;
	}
	for (uint32_t words = q->used_words; words != 0; words &= words - 1u) {
		uint8_t word = lowest_bit(words);
		for (uint32_t bits = q->used[word]; bits != 0; bits &= bits - 1u) {
			const uint8_t *head = &q->head[word * WORD_BITS + lowest_bit(bits)];
			while (*head != PNC_NO_SLOT && is_past(q->slots[*head].deadline_us, now_us)) {
				take(q, *head);
				dropped++;
			}
			if (*head != PNC_NO_SLOT &&
			    (first || pnc_before(q->slots[*head].deadline_us, q->earliest_us))) {
				q->earliest_us = q->slots[*head].deadline_us;
				first = false;
			}
		}
	}
	q->totals.expired += dropped;
	return dropped;
}

/* Drop the packets of a source that belong to one image, or to ANY_IMAGE. */
static uint8_t flush(struct pnc_queue *q, uint8_t source, uint32_t image)
{
	uint8_t dropped = 0;
	for (uint32_t words = q->used_words; words != 0; words &= words - 1u) {
		uint8_t word = lowest_bit(words);
		for (uint32_t bits = q->used[word]; bits != 0; bits &= bits - 1u) {
			uint8_t at = q->head[word * WORD_BITS + lowest_bit(bits)];
			while (at != PNC_NO_SLOT) {
				const struct pnc_slot *s = &q->slots[at];
				uint8_t next = s->next;
				if ((s->packet[0] & PNC_PICTURE_FLAGS_SOURCE) == source &&
				    (image == ANY_IMAGE || pnc_get16(s->packet + PNC_PICTURE_IMAGE_AT) == image)) {
					take(q, at);
					dropped++;
				}
				at = next;
			}
		}
	}
	q->totals.flushed += dropped;
	return dropped;
}

uint8_t pnc_queue_flush(struct pnc_queue *q, uint8_t source, uint16_t image)
{
	return flush(q, source, image);
}

uint8_t pnc_queue_flush_source(struct pnc_queue *q, uint8_t source)
{
	return flush(q, source, ANY_IMAGE);
}

uint8_t pnc_queue_flush_all(struct pnc_queue *q)
{
	uint8_t dropped = q->waiting;
	q->totals.flushed += dropped;
	clear(q);
	return dropped;
}
