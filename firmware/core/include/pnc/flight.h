/* The packets of one connection that are inside the radio: handed out, not yet acknowledged. Nothing in there can be
 * recalled or overtaken, so their number follows what the air takes: up to a limit while acknowledgements come within
 * three connection intervals, fewer when they take more than five, down to one.
 *
 * A link layer that always has one more packet begins it also when the rest of the connection event is too short for
 * it: it goes again in the next event, and an event that runs into the next one may cost that. So a radio may say how
 * many packets an event should carry; after as many nothing is handed out until the last of them is alone in the radio:
 * it says on the air that nothing follows, which ends the event. */
#ifndef PNC_FLIGHT_H
#define PNC_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "pnc/config.h"

/* One packet inside the radio. */
struct pnc_flying {
	uint32_t handed_us;
	uint8_t codec_bytes; /* of a picture packet; 0 for a control packet */
	bool credited;       /* its acknowledgement counts in this session's credit */
};

struct pnc_flight {
	struct pnc_flying packets[PNC_IN_FLIGHT_MAX]; /* a ring */
	uint8_t first;                                /* the oldest */
	uint8_t count;
	uint8_t most;      /* packets at a time on a good link, 1 to PNC_IN_FLIGHT_MAX */
	uint8_t limit;     /* packets at a time now, 1 to most */
	uint8_t per_event; /* packets in one connection event; 0: any number */
	uint8_t handed;    /* out for this event */
	bool ended;        /* what was handed since is for the next event */
	uint32_t acked_us; /* the last acknowledgement */
	uint32_t dwell_us; /* from hand-over to acknowledgement, smoothed */
};

/* Nothing inside: a new connection. */
void pnc_flight_init(struct pnc_flight *f, uint8_t most);

/* How many packets a connection event should carry; 0: any number. */
void pnc_flight_per_event(struct pnc_flight *f, uint8_t packets);

/* True if no packet may be handed out now. */
bool pnc_flight_full(const struct pnc_flight *f);

/* A packet was handed to the radio; the flight is not full. */
void pnc_flight_hand(struct pnc_flight *f, uint32_t now_us, uint8_t codec_bytes, bool credited);

/* The oldest packet was acknowledged, on a connection with that interval; returns it. The flight is not empty. */
struct pnc_flying pnc_flight_acknowledge(struct pnc_flight *f, uint32_t now_us, uint32_t interval_us);

/* Picture packets among them. */
uint8_t pnc_flight_pictures(const struct pnc_flight *f);

/* The session ended: acknowledgements of what is inside no longer count in its credit. */
void pnc_flight_forget(struct pnc_flight *f);

/* How long a packet handed out now will probably be inside, us: time that no hop can subtract from its remaining time
 * once it is over. Two intervals are left out: the wait for a connection event, and the acknowledgement's. */
uint32_t pnc_flight_ahead_us(const struct pnc_flight *f, uint32_t interval_us);

#endif
