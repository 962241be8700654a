/**
 * @file
 * @brief Goodput of one connection over the last full second: the codec bytes that the link layer acknowledged (camera)
 * or that arrived (edge).
 */
#ifndef PNC_GOODPUT_H
#define PNC_GOODPUT_H

#include <stdint.h>

struct pnc_goodput {
	uint32_t since_us; /**< start of the current second */
	uint32_t bytes;    /**< codec bytes in the current second */
	uint32_t bps;      /**< goodput of the previous second, bit/s */
};

/** @brief Initialise the goodput of a new connection. */
void pnc_goodput_init(struct pnc_goodput *g, uint32_t now_us);

/** @brief Count codec bytes that arrived. */
void pnc_goodput_add(struct pnc_goodput *g, uint32_t bytes);

/** @brief Finish the current second if it is over. Call more often than once a second. */
void pnc_goodput_tick(struct pnc_goodput *g, uint32_t now_us);

#endif
