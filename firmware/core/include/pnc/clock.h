/* Time in the core: microseconds of a free-running 32-bit counter, passed in by the caller as `now_us`.
 * It wraps every 71 minutes; two times are compared by their distance, so they must lie less than 35
 * minutes apart (deadlines reach 65.5 s). */
#ifndef PNC_CLOCK_H
#define PNC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define PNC_US_PER_MS 1000u

/* True if a is earlier than b. */
static inline bool pnc_before(uint32_t a_us, uint32_t b_us)
{
	return (int32_t)(a_us - b_us) < 0;
}

#endif
