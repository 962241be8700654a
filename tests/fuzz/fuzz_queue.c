/* The queue, built with few slots, against a list that is searched from its beginning to its end. */
#include "fuzz.h"
#include "pictures.h"
#include "pnc/clock.h"
#include "pnc/queue.h"

struct listed {
	struct picture picture;
	uint32_t deadline_us;
	uint32_t arrival;
};

static struct pnc_queue queue;
static struct listed list[PNC_QUEUE_SLOTS];
static size_t listed;
static uint32_t arrivals;
static uint32_t now_us;
static struct pnc_queue_totals totals;

static bool is_past(const struct listed *l)
{
	return pnc_before(l->deadline_us, now_us + PNC_US_PER_MS);
}

/* Rank, then earliest deadline, then arrival. */
static bool goes_first(const struct listed *a, const struct listed *b)
{
	if (a->picture.rank != b->picture.rank) {
		return a->picture.rank < b->picture.rank;
	}
	if (a->deadline_us != b->deadline_us) {
		return pnc_before(a->deadline_us, b->deadline_us);
	}
	return a->arrival < b->arrival;
}

static size_t first_of(bool last)
{
	size_t found = 0;
	for (size_t i = 1; i < listed; i++) {
		if (goes_first(&list[i], &list[found]) != last) {
			found = i;
		}
	}
	return found;
}

static struct listed drop(size_t at)
{
	struct listed dropped = list[at];
	list[at] = list[--listed];
	return dropped;
}

static uint8_t list_expire(void)
{
	uint8_t n = 0;
	for (size_t i = 0; i < listed;) {
		if (is_past(&list[i])) {
			(void)drop(i);
			n++;
		} else {
			i++;
		}
	}
	totals.expired += n;
	return n;
}

static enum pnc_push list_push(struct picture p)
{
	struct listed new = {p, now_us + p.remaining_ms * PNC_US_PER_MS, arrivals++};
	enum pnc_push outcome = PNC_PUSH_OK;
	totals.accepted++;
	if (p.remaining_ms == 0) {
		totals.expired++;
		return PNC_PUSH_EXPIRED;
	}
	if (listed == PNC_QUEUE_SLOTS) {
		(void)list_expire();
	}
	if (listed == PNC_QUEUE_SLOTS) {
		size_t worst = first_of(true);
		totals.evicted++;
		if (!goes_first(&new, &list[worst])) {
			return PNC_PUSH_REFUSED;
		}
		(void)drop(worst);
		outcome = PNC_PUSH_EVICTED;
	}
	list[listed++] = new;
	return outcome;
}

static uint8_t list_flush(uint8_t source, int32_t image)
{
	uint8_t n = 0;
	for (size_t i = 0; i < listed;) {
		if (list[i].picture.source == source && (image < 0 || list[i].picture.image == image)) {
			(void)drop(i);
			n++;
		} else {
			i++;
		}
	}
	totals.flushed += n;
	return n;
}

static struct picture eat_picture(struct input *in)
{
	uint8_t what = eat(in);
	struct picture p = {
		.source = what & 1u,
		.program = what >> 1 & 3u,
		.image = what >> 3 & 1u,
		.rank = (what & 0x10u) != 0 ? eat(in) : what >> 5 & 3u,
		.position = (uint16_t)arrivals,
		.remaining_ms = (what & 0x80u) != 0 ? eat16(in) : eat(in),
		.codec_bytes = (uint8_t)(1u + eat(in) % PNC_MAX_CODEC_BYTES),
	};
	return p;
}

static void push(struct picture p)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = picture_write(&p, packet);
	uint8_t *copy = exact_copy(packet, len);
	ALWAYS(pnc_queue_push(&queue, now_us, copy, len) == list_push(p));
	free(copy);
}

/* Pops; afterwards half of the packets are taken back, as if they had not arrived. */
static void pop(bool comes_back)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_queue_pop(&queue, now_us, packet);
	while (listed > 0) {
		struct listed best = drop(first_of(false));
		if (is_past(&best)) {
			totals.expired++;
			continue;
		}
		struct picture p = picture_read(packet, len);
		totals.sent++;
		best.picture.remaining_ms = (uint16_t)((best.deadline_us - now_us) / PNC_US_PER_MS);
		ALWAYS(len == PNC_PICTURE_HEADER + best.picture.codec_bytes);
		uint8_t should[PNC_MAX_PACKET];
		ALWAYS(picture_write(&best.picture, should) == len && memcmp(packet, should, len) == 0);
		if (comes_back) {
			totals.sent--;
			totals.accepted--;
			ALWAYS(pnc_queue_return(&queue, now_us, packet, len) == list_push(p));
		}
		return;
	}
	ALWAYS(len == 0);
}

static void pass(uint32_t passed_us)
{
	now_us += passed_us;
	ALWAYS(pnc_queue_expire(&queue, now_us) == list_expire());
}

static void step(struct input *in)
{
	uint8_t what = eat(in);
	switch (what & 7u) {
	case 0:
	case 1:
	case 2:
		push(eat_picture(in));
		break;
	case 3:
		pop((what & 8u) != 0);
		break;
	case 4:
		now_us += (what >> 3) * 100u; /* nobody calls expire */
		break;
	case 5:
		pass((what & 8u) != 0 ? eat16(in) * PNC_US_PER_MS : eat(in) * 500u);
		break;
	case 6:
		if ((what & 8u) != 0) {
			ALWAYS(pnc_queue_flush_source(&queue, what >> 4 & 1u) == list_flush(what >> 4 & 1u, -1));
		} else {
			uint16_t image = what >> 5 & 1u;
			ALWAYS(pnc_queue_flush(&queue, what >> 4 & 1u, image) == list_flush(what >> 4 & 1u, image));
		}
		break;
	default:
		if (what == UINT8_MAX) {
			totals.flushed += (uint32_t)listed;
			ALWAYS(pnc_queue_flush_all(&queue) == listed);
			listed = 0;
		}
		break;
	}
	ALWAYS(queue.waiting == listed);
	ALWAYS(memcmp(&queue.totals, &totals, sizeof(totals)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	pnc_queue_init(&queue);
	memset(&totals, 0, sizeof(totals));
	listed = 0;
	arrivals = 0;
	now_us = eat(&in) % 2u == 0 ? 0 : UINT32_MAX - 30000u;
	while (in.left > 0) {
		step(&in);
	}
	while (queue.waiting > 0) {
		pop(false);
	}
	return 0;
}
