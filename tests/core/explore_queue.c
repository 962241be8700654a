/* Visits every state that a small queue can reach and makes every call in each.
 *
 * PNC_QUEUE_SLOTS slots; packets of 3 ranks, 3 remaining times (and none), 2 sources and MODEL_IMAGES images; time goes
 * on in steps of 1 ms / STEPS_PER_MS. After each call the queue must have done what the naive model did, and its lists,
 * bit maps, order and accounts must hold. Breadth first, so the calls that are printed at a deviation are the fewest.
 *
 * A state is what the queue's answers can depend on: the waiting packets in order, each with its rank, source, image
 * and time left, and how long ago `earliest_us` is. Not part of it, and therefore different in each visit: which slot
 * has which packet, what free slots contain, and the clock. Packets whose deadline is a step ago or longer differ in
 * nothing that matters but their order. */
#ifndef PNC_QUEUE_SLOTS
#define PNC_QUEUE_SLOTS 3u
#endif

#ifndef QUEUE_C
#define QUEUE_C "../../firmware/core/src/queue.c"
#endif
#include QUEUE_C

#include <inttypes.h>

#include "explore_states.h"
#include "pictures.h"
#include "queue_model.h"

#define RANKS 3u
#define SOURCES 2u
#define TIMES 4u /* remaining times of a new packet: 0 to 3 ms */
#define STEP_US (PNC_US_PER_MS / (unsigned)STEPS_PER_MS)
#define LEFT_MAX ((int)(TIMES - 1u) * STEPS_PER_MS)
#define PUSHES (RANKS * TIMES * SOURCES * MODEL_IMAGES)
#define CODEC_BYTES 3u

_Static_assert(PNC_QUEUE_SLOTS <= 7u, "a state fits 64 bits");
_Static_assert(LEFT_MAX < 7, "the time left fits 3 bits");

/* Two in the same word of the bit map, one in another; at the ends of both. */
static const uint8_t ranks[RANKS] = {0, 31, 255};
static const uint16_t images[] = {7, 7 + 256, 8}; /* one or two, and one that no packet has */
/* Far from the clock's wrap; it is in the middle of the deadlines; they are in the middle of its signed range. */
static const uint32_t clocks[] = {123456, UINT32_MAX - 1500u, UINT32_MAX / 2u - 1500u};

/* The calls, by number. */
enum {
	PUSH = 0,
	RETURN = PUSH + PUSHES,
	POP = RETURN + PUSHES,
	EXPIRE,
	WAIT,
	FLUSH_ALL,
	FLUSH_SOURCE,
	FLUSH = FLUSH_SOURCE + SOURCES + 1u,
	CALLS = FLUSH + (SOURCES + 1u) * (MODEL_IMAGES + 1u)
};

static struct pnc_queue queue;
static struct model model;
static uint32_t now_us;

static size_t write_packet(const struct model_packet *p, uint16_t remaining_ms, uint8_t *out)
{
	struct picture picture = {
		.source = p->source,
		.image = images[p->image],
		.rank = ranks[p->rank],
		.position = p->mark,
		.remaining_ms = remaining_ms,
		.codec_bytes = (uint8_t)(CODEC_BYTES + p->rank),
	};
	return picture_write(&picture, out);
}

/* Time left as a state keeps it: 0 once the deadline is a step ago, or longer. */
static uint64_t kept(int left)
{
	return left < 0 ? 0 : (uint64_t)left + 1u;
}

static int left_of(uint32_t deadline_us)
{
	return (int32_t)(deadline_us - now_us) / (int32_t)STEP_US;
}

/* The state of the model, whose packets are in the order in which they leave, with that of `earliest_us`. */
static uint64_t key_of(const struct model *sorted)
{
	uint64_t key = sorted->waiting == 0 ? 0 : kept(left_of(queue.earliest_us));
	for (unsigned i = sorted->waiting; i-- > 0;) {
		const struct model_packet *p = &sorted->packets[i];
		key = key << 8 | 0x80u | (uint64_t)p->image << 6 | (uint64_t)p->source << 5 | (uint64_t)p->rank << 3 |
		      kept(p->left);
	}
	return key;
}

