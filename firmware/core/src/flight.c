#include "pnc/flight.h"

#include <string.h>

/* Connection intervals that a packet may be inside before fewer are handed out, and before more are again. */
#define SLOW_INTERVALS 5u
#define FAST_INTERVALS 3u
/* Intervals of the time inside that are no delay: the wait for a connection event, and for the acknowledgement. */
#define NO_DELAY_INTERVALS 2u

void pnc_flight_init(struct pnc_flight *f, uint8_t most)
{
	memset(f, 0, sizeof(*f));
	f->most = most;
	f->limit = most;
}

bool pnc_flight_full(const struct pnc_flight *f)
{
	return f->count >= f->limit;
}

void pnc_flight_hand(struct pnc_flight *f, uint32_t now_us, uint8_t codec_bytes, bool credited)
{
	struct pnc_flying *packet = &f->packets[(f->first + f->count) % PNC_IN_FLIGHT_MAX];
	packet->handed_us = now_us;
	packet->codec_bytes = codec_bytes;
	packet->credited = credited;
	f->count++;
}

struct pnc_flying pnc_flight_acknowledge(struct pnc_flight *f, uint32_t now_us, uint32_t interval_us)
{
	struct pnc_flying packet = f->packets[f->first];
	f->first = (uint8_t)((f->first + 1u) % PNC_IN_FLIGHT_MAX);
	f->count--;
	uint32_t dwell_us = now_us - packet.handed_us;
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
