/* The context model's sums for four times eight positions at a time, with NEON. */
#ifndef PNC_PLANES_NEON_H
#define PNC_PLANES_NEON_H

#include "planes_internal.h"

#ifdef HAS_NEON
#include <arm_neon.h>

/* Positions in one vector of 16-bit values, and vectors that are summed at a time. */
enum {
	LANES = 8,
	VECTORS = 4
};

/* The sums of positions 0 ... 3 (low) and 4 ... 7 (high). */
struct sums_neon {
	int32x4_t mean_low, mean_high, spread_low, spread_high;
};

static inline struct sums_neon base_neon(int32_t base)
{
	const int32x4_t zero = vdupq_n_s32(0), from = vdupq_n_s32(base);
	return (struct sums_neon){zero, zero, from, from};
}

/* Adds an input at eight positions, or at the last four of them. */
static inline void add_mean_neon(struct sums_neon *s, int16x8_t value, int16x8_t mean, int32_t last_four)
{
	if (!last_four)
		s->mean_low = vmlal_s16(s->mean_low, vget_low_s16(value), vget_low_s16(mean));
	s->mean_high = vmlal_high_s16(s->mean_high, value, mean);
}

static inline void add_both_neon(struct sums_neon *s, int16x8_t value, int16x8_t mean, int16x8_t spread,
				 int32_t last_four)
{
	const int16x8_t size = vabsq_s16(value);
	add_mean_neon(s, value, mean, last_four);
	if (!last_four)
		s->spread_low = vmlal_s16(s->spread_low, vget_low_s16(size), vget_low_s16(spread));
	s->spread_high = vmlal_high_s16(s->spread_high, size, spread);
}

/* Where the vectors lie that cover positions first ... end - 1, or as many as there is room for: those that would pass
 * the end overlap others. */
static inline void place_neon(ptrdiff_t first, ptrdiff_t end, ptrdiff_t *at)
{
	for (ptrdiff_t k = 0; k < VECTORS; k++) {
		const ptrdiff_t next = first + k * LANES;
		at[k] = next + LANES <= end ? next : end - LANES;
	}
}

/* The sums at VECTORS times eight positions; of the last vector those at its last four only, if `last_four`. The
 * vectors have a name each, so that compilers keep them in registers. */
SIMD_INLINE void sum_vectors_neon(const struct pnc_planes_inputs *in, const ptrdiff_t *at, int32_t last_four,
				  struct sums_neon *sums)
{
	struct sums_neon a = base_neon(in->base), b = a, c = a, d = a;
	const struct pnc_planes_terms *both = &in->both, *means = &in->means;
	const ptrdiff_t at_a = at[0], at_b = at[1], at_c = at[2], at_d = at[3];
	for (int32_t k = 0; k < both->count; k++) {
		const int16_t *from = both->from[k];
		const int16x8_t mean = vld1q_dup_s16(both->mean + k), spread = vld1q_dup_s16(both->spread + k);
		add_both_neon(&a, vld1q_s16(from + at_a), mean, spread, 0);
		add_both_neon(&b, vld1q_s16(from + at_b), mean, spread, 0);
		add_both_neon(&c, vld1q_s16(from + at_c), mean, spread, 0);
		add_both_neon(&d, vld1q_s16(from + at_d), mean, spread, last_four);
	}
	for (int32_t k = 0; k < means->count; k++) {
		const int16_t *from = means->from[k];
		const int16x8_t mean = vld1q_dup_s16(means->mean + k);
		add_mean_neon(&a, vld1q_s16(from + at_a), mean, 0);
		add_mean_neon(&b, vld1q_s16(from + at_b), mean, 0);
		add_mean_neon(&c, vld1q_s16(from + at_c), mean, 0);
		add_mean_neon(&d, vld1q_s16(from + at_d), mean, last_four);
	}
	sums[0] = a;
	sums[1] = b;
	sums[2] = c;
	sums[3] = d;
}

/* Processors begin one vector of products in a cycle, so half a vector that is known already is not computed again: in
 * rows of 28 positions, those of pictures, the last vector begins with the second half of the one before. */
static inline void sum_neon(const struct pnc_planes_inputs *in, const ptrdiff_t *at, struct sums_neon *sums)
{
	if (at[3] - at[2] != LANES / 2) {
		sum_vectors_neon(in, at, 0, sums);
		return;
	}
	sum_vectors_neon(in, at, 1, sums);
	sums[3].mean_low = sums[2].mean_high;
	sums[3].spread_low = sums[2].spread_high;
}
#endif

#endif
