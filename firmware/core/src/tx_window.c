#include "pnc/tx_window.h"

#include <string.h>

/* Half connection intervals that the packets behind the oldest one may take to leave the radio. */
#define RECALL_HALF_INTERVALS 5u
/* A second packet may follow in the same event if one takes at most so many intervals: on a lossy link, events are lost
 * rather than packets slow. */
#define PAIR_INTERVALS 4u
/* Intervals in the radio that do not count as delay: the wait for a connection event and for the acknowledgement. */
#define NO_DELAY_INTERVALS 2u
/* The last packet of an event is acknowledged in the next event. While it is the only one in flight, packets of the
 * next event may be handed out. */
#define LAST_OF_EVENT 1u
/* An acknowledgement is late after this many quarters of one packet's share of the interval. */
#define LATE_QUARTERS 9u

void pnc_tx_window_init(struct pnc_tx_window *w, uint8_t most)
{
	memset(w, 0, sizeof(*w));
	w->most = most;
	w->limit = most;
}

void pnc_tx_window_set_event_packets(struct pnc_tx_window *w, uint8_t packets)
{
	if (w->per_event != packets) {
		w->per_event = packets;
		w->handed = w->count; /* without the packets of earlier events, which may have had no limit */
	}
}

bool pnc_tx_window_is_full(const struct pnc_tx_window *w)
{
	return w->count >= w->limit || (w->per_event > 0 && w->handed >= w->per_event);
}

void pnc_tx_window_add(struct pnc_tx_window *w, uint32_t now_us, uint8_t codec_bytes, bool credited)
{
	struct pnc_tx_packet *packet = &w->packets[(w->first + w->count) % PNC_IN_FLIGHT_MAX];
	packet->handed_us = now_us;
	packet->codec_bytes = codec_bytes;
	packet->credited = credited;
	w->count++;
	packet->position = w->count;
	w->handed++;
}

/* Keep track of connection events. Once only the last packet of an event is in flight, the next packets belong to the
 * next event. An error can end an event early. A late acknowledgement reveals that: it belongs to the first packet of a
 * later event, and the other packets in flight follow in that event. */
static void count_event(struct pnc_tx_window *w, uint32_t now_us, uint32_t interval_us)
{
	if (w->per_event == 0) {
		return;
	}
	bool late = now_us - w->acked_us > interval_us / w->per_event * LATE_QUARTERS / 4u;
	if (late && !w->ended) {
		w->handed = (uint8_t)(w->count + 1u);
	}
	w->acked_us = now_us;
	w->ended = w->count <= LAST_OF_EVENT;
	if (w->ended) {
		w->handed = 0;
	}
}

/* Adapt the limit to the time that the radio takes for each packet. */
static void adapt(struct pnc_tx_window *w, uint32_t packet_us, uint32_t interval_us)
{
	w->packet_us = w->packet_us == 0 ? packet_us : (w->packet_us + packet_us) / 2u;
	uint32_t more_us = w->packet_us < UINT32_MAX ? w->packet_us + 1u : UINT32_MAX; /* of a clock that went back */
	uint32_t behind = interval_us * RECALL_HALF_INTERVALS / 2u / more_us;
	if (behind == 0 && w->packet_us <= PAIR_INTERVALS * interval_us) {
		behind = 1;
	}
	if (behind + 1u < w->limit) {
		w->limit = (uint8_t)(behind + 1u);
	} else if (behind >= w->limit && w->limit < w->most) {
		w->limit++;
	}
}

struct pnc_tx_packet pnc_tx_window_acknowledge(struct pnc_tx_window *w, uint32_t now_us, uint32_t interval_us)
{
	struct pnc_tx_packet packet = w->packets[w->first];
	w->first = (uint8_t)((w->first + 1u) % PNC_IN_FLIGHT_MAX);
	w->count--;
	uint32_t radio_us = now_us - packet.handed_us;
	count_event(w, now_us, interval_us);
	w->radio_us += (radio_us >> 2) - (w->radio_us >> 2);
	adapt(w, radio_us / packet.position, interval_us);
	return packet;
}

uint8_t pnc_tx_window_pictures(const struct pnc_tx_window *w)
{
	uint8_t pictures = 0;
	for (uint8_t i = 0; i < w->count; i++) {
		if (w->packets[(w->first + i) % PNC_IN_FLIGHT_MAX].codec_bytes > 0) {
			pictures++;
		}
	}
	return pictures;
}

void pnc_tx_window_forget_session(struct pnc_tx_window *w)
{
	for (uint8_t i = 0; i < PNC_IN_FLIGHT_MAX; i++) {
		w->packets[i].credited = false;
	}
}

uint32_t pnc_tx_window_delay_us(const struct pnc_tx_window *w, uint32_t interval_us)
{
	uint32_t usual_us = NO_DELAY_INTERVALS * interval_us;
	return w->radio_us > usual_us ? w->radio_us - usual_us : 0;
}
