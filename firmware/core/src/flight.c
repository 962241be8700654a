#include "pnc/flight.h"

#include <string.h>

/* Connection intervals that a packet may be inside before fewer are handed out, and before more are again. */
#define SLOW_INTERVALS 5u
#define FAST_INTERVALS 3u
/* Intervals of the time inside that are no delay: the wait for a connection event, and for the acknowledgement. */
#define NO_DELAY_INTERVALS 2u
/* The last packet of an event is acknowledged in the next one: while it is alone, what follows may be handed out. */
#define LAST_OF_EVENT 1u
/* Quarters of a packet's share of the interval after which an acknowledgement is late. */
#define LATE_QUARTERS 9u

void pnc_flight_init(struct pnc_flight *f, uint8_t most)
{
	memset(f, 0, sizeof(*f));
	f->most = most;
	f->limit = most;
}

void pnc_flight_per_event(struct pnc_flight *f, uint8_t packets)
{
	f->per_event = packets;
}

bool pnc_flight_full(const struct pnc_flight *f)
{
	return f->count >= f->limit || (f->per_event > 0 && f->handed >= f->per_event);
}

void pnc_flight_hand(struct pnc_flight *f, uint32_t now_us, uint8_t codec_bytes, bool credited)
{
	struct pnc_flying *packet = &f->packets[(f->first + f->count) % PNC_IN_FLIGHT_MAX];
	packet->handed_us = now_us;
	packet->codec_bytes = codec_bytes;
	packet->credited = credited;
	f->count++;
	f->handed++;
}

/* What comes now is of the next event once the last of this one is alone. An event that ended before, on an error, is
 * noticed by an acknowledgement that comes late: it is of the first packet of another event, and the others inside
 * follow it there. */
static void count_event(struct pnc_flight *f, uint32_t now_us, uint32_t interval_us)
{
	if (f->per_event == 0) {
		return;
	}
	bool late = now_us - f->acked_us > interval_us / f->per_event * LATE_QUARTERS / 4u;
	if (late && !f->ended) {
		f->handed = (uint8_t)(f->count + 1u);
	}
	f->acked_us = now_us;
	f->ended = f->count <= LAST_OF_EVENT;
	if (f->ended) {
		f->handed = 0;
	}
}

struct pnc_flying pnc_flight_acknowledge(struct pnc_flight *f, uint32_t now_us, uint32_t interval_us)
{
	struct pnc_flying packet = f->packets[f->first];
	f->first = (uint8_t)((f->first + 1u) % PNC_IN_FLIGHT_MAX);
	f->count--;
	uint32_t dwell_us = now_us - packet.handed_us;
	count_event(f, now_us, interval_us);
	f->dwell_us += (dwell_us >> 2) - (f->dwell_us >> 2);
	if (f->dwell_us > SLOW_INTERVALS * interval_us && f->limit > 1) {
		f->limit--;
	} else if (f->dwell_us <= FAST_INTERVALS * interval_us && f->limit < f->most) {
		f->limit++;
	}
	return packet;
}

uint8_t pnc_flight_pictures(const struct pnc_flight *f)
{
	uint8_t pictures = 0;
	for (uint8_t i = 0; i < f->count; i++) {
		if (f->packets[(f->first + i) % PNC_IN_FLIGHT_MAX].codec_bytes > 0) {
			pictures++;
		}
	}
	return pictures;
}

void pnc_flight_forget(struct pnc_flight *f)
{
	for (uint8_t i = 0; i < PNC_IN_FLIGHT_MAX; i++) {
		f->packets[i].credited = false;
	}
}

uint32_t pnc_flight_ahead_us(const struct pnc_flight *f, uint32_t interval_us)
{
	uint32_t usual_us = NO_DELAY_INTERVALS * interval_us;
	return f->dwell_us > usual_us ? f->dwell_us - usual_us : 0;
}
