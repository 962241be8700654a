/**
 * @file
 * @brief Time in the core: microseconds of a free-running 32-bit counter, which the caller passes in as `now_us`. The
 * counter wraps every 71 minutes. Times are compared by their difference, so two times must be less than 35 minutes
 * apart (deadlines are at most 65.5 s ahead).
 */
#ifndef PNC_CLOCK_H
#define PNC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define PNC_US_PER_MS 1000u

/** @brief Return true if a_us is earlier than b_us. */
static inline bool pnc_before(uint32_t a_us, uint32_t b_us)
{
	return (int32_t)(a_us - b_us) < 0;
}

#endif
