/* Folding and filtering of several cells at a time, with NEON. */
#ifndef PNC_ANALYSIS_NEON_H
#define PNC_ANALYSIS_NEON_H

#include "analysis_internal.h"

#ifdef HAS_NEON
#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

/* Folds halves of four cells from left to right and stores them as pairs of taps. `line` holds values 0 and 4 of each
 * cell, then 1 and 5, 2 and 6, 3 and 7. */
static inline void fold_halves(int16x8x4_t line, int16_t (*even)[MAX_SIDE][2], int16_t (*odd)[MAX_SIDE][2], int32_t at)
{
	/* Values 0 and 1, and those that mirror them, 7 and 6; then 2 and 3, 5 and 4. */
	const int16x8_t a = vtrn1q_s16(line.val[0], line.val[1]), a_mirrored = vtrn2q_s16(line.val[3], line.val[2]);
	const int16x8_t b = vtrn1q_s16(line.val[2], line.val[3]), b_mirrored = vtrn2q_s16(line.val[1], line.val[0]);
	vst1q_s16(even[0][at], vaddq_s16(a, a_mirrored));
	vst1q_s16(even[1][at], vaddq_s16(b, b_mirrored));
	vst1q_s16(odd[0][at], vsubq_s16(a, a_mirrored));
	vst1q_s16(odd[1][at], vsubq_s16(b, b_mirrored));
}

/* Like fold_scalar for four cells at a time. */
static void fold_neon(const int16_t (*lines)[MAX_LINE], int32_t side, int16_t (*to)[PAIRS][MAX_SIDE][2])
{
	for (int32_t y = 0; y < HALF; y++)
		for (int32_t at = 0; at < side; at += 4) {
			const int16x8x4_t upper = vld4q_s16(lines[y] + at * CELL);
			const int16x8x4_t lower = vld4q_s16(lines[CELL - 1 - y] + at * CELL);
			int16x8x4_t even, odd;
			for (int32_t k = 0; k < 4; k++) {
				even.val[k] = vaddq_s16(upper.val[k], lower.val[k]);
				odd.val[k] = vsubq_s16(upper.val[k], lower.val[k]);
			}
			const int32_t pair = y * HALF / 2;
			fold_halves(even, to[0] + pair, to[1] + pair, at);
			fold_halves(odd, to[2] + pair, to[3] + pair, at);
		}
}

/* Like filter_scalar for sixteen cells at a time. */
static void filter_neon(const int16_t (*cells)[MAX_SIDE][2], const int16_t (*taps)[2], int32_t *sums)
{
	int16x8_t weights[PAIRS];
	for (int32_t k = 0; k < PAIRS; k++) {
		int32_t pair;
		memcpy(&pair, taps[k], sizeof(pair));
		weights[k] = vreinterpretq_s16_s32(vdupq_n_s32(pair));
	}
	for (ptrdiff_t x = 0; x < MAX_SIDE; x += 16) {
		/* Two sums of each cell, side by side. */
		int32x4_t low[4], high[4];
		for (ptrdiff_t i = 0; i < 4; i++)
			low[i] = high[i] = vdupq_n_s32(0);
		for (int32_t k = 0; k < PAIRS; k++)
			for (ptrdiff_t i = 0; i < 4; i++) {
				const int16x8_t pairs = vld1q_s16(cells[k][x + 4 * i]);
				low[i] = vmlal_s16(low[i], vget_low_s16(pairs), vget_low_s16(weights[k]));
				high[i] = vmlal_high_s16(high[i], pairs, weights[k]);
			}
		for (ptrdiff_t i = 0; i < 4; i++)
			vst1q_s32(sums + x + 4 * i, vpaddq_s32(low[i], high[i]));
	}
}
#endif

#endif
