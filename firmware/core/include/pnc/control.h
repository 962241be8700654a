/* Control packets on their way through a board: a few slots shared by both directions, first in, first out for
 * each destination. */
#ifndef PNC_CONTROL_H
#define PNC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pnc/config.h"
#include "pnc_wire.h"

#define PNC_TO_SERIAL 0xFFu /* the destination "serial port"; others are peers */

struct pnc_control_slot {
	uint8_t next; /* in the order of arrival; PNC_NO_CONTROL at its end */
	uint8_t to;   /* PNC_TO_SERIAL or a peer */
	uint8_t len;
	uint8_t packet[PNC_MAX_PACKET];
};

#define PNC_NO_CONTROL 0xFFu

struct pnc_control {
	struct pnc_control_slot slots[PNC_CONTROL_SLOTS];
	uint8_t first; /* oldest waiting */
	uint8_t last;
	uint8_t free;
	uint8_t to_serial; /* waiting for the serial port */
	uint8_t to_radio;  /* waiting for all peers together */
	uint32_t dropped;  /* found no room so far */
};

void pnc_control_init(struct pnc_control *c);

/* Copies packet[0..len), 1 <= len <= PNC_MAX_PACKET. False (and counted as dropped) if there is no room: neither
 * direction may take more than three quarters of the slots, so that one cannot shut out the other. */
bool pnc_control_push(struct pnc_control *c, uint8_t to, const uint8_t *packet, size_t len);

/* Takes the oldest packet to that destination: writes it to out (PNC_MAX_PACKET bytes) and returns its length, 0
 * if there is none. O(slots). */
size_t pnc_control_pop(struct pnc_control *c, uint8_t to, uint8_t *out);

/* True if a packet to that destination waits. */
bool pnc_control_waits(const struct pnc_control *c, uint8_t to);

/* Drops what waits for a destination (its connection went down, the port was opened anew). */
void pnc_control_clear(struct pnc_control *c, uint8_t to);

#endif
