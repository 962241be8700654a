#include "analysis.h"

#include <stddef.h>

#include "lanes.h"

#define ROW_TAPS (PNC_ANALYSIS_CELL * 3)

/* |sum| <= 192 * 128 * 128 < 2^22, inverse * weight < 2^39: their product stays inside 63 bits. */
static int8_t quantized(int32_t sum, uint64_t factor, int32_t bits, int32_t top)
{
	const uint64_t size = (uint64_t)(sum < 0 ? -sum : sum) * factor >> bits;
	const uint64_t limit = (1u << top) - 1u;
	const int32_t kept = (int32_t)(size < limit ? size : limit);
	return (int8_t)(sum < 0 ? -kept : kept);
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
	const ptrdiff_t side = m->side, area = side * side, line = side * ROW_TAPS;
	for (ptrdiff_t place = 0; place < area; place++) {
		const uint8_t *from = pixels + place / side * PNC_ANALYSIS_CELL * line + place % side * ROW_TAPS;
		int16_t cell[PNC_ANALYSIS_TAPS];
		for (ptrdiff_t y = 0; y < PNC_ANALYSIS_CELL; y++)
			for (ptrdiff_t x = 0; x < ROW_TAPS; x++)
				cell[y * ROW_TAPS + x] = (int16_t)(from[y * line + x] - PNC_ANALYSIS_MIDDLE);
		for (ptrdiff_t c = 0; c < m->channels; c++) {
			const int32_t sum = product(cell, m->filters + c * PNC_ANALYSIS_TAPS);
			const uint64_t factor = (uint64_t)(m->inverse[c] * m->weight[place]);
			coefficients[c * area + place] = quantized(sum, factor, m->bits, m->top[c]);
		}
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
