#include "pnc/goodput.h"

#include "pnc/clock.h"

#define SECOND_US (1000u * PNC_US_PER_MS)
/* Bits a second of one byte in one millisecond. */
#define BPS_PER_BYTE_PER_MS 8000u
/* Beyond it a product would wrap: 4 Mbit/s, twice what a radio carries. */
#define BYTES_MAX (UINT32_MAX / BPS_PER_BYTE_PER_MS)

void pnc_goodput_init(struct pnc_goodput *g, uint32_t now_us)
{
	g->since_us = now_us;
	g->bytes = 0;
	g->bps = 0;
}

void pnc_goodput_add(struct pnc_goodput *g, uint32_t bytes)
{
	g->bytes = bytes < BYTES_MAX - g->bytes ? g->bytes + bytes : BYTES_MAX;
}

void pnc_goodput_tick(struct pnc_goodput *g, uint32_t now_us)
{
	uint32_t passed_us = now_us - g->since_us;
	if (passed_us >= SECOND_US) {
		g->bps = g->bytes * BPS_PER_BYTE_PER_MS / (passed_us / PNC_US_PER_MS);
		g->bytes = 0;
		g->since_us = now_us;
	}
}
