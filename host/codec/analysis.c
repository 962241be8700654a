#include "analysis.h"

#include <stddef.h>
#include <string.h>

#include "lanes.h"

#define ROW_TAPS (PNC_ANALYSIS_CELL * 3)
#define MAX_CHANNELS 64
#define MAX_SIDE 32

/* Sums of all filters over the cells of a row. */
struct row {
	int32_t of[MAX_CHANNELS][MAX_SIDE];
};

IN_BOTH int32_t product(const int16_t *cell, const int16_t *filter)
{
	int32_t sum = 0;
	for (int32_t i = 0; i < PNC_ANALYSIS_TAPS; i++)
		sum += (int32_t)cell[i] * filter[i];
	return sum;
}

IN_BOTH void filter_row(const struct pnc_analysis_model *m, const uint8_t *pixels, struct row *sums)
{
	const ptrdiff_t line = (ptrdiff_t)m->side * ROW_TAPS;
	for (int32_t x = 0; x < m->side; x++, pixels += ROW_TAPS) {
		int16_t cell[PNC_ANALYSIS_TAPS];
		for (ptrdiff_t y = 0; y < PNC_ANALYSIS_CELL; y++)
			for (ptrdiff_t i = 0; i < ROW_TAPS; i++)
				cell[y * ROW_TAPS + i] = (int16_t)(pixels[y * line + i] - PNC_ANALYSIS_MIDDLE);
		for (ptrdiff_t c = 0; c < m->channels; c++)
			sums->of[c][x] = product(cell, m->filters + c * PNC_ANALYSIS_TAPS);
	}
}

/* |sum| <= 192 * 128 * 128 < 2^22 and weight < 2^9: their product fits 32 bits, and 64 times an inverse step. Written
 * so that compilers make vector code of it: nothing branches, and the length is known. */
IN_BOTH void quantize(const int32_t *restrict sums, const uint32_t *restrict weight, uint32_t inverse, int32_t bits,
		      uint32_t limit, int8_t *restrict out)
{
	for (int32_t x = 0; x < MAX_SIDE; x++) {
		const int32_t flip = -(sums[x] < 0);
		const uint32_t weighted = (uint32_t)((sums[x] ^ flip) - flip) * weight[x];
		const uint32_t size = (uint32_t)((uint64_t)weighted * inverse >> 32) >> (bits - 32);
		const int32_t kept = (int32_t)(size < limit ? size : limit);
		out[x] = (int8_t)((kept ^ flip) - flip);
	}
}

IN_BOTH void run(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
	const ptrdiff_t side = m->side;
	struct row sums;
	memset(&sums, 0, sizeof(sums));
	for (ptrdiff_t y = 0; y < side; y++) {
		uint32_t weight[MAX_SIDE] = {0};
		memcpy(weight, m->weight + y * side, sizeof(*weight) * (size_t)side);
		filter_row(m, pixels + y * PNC_ANALYSIS_CELL * side * ROW_TAPS, &sums);
		for (ptrdiff_t c = 0; c < m->channels; c++) {
			int8_t out[MAX_SIDE];
			quantize(sums.of[c], weight, m->inverse[c], m->bits, m->limit[c], out);
			memcpy(coefficients + (c * side + y) * side, out, (size_t)side);
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