/* Make the queue and the model of a state, with slots, clock and what does not matter drawn by `number`. */
static void restore(uint64_t key, uint32_t number)
{
	uint8_t order[PNC_QUEUE_SLOTS];
	uint8_t at;
	unsigned n = 0;
	now_us = clocks[number % 3u];
	memset(&queue, 0xAA, sizeof(queue));
	clear(&queue);
	memset(&model, 0, sizeof(model));
	for (; (key & 0x80u) != 0; key >>= 8) {
		struct model_packet p = {.rank = (uint8_t)(key >> 3 & 3u),
					 .source = (uint8_t)(key >> 5 & 1u),
					 .image = (uint8_t)(key >> 6 & 1u),
					 .mark = (uint8_t)n,
					 .left = (int)(key & 7u) - 1};
		model.packets[n++] = p;
	}
	model.waiting = n;
	for (uint8_t i = 0; i < PNC_QUEUE_SLOTS; i++) {
		uint8_t other = (uint8_t)(mix(number + i) % (i + 1u));
		order[i] = order[other];
		order[other] = i;
	}
	queue.free = PNC_NO_SLOT;
	for (unsigned i = PNC_QUEUE_SLOTS; i-- > n;) {
		queue.slots[order[i]].next = queue.free;
		queue.free = order[i];
	}
	for (unsigned i = 0; i < n; i++) {
		at = order[i];
		queue.slots[at].deadline_us = now_us + (uint32_t)model.packets[i].left * STEP_US;
		queue.slots[at].len = (uint8_t)write_packet(&model.packets[i], 1, queue.slots[at].packet);
		insert(&queue, at);
	}
	queue.earliest_us = now_us + ((uint32_t)key - 1u) * STEP_US;
	queue.totals =
		(struct pnc_queue_totals){.accepted = n + 10u, .sent = 1, .expired = 2, .evicted = 3, .flushed = 4};
	model.totals = queue.totals;
}

/* Put the model's packets into the order in which they leave. */
static struct model sorted_model(void)
{
	struct model from = model;
	struct model to = model;
	for (unsigned i = 0; i < model.waiting; i++) {
		unsigned best = model_end(&from, true);
		to.packets[i] = from.packets[best];
		model_remove(&from, best);
	}
	return to;
}

/* Return what is wrong with a slot's packet, NULL if nothing is. Its remaining time stands in the deadline. */
static const char *wrong_packet(const struct pnc_slot *s, const struct model_packet *p)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = write_packet(p, pnc_get16(s->packet + PNC_PICTURE_REMAINING_AT), packet);
	if (s->len != len || memcmp(s->packet, packet, len) != 0) {
		return "other packets wait, or in another order";
	}
	return s->deadline_us == now_us + (uint32_t)p->left * STEP_US ? NULL : "a deadline differs";
}

/* Return what is wrong with the queue, NULL if nothing is: it has the packets of `sorted`, and is sound. */
static const char *wrong_queue(const struct model *sorted)
{
	const struct pnc_queue_totals *t = &queue.totals;
	bool seen[PNC_QUEUE_SLOTS] = {false};
	unsigned found = 0;
	unsigned slots = 0;
	const char *wrong;
	if (memcmp(t, &sorted->totals, sizeof(*t)) != 0 || queue.waiting != sorted->waiting) {
		return "the totals differ";
	}
	if (t->accepted != t->sent + t->expired + t->evicted + t->flushed + queue.waiting) {
		return "a packet is not accounted for";
	}
	for (unsigned rank = 0; rank < PNC_MAX_RANKS; rank++) {
		uint8_t before = PNC_NO_SLOT;
		for (uint8_t at = queue.head[rank]; at != PNC_NO_SLOT; at = queue.slots[at].next) {
			if (at >= PNC_QUEUE_SLOTS || seen[at] || found == sorted->waiting) {
				return "a bucket's list is broken";
			}
			seen[at] = true;
			if (queue.slots[at].previous != before) {
				return "a bucket's list is broken backwards";
			}
			if ((wrong = wrong_packet(&queue.slots[at], &sorted->packets[found++])) != NULL) {
				return wrong;
			}
			if (left_of(queue.earliest_us) > sorted->packets[found - 1u].left) {
				return "a packet's deadline is before the earliest";
			}
			before = at;
		}
		if (queue.tail[rank] != before) {
			return "a bucket's tail is wrong";
		}
		if ((queue.used[rank / 32u] >> rank % 32u & 1u) != (before != PNC_NO_SLOT)) {
			return "the bit map of the ranks is wrong";
		}
	}
	if (found != sorted->waiting) {
		return "a packet is in no bucket";
	}
	for (unsigned word = 0; word < 32u; word++) {
		bool used = word < PNC_MAX_RANKS / 32u && queue.used[word] != 0;
		if ((queue.used_words >> word & 1u) != used) {
			return "the bit map of the words is wrong";
		}
	}
	slots = found;
	for (uint8_t at = queue.free; at != PNC_NO_SLOT; at = queue.slots[at].next) {
		if (at >= PNC_QUEUE_SLOTS || seen[at]) {
			return "the list of free slots is broken";
		}
		seen[at] = true;
		slots++;
	}
	return slots == PNC_QUEUE_SLOTS ? NULL : "a slot is lost";
}

static struct model_packet pushed(unsigned call)
{
	struct model_packet p = {.mark = 100};
	call -= call < RETURN ? PUSH : RETURN;
	p.rank = (uint8_t)(call % RANKS);
	p.source = (uint8_t)(call / RANKS % SOURCES);
	p.image = (uint8_t)(call / RANKS / SOURCES % MODEL_IMAGES);
	p.left = (int)(call / RANKS / SOURCES / MODEL_IMAGES) * STEPS_PER_MS;
	return p;
}

