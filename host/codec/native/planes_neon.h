/* The context model's sums for eight positions at a time, with NEON. */
#ifndef PNC_PLANES_NEON_H
#define PNC_PLANES_NEON_H

#include "planes_internal.h"

#ifdef HAS_NEON
#include <arm_neon.h>

/* Positions in one vector of 16-bit values. */
enum {
	LANES = 8
};

/* The sums of positions 0 ... 3 (low) and 4 ... 7 (high). */
struct sums_neon {
	int32x4_t mean_low, mean_high, spread_low, spread_high;
};

static inline struct sums_neon sum_neon(const struct pnc_planes_inputs *in, ptrdiff_t i)
{
	const int32x4_t zero = vdupq_n_s32(0), base = vdupq_n_s32(in->base);
	struct sums_neon s = {zero, zero, base, base};
	const struct pnc_planes_terms *both = &in->both, *means = &in->means;
	for (int32_t k = 0; k < both->count; k++) {
		const int16x8_t value = vld1q_s16(both->from[k] + i), size = vabsq_s16(value);
		const int16x8_t mean = vld1q_dup_s16(both->mean + k), spread = vld1q_dup_s16(both->spread + k);
		s.mean_low = vmlal_s16(s.mean_low, vget_low_s16(value), vget_low_s16(mean));
		s.mean_high = vmlal_high_s16(s.mean_high, value, mean);
		s.spread_low = vmlal_s16(s.spread_low, vget_low_s16(size), vget_low_s16(spread));
		s.spread_high = vmlal_high_s16(s.spread_high, size, spread);
	}
	for (int32_t k = 0; k < means->count; k++) {
		const int16x8_t value = vld1q_s16(means->from[k] + i), mean = vld1q_dup_s16(means->mean + k);
		s.mean_low = vmlal_s16(s.mean_low, vget_low_s16(value), vget_low_s16(mean));
		s.mean_high = vmlal_high_s16(s.mean_high, value, mean);
	}
	return s;
}
#endif

#endif
