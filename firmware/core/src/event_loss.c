#include "pnc/event_loss.h"

/* The estimate is an average over this power of two of events. */
#define EVENTS_SHIFT 5u
/* Quarters of an event until an acknowledgement is missing. Usually the event after the last one brings it. A packet
 * that is handed to an idle radio waits for its event, and is acknowledged in the next one. */
#define LATE_QUARTERS 5u
#define LATE_FRESH_QUARTERS 9u
/* After so many failed events at once the estimate cannot rise any further. */
#define EVENTS_MOST 512u

void pnc_event_loss_reset(struct pnc_event_loss *l, uint32_t now_us)
{
	l->share = 0;
	l->since_us = now_us;
	l->counted_us = now_us;
	l->fresh = true;
}

void pnc_event_loss_handed(struct pnc_event_loss *l, uint32_t now_us)
{
	if (!l->busy) {
		l->busy = true;
		l->fresh = true;
		l->since_us = now_us;
	}
}

uint16_t pnc_event_loss_share(struct pnc_event_loss *l, uint32_t now_us, uint32_t event_us)
{
	uint32_t allowed_us = event_us / 4u * (l->fresh ? LATE_FRESH_QUARTERS : LATE_QUARTERS);
	uint32_t passed_us = now_us - l->since_us;
	if (!l->busy || event_us == 0 || passed_us <= allowed_us) {
		return l->share;
	}
	uint32_t failed = (passed_us - allowed_us) / event_us + 1u;
	l->since_us += failed * event_us;
	for (uint32_t i = 0; i < failed && i < EVENTS_MOST; i++) {
		l->share = (uint16_t)(l->share + ((PNC_EVENT_LOSS_ALL - l->share) >> EVENTS_SHIFT));
	}
	return l->share;
}

void pnc_event_loss_acknowledged(struct pnc_event_loss *l, uint32_t now_us, uint32_t event_us, bool more)
{
	(void)pnc_event_loss_share(l, now_us, event_us);
	if (now_us - l->counted_us >= event_us / 2u) { /* otherwise it belongs to the same event as the last one */
		l->share = (uint16_t)(l->share - (l->share >> EVENTS_SHIFT));
		l->counted_us = now_us;
	}
	l->since_us = now_us;
	l->fresh = false;
	l->busy = more;
}