static bool push_agrees(unsigned call)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct model_packet p = pushed(call);
	size_t len = write_packet(&p, (uint16_t)(p.left / STEPS_PER_MS), packet);
	if (call < RETURN) {
		return pnc_queue_push(&queue, now_us, packet, len) == model_push(&model, p);
	}
	model.totals.sent--;
	model.totals.accepted--;
	return pnc_queue_return(&queue, now_us, packet, len) == model_push(&model, p);
}

static bool pop_agrees(void)
{
	uint8_t packet[PNC_MAX_PACKET];
	uint8_t should[PNC_MAX_PACKET];
	struct model_packet p;
	size_t len = pnc_queue_pop(&queue, now_us, packet);
	if (!model_pop(&model, &p)) {
		return len == 0;
	}
	return len == write_packet(&p, (uint16_t)(p.left / STEPS_PER_MS), should) && memcmp(packet, should, len) == 0;
}

/* Make a call on both; return true if they answer the same. */
static bool agrees(unsigned call)
{
	if (call < POP) {
		return push_agrees(call);
	}
	switch (call) {
	case POP:
		return pop_agrees();
	case EXPIRE:
		return pnc_queue_expire(&queue, now_us) == model_expire(&model);
	case WAIT:
		now_us += STEP_US;
		for (unsigned i = 0; i < model.waiting; i++) {
			model.packets[i].left--;
		}
		return true;
	case FLUSH_ALL:
		return pnc_queue_flush_all(&queue) == model_flush(&model, -1, MODEL_ANY_IMAGE);
	default:
		break;
	}
	if (call < FLUSH) {
		uint8_t source = (uint8_t)(call - FLUSH_SOURCE);
		return pnc_queue_flush_source(&queue, source) == model_flush(&model, source, MODEL_ANY_IMAGE);
	}
	uint8_t source = (uint8_t)((call - FLUSH) % (SOURCES + 1u));
	unsigned image = (call - FLUSH) / (SOURCES + 1u);
	unsigned dropped = image < MODEL_IMAGES ? model_flush(&model, source, image) : 0; /* no packet has the last */
	return pnc_queue_flush(&queue, source, images[image]) == dropped;
}

static void show(unsigned call)
{
	static const char *const names[] = {"pop", "expire", "wait", "flush everything"};
	struct model_packet p = pushed(call < POP ? call : PUSH);
	if (call < POP) {
		printf("  %s rank %u, %d ms, source %u, image %u\n", call < RETURN ? "push" : "return", ranks[p.rank],
		       p.left / STEPS_PER_MS, p.source, images[p.image]);
	} else if (call < FLUSH_SOURCE) {
		printf("  %s\n", names[call - POP]);
	} else if (call < FLUSH) {
		printf("  flush source %u\n", call - FLUSH_SOURCE);
	} else {
		printf("  flush source %u, image %u\n", (call - FLUSH) % (SOURCES + 1u),
		       images[(call - FLUSH) / (SOURCES + 1u)]);
	}
}

static void show_calls_to(uint32_t number)
{
	if (number > 0) {
		show_calls_to(states[number].parent);
		show(states[number].call);
	}
}

/* Make a call in a state and note where it leads. Return false after a deviation, which is printed. */
static bool try(uint32_t number, unsigned call)
{
	restore(states[number].key, number);
	const char *wrong = agrees(call) ? NULL : "the answer differs";
	struct model sorted = sorted_model();
	if (wrong == NULL) {
		wrong = wrong_queue(&sorted);
	}
	if (wrong != NULL) {
		printf("deviation: %s, after these calls on an empty queue of %u slots:\n", wrong, PNC_QUEUE_SLOTS);
		show_calls_to(number);
		show(call);
		return false;
	}
	visit(key_of(&sorted), number, (uint16_t)call);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t transitions = 0;
	unsigned long most = argc == 3 && strcmp(argv[1], "--depth") == 0 ? strtoul(argv[2], NULL, 10) : UINT16_MAX;
	pnc_queue_init(&queue);
	memset(&model, 0, sizeof(model));
	const char *wrong = wrong_queue(&model);
	if (wrong != NULL) {
		printf("deviation: %s, in a new queue\n", wrong);
		return 1;
	}
	visit(0, 0, 0);
	uint32_t number = 0;
	for (; number < states_count && states[number].depth < most; number++) {
		for (unsigned call = 0; call < CALLS; call++) {
			if (!try(number, call)) {
				return 1;
			}
			transitions++;
		}
	}
	printf("%u slots, %u ranks, %u deadlines, %u sources, %u images, steps of %u us: %zu states, %" PRIu64
	       " transitions, %s, deepest after %u calls, 0 deviations\n",
	       PNC_QUEUE_SLOTS, RANKS, TIMES - 1u, SOURCES, MODEL_IMAGES, STEP_US, states_count, transitions,
	       number == states_count ? "complete" : "bounded", states[states_count - 1u].depth);
	free(states);
	free(table);
	return 0;
}
