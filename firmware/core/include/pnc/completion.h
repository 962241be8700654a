/**
 * @file
 * @brief Detects which of our packets the link layer has delivered, from the traffic between Bluetooth host and
 * controller. Needed where the host's own callback reports that the controller accepted a packet, not that the peer
 * received it.
 *
 * For each connection the controller reports, in order, how many ACL packets it has completed, whatever they contain.
 * So this module records which of the ACL packets in the controller are ours. Bluetooth Core 5.4, Vol. 4, Part E: 5.4.2
 * (ACL data packets), 7.7.5 (Disconnection Complete), 7.7.19 (Number Of Completed Packets), 7.7.65.1 and .10 (LE
 * Connection Complete).
 */
#ifndef PNC_COMPLETION_H
#define PNC_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"

/** Upper bound of the ACL packets of one connection in the controller. */
#define PNC_COMPLETION_MOST 32u

struct pnc_completion_link {
	uint16_t handle;
	bool used;
	bool ours;      /**< the current PDU is a notification or a write command */
	uint16_t rest;  /**< bytes of the current PDU that later packets will carry */
	uint8_t inside; /**< ACL packets in the controller */
	uint32_t ends;  /**< bit i: packet i in the controller, oldest first, ends a PDU of ours */
};

struct pnc_completion {
	struct pnc_completion_link links[PNC_PEERS];
};

/** Completed PDUs of one connection. */
struct pnc_completed {
	uint16_t handle;
	uint8_t packets; /**< our PDUs that were completed; at least 1 */
};

/** @brief Initialise without connections. */
void pnc_completion_init(struct pnc_completion *c);

/**
 * @brief Record an ACL data packet, header included, that goes to the controller. Packets beyond PNC_PEERS connections
 * or PNC_COMPLETION_MOST packets of a connection are ignored.
 */
void pnc_completion_sent(struct pnc_completion *c, const uint8_t *acl, size_t len);

/** @brief Forget the last ACL data packet of a connection, because the controller refused it. */
void pnc_completion_refused(struct pnc_completion *c, uint16_t handle);

/**
 * @brief Process an event of the controller, which starts with its code. Fill `done` and return the number of entries
 * filled. Ignores malformed events and unknown handles.
 */
size_t pnc_completion_event(struct pnc_completion *c, const uint8_t *event, size_t len,
			    struct pnc_completed done[PNC_PEERS]);

#endif
