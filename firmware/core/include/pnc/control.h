/**
 * @file
 * @brief The control packets that pass through a board. Both directions share a few slots. Packets for the same
 * destination leave in the order of their arrival.
 */
#ifndef PNC_CONTROL_H
#define PNC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc_wire.h"

#define PNC_TO_SERIAL 0xFFu /* the destination "serial port"; every other destination is a peer */

struct pnc_control_slot {
	uint8_t next; /**< next slot in the order of arrival; PNC_NO_CONTROL at the end */
	uint8_t to;   /**< PNC_TO_SERIAL or a peer */
	uint8_t len;
	uint8_t packet[PNC_MAX_PACKET];
};

#define PNC_NO_CONTROL 0xFFu

struct pnc_control {
	struct pnc_control_slot slots[PNC_CONTROL_SLOTS];
	uint8_t first;     /**< slot of the oldest packet */
	uint8_t last;      /**< slot of the newest packet */
	uint8_t free;      /**< first free slot; `next` links the others */
	uint8_t to_serial; /**< packets waiting for the serial port */
	uint8_t to_radio;  /**< packets waiting for any peer */
	uint32_t dropped;  /**< total of packets that found no room */
};

/** @brief Initialise with all slots free. */
void pnc_control_init(struct pnc_control *c);

/**
 * @brief Copy packet[0..len), 1 <= len <= PNC_MAX_PACKET, for the destination `to`. Return false, and count it as
 * dropped, if there is no room. Each direction may use at most three quarters of the slots, so that neither can block
 * the other.
 */
bool pnc_control_push(struct pnc_control *c, uint8_t to, const uint8_t *packet, size_t len);

/** @brief As pnc_control_push, but a result takes the place of an earlier result for the same image that still
 * waits. At least 5 bytes of `packet` can be read. */
bool pnc_control_push_result(struct pnc_control *c, uint8_t to, const uint8_t *packet, size_t len);

/**
 * @brief Remove the oldest packet for a destination, write it to `out` (PNC_MAX_PACKET bytes) and return its length;
 * return 0 if there is none. O(slots).
 */
size_t pnc_control_pop(struct pnc_control *c, uint8_t to, uint8_t *out);

/** @brief Return true if a packet for that destination waits. */
bool pnc_control_waits(const struct pnc_control *c, uint8_t to);

/** @brief Drop all packets for a destination, because its connection ended or the port was opened again. */
void pnc_control_clear(struct pnc_control *c, uint8_t to);

#endif
