#include "analysis.h"

#include <stddef.h>

#include "lanes.h"

#define ROW_TAPS (PNC_ANALYSIS_CELL * 3)
#define MAX_CHANNELS 64

/* Without a branch, so that compilers make vector code of loops over it. |sum| <= 192 * 128 * 128 < 2^22 and weight <
 * 2^9: their product fits 32 bits, and 64 times an inverse step. */
IN_BOTH int8_t quantized(int32_t sum, uint32_t weight, uint32_t inverse, int32_t bits, uint32_t limit)
{
	const int32_t flip = -(sum < 0);
	const uint32_t weighted = (uint32_t)((sum ^ flip) - flip) * weight;
	const uint64_t size = (uint64_t)weighted * inverse >> bits;
	const int32_t kept = (int32_t)(size < limit ? size : limit);
	return (int8_t)((kept ^ flip) - flip);
}

IN_BOTH int32_t product(const int16_t *cell, const int16_t *filter)
{
	int32_t sum = 0;
	for (int32_t i = 0; i < PNC_ANALYSIS_TAPS; i++)
		sum += (int32_t)cell[i] * filter[i];
	return sum;
}

IN_BOTH void run(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
	const ptrdiff_t side = m->side, area = side * side, line = side * ROW_TAPS, channels = m->channels;
	for (ptrdiff_t place = 0; place < area; place++) {
		const uint8_t *from = pixels + place / side * PNC_ANALYSIS_CELL * line + place % side * ROW_TAPS;
		int16_t cell[PNC_ANALYSIS_TAPS];
		int32_t sums[MAX_CHANNELS];
		int8_t out[MAX_CHANNELS];
		for (ptrdiff_t y = 0; y < PNC_ANALYSIS_CELL; y++)
			for (ptrdiff_t x = 0; x < ROW_TAPS; x++)
				cell[y * ROW_TAPS + x] = (int16_t)(from[y * line + x] - PNC_ANALYSIS_MIDDLE);
		for (ptrdiff_t c = 0; c < channels; c++)
			sums[c] = product(cell, m->filters + c * PNC_ANALYSIS_TAPS);
		for (ptrdiff_t c = 0; c < channels; c++)
			out[c] = quantized(sums[c], m->weight[place], m->inverse[c], m->bits, m->limit[c]);
		for (ptrdiff_t c = 0; c < channels; c++)
			coefficients[c * area + place] = out[c];
	}
}

#ifdef WITH_AVX2
static WITH_AVX2 void run_by_lanes(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
	run(m, pixels, coefficients);
}
#endif

void pnc_analysis_run(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
#ifdef WITH_AVX2
	if (HAS_AVX2) {
		run_by_lanes(m, pixels, coefficients);
		return;
	}
#endif
	run(m, pixels, coefficients);
}
