/* How many connection events of a connection fail: an estimate from the times of the acknowledgements.
 *
 * No controller reports errors of the air over HCI. But while a packet is in flight, each connection event whose first
 * exchange succeeds acknowledges one. An event that acknowledges none has failed. The estimate is the share of failed
 * events among about the last 32 that had something to carry; without packets in flight it stays as it is. */
#ifndef PNC_EVENT_LOSS_H
#define PNC_EVENT_LOSS_H

#include <stdbool.h>
#include <stdint.h>

/* A share of 1 in the estimate. */
#define PNC_EVENT_LOSS_ALL 65535u

struct pnc_event_loss {
	uint32_t since_us;   /* events are counted up to this time */
	uint32_t counted_us; /* time of the last successful event */
	uint16_t share;      /* of failed events, PNC_EVENT_LOSS_ALL: all */
	bool busy;           /* something is in flight */
	bool fresh;          /* nothing has been acknowledged since it was handed over */
};

/* Forget everything: a new connection, or another PHY. What is in flight stays so. */
void pnc_event_loss_reset(struct pnc_event_loss *l, uint32_t now_us);

/* Record that a packet was handed to the radio. */
void pnc_event_loss_handed(struct pnc_event_loss *l, uint32_t now_us);

/* Record an acknowledgement. `more`: other packets are still in flight. `event_us` is the time from one event to the
 * next: the connection interval, or the time of one exchange if that is longer. */
void pnc_event_loss_acknowledged(struct pnc_event_loss *l, uint32_t now_us, uint32_t event_us, bool more);

/* Count the events that have failed up to now. Returns the estimate. */
uint16_t pnc_event_loss_share(struct pnc_event_loss *l, uint32_t now_us, uint32_t event_us);

#endif
