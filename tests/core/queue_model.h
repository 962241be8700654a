/* What the queue of pnc/queue.h should do, said in the plainest way: a list in the order of arrival that is searched.
 * Time counts in steps, so that a whole state fits a few bits. */
#ifndef PNC_QUEUE_MODEL_H
#define PNC_QUEUE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc/queue.h"

#ifndef STEPS_PER_MS
#define STEPS_PER_MS 2
#endif

#define MODEL_IMAGES (PNC_QUEUE_SLOTS > 3u ? 1u : 2u)
#define MODEL_ANY_IMAGE MODEL_IMAGES

struct model_packet {
	uint8_t rank; /* by number: any that keep this order */
	uint8_t source;
	uint8_t image;
	uint8_t mark; /* tells packets apart */
	int left;     /* steps until the deadline */
};

struct model {
	struct model_packet packets[PNC_QUEUE_SLOTS + 1u]; /* in the order of arrival */
	unsigned waiting;
	struct pnc_queue_totals totals;
};

/* True if `a` leaves before `b`, where `a` arrived first. */
static inline bool model_before(const struct model_packet *a, const struct model_packet *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->left <= b->left;
}

static inline bool model_past(const struct model_packet *p)
{
	return p->left < STEPS_PER_MS;
}

static inline void model_remove(struct model *m, unsigned at)
{
	for (m->waiting--; at < m->waiting; at++) {
		m->packets[at] = m->packets[at + 1u];
	}
}

/* Number of the packet that leaves first, or last. */
static inline unsigned model_end(const struct model *m, bool first)
{
	unsigned found = 0;
	for (unsigned i = 1; i < m->waiting; i++) {
		if (model_before(&m->packets[found], &m->packets[i]) != first) {
			found = i;
		}
	}
	return found;
}

static inline unsigned model_expire(struct model *m)
{
	unsigned dropped = 0;
	for (unsigned i = m->waiting; i-- > 0;) {
		if (model_past(&m->packets[i])) {
			model_remove(m, i);
			dropped++;
		}
	}
	m->totals.expired += dropped;
	return dropped;
}

static inline enum pnc_push model_push(struct model *m, struct model_packet p)
{
	m->totals.accepted++;
	if (p.left == 0) {
		m->totals.expired++;
		return PNC_PUSH_EXPIRED;
	}
	if (m->waiting == PNC_QUEUE_SLOTS) {
		(void)model_expire(m);
	}
	m->packets[m->waiting++] = p;
	if (m->waiting <= PNC_QUEUE_SLOTS) {
		return PNC_PUSH_OK;
	}
	unsigned worst = model_end(m, false);
	model_remove(m, worst);
	m->totals.evicted++;
	return worst == PNC_QUEUE_SLOTS ? PNC_PUSH_REFUSED : PNC_PUSH_EVICTED;
}

/* Remove the packet that leaves next; false if there is none. */
static inline bool model_pop(struct model *m, struct model_packet *out)
{
	while (m->waiting > 0) {
		unsigned best = model_end(m, true);
		*out = m->packets[best];
		model_remove(m, best);
		if (!model_past(out)) {
			m->totals.sent++;
			return true;
		}
		m->totals.expired++;
	}
	return false;
}

static inline unsigned model_flush(struct model *m, int source, unsigned image)
{
	unsigned dropped = 0;
	for (unsigned i = m->waiting; i-- > 0;) {
		const struct model_packet *p = &m->packets[i];
		if ((source < 0 || p->source == source) && (image == MODEL_ANY_IMAGE || p->image == image)) {
			model_remove(m, i);
			dropped++;
		}
	}
	m->totals.flushed += dropped;
	return dropped;
}

#endif
