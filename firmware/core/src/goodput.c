#include "pnc/goodput.h"

#include "pnc/clock.h"

#define SECOND_US (1000u * PNC_US_PER_MS)
/* One byte per millisecond in bit/s. */
#define BPS_PER_BYTE_PER_MS 8000u
/* More bytes in a second would overflow a product. That is 4 Mbit/s, twice the rate of the fastest PHY. */
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
