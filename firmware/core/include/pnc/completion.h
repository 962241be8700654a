/* Which packets of ours the link layer has reported as delivered, told from the traffic between Bluetooth host and
 * controller. For a host whose own call-back comes when the controller takes a packet, which is when nothing can be
 * recalled any more, rather than when the peer has it.
 *
 * The controller reports per connection and in order how many ACL packets it is done with, whatever was in them; so the
 * order of ours among all others is kept. Bluetooth Core 5.4, Vol. 4, Part E: 5.4.2 (ACL data packets), 7.7.5
 * (Disconnection Complete), 7.7.19 (Number Of Completed Packets), 7.7.65.1 and .10 (LE Connection Complete). */
#ifndef PNC_COMPLETION_H
#define PNC_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"

/* ACL packets of one connection inside the controller, at most. */
#define PNC_COMPLETION_MOST 32u

struct pnc_completion_link {
	uint16_t handle;
	bool used;
	bool ours;      /* the PDU under way is a notification or a write command */
	uint16_t rest;  /* its bytes in packets still to come */
	uint8_t inside; /* ACL packets in the controller */
	uint32_t ends;  /* bit i: the i-th of them, oldest first, ends a PDU of ours */
};

struct pnc_completion {
	struct pnc_completion_link links[PNC_PEERS];
};

/* What an event says of one connection. */
struct pnc_completed {
	uint16_t handle;
	uint8_t packets; /* PDUs of ours that are complete; at least 1 */
};

/* No connection. */
void pnc_completion_init(struct pnc_completion *c);

/* An ACL data packet goes to the controller, its header first. One of a connection too many, or one too many inside a
 * connection, is not followed. */
void pnc_completion_sent(struct pnc_completion *c, const uint8_t *acl, size_t len);

/* The controller refused the last ACL data packet of that connection. */
void pnc_completion_refused(struct pnc_completion *c, uint16_t handle);

/* An event comes from the controller, its code first. Returns how many of `done` it fills. Damaged events and unknown
 * handles are passed over. */
size_t pnc_completion_event(struct pnc_completion *c, const uint8_t *event, size_t len,
			    struct pnc_completed done[PNC_PEERS]);

#endif
