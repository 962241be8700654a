/* Goodput of one connection over the last full second: codec bytes that the link layer acknowledged (camera) or that
 * came in (edge). */
#ifndef PNC_GOODPUT_H
#define PNC_GOODPUT_H

#include <stdint.h>

struct pnc_goodput {
	uint32_t since_us; /* the second under way */
	uint32_t bytes;    /* in it */
	uint32_t bps;      /* of the one before, bit/s */
};

/* A new connection. */
void pnc_goodput_init(struct pnc_goodput *g, uint32_t now_us);

/* Codec bytes got across. */
void pnc_goodput_add(struct pnc_goodput *g, uint32_t bytes);

/* Time passes: to be called more often than once a second. */
void pnc_goodput_tick(struct pnc_goodput *g, uint32_t now_us);

#endif
