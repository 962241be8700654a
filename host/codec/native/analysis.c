#include "analysis_avx2.h"
#include "analysis_internal.h"
#include "analysis_neon.h"

#include <stddef.h>
#include <string.h>

#define MAX_CHANNELS 64
/* The kind of a filter without symmetries. */
#define NO_KIND (-1)

/* A row of cells: eight lines of each colour plane, padded with zeros. The same folded to the upper left quarter of
 * each cell, for each kind of filter: 2 if it is odd from top to bottom, plus 1 if it is odd from left to right. Two
 * taps lie side by side, since processors have vector instructions for sums of two products. */
struct lines {
	int16_t of[PNC_ANALYSIS_COLOURS][CELL][MAX_LINE];
	int16_t folded[PNC_ANALYSIS_COLOURS][KINDS][PAIRS][MAX_SIDE][2];
};

/* A channel's kind, or NO_KIND, and its filter's taps in the upper left quarter. */
struct quarter {
	int32_t kind;
	int16_t taps[PAIRS][2];
};

static struct quarter quarter_of(const int16_t *filter)
{
	struct quarter q;
	int32_t even_y = 0, odd_y = 0, even_x = 0, odd_x = 0;
	for (int32_t y = 0; y < CELL; y++)
		for (int32_t x = 0; x < CELL; x++) {
			const int16_t tap = filter[y * CELL + x];
			const int16_t below = filter[(CELL - 1 - y) * CELL + x];
			const int16_t beside = filter[y * CELL + CELL - 1 - x];
			even_y |= tap - below;
			odd_y |= tap + below;
			even_x |= tap - beside;
			odd_x |= tap + beside;
		}
	q.kind = (even_y && odd_y) || (even_x && odd_x) ? NO_KIND : 2 * (even_y != 0) + (even_x != 0);
	for (int32_t y = 0; y < HALF; y++)
		memcpy(q.taps[y * HALF / 2], filter + (ptrdiff_t)y * CELL, HALF * sizeof(*filter));
	return q;
}

/* Compilers vectorize this loop: all values fit 16 bits. With a 32-bit index they would not: Python builds with
 * -fwrapv, so it could wrap. The differences are halved before 128 is added, since their sum might not fit. */
SIMD_INLINE void split_line(const uint8_t *restrict pixels, ptrdiff_t count, int16_t *restrict luma,
			    int16_t *restrict blue, int16_t *restrict red)
{
	for (ptrdiff_t i = 0; i < count; i++) {
		const int16_t r = pixels[3 * i], g = pixels[3 * i + 1], b = pixels[3 * i + 2];
		const uint16_t light = (uint16_t)(77 * r + 150 * g + 29 * b + 128);
		const int16_t to_blue = (int16_t)(128 * b - 43 * r - 85 * g);
		const int16_t to_red = (int16_t)(128 * r - 107 * g - 21 * b);
		luma[i] = (int16_t)((light >> 8) - PNC_ANALYSIS_MIDDLE);
		blue[i] = (int16_t)(((to_blue >> 1) + 64) >> 7);
		red[i] = (int16_t)(((to_red >> 1) + 64) >> 7);
	}
}

SIMD_INLINE void split_row(const uint8_t *pixels, ptrdiff_t side, struct lines *to)
{
	for (ptrdiff_t y = 0; y < CELL; y++)
		split_line(pixels + y * side * CELL * 3, side * CELL, to->of[0][y], to->of[1][y], to->of[2][y]);
}

#ifndef HAS_NEON
static void fold_scalar(const int16_t (*lines)[MAX_LINE], int32_t side, int16_t (*to)[PAIRS][MAX_SIDE][2])
{
	for (int32_t y = 0; y < HALF; y++)
		for (int32_t at = 0; at < side; at++)
			for (int32_t x = 0; x < HALF; x++) {
				const int16_t *upper = lines[y] + at * CELL, *lower = lines[CELL - 1 - y] + at * CELL;
				const int32_t left = upper[x] + lower[x],
					      right = upper[CELL - 1 - x] + lower[CELL - 1 - x];
				const int32_t left_odd = upper[x] - lower[x];
				const int32_t right_odd = upper[CELL - 1 - x] - lower[CELL - 1 - x];
				const int32_t pair = (y * HALF + x) / 2;
				to[0][pair][at][x % 2] = (int16_t)(left + right);
				to[1][pair][at][x % 2] = (int16_t)(left - right);
				to[2][pair][at][x % 2] = (int16_t)(left_odd + right_odd);
				to[3][pair][at][x % 2] = (int16_t)(left_odd - right_odd);
			}
}

static void filter_scalar(const int16_t (*cells)[MAX_SIDE][2], const int16_t (*taps)[2], int32_t *sums)
{
	for (ptrdiff_t x = 0; x < MAX_SIDE; x++) {
		int32_t sum = 0;
		for (int32_t k = 0; k < PAIRS; k++)
			sum += cells[k][x][0] * taps[k][0] + cells[k][x][1] * taps[k][1];
		sums[x] = sum;
	}
}
#endif

/* For a filter without symmetries. */
static void filter_any(const int16_t (*lines)[MAX_LINE], const int16_t *filter, int32_t side, int32_t *sums)
{
	for (int32_t x = 0; x < side; x++) {
		int32_t sum = 0;
		for (int32_t y = 0; y < CELL; y++)
			for (int32_t i = 0; i < CELL; i++)
				sum += (int32_t)lines[y][x * CELL + i] * filter[y * CELL + i];
		sums[x] = sum;
	}
}

/* |sum| <= 2 * 64 * 128 * 128 = 2^21 and weight < 2^9, so their product fits 32 bits, and times an inverse step 64
 * bits. Compilers vectorize the loop: it does not branch, and its length is constant. */
SIMD_INLINE void quantize(const int32_t *restrict sums, const uint32_t *restrict weight, uint32_t inverse, int32_t bits,
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

/* Cells up to this many levels away count for a picture colour, the nearest ones most. */
#define NEAR_LEVELS 24
#define LEVELS 256

static int32_t clamped(int32_t v, int32_t least, int32_t most)
{
	return v < least ? least : v > most ? most : v;
}

/* Chooses the picture colour of a channel of means from its sums [side * side]; `one` is the sum of a cell of level 1.
 */
static uint8_t choose_colour(const struct pnc_analysis_model *m, ptrdiff_t channel, const int32_t *sums, int32_t one)
{
	/* By level, with room for the levels beside the first and the last one. */
	int32_t count[LEVELS + 3 * NEAR_LEVELS + 1] = {0}, lowest = INT32_MAX, highest = INT32_MIN;
	uint32_t most_weight = 1;
	/* Divides exactly: a sum has at most 22 bits, and `one` at most 13. */
	const uint64_t reciprocal = (UINT64_C(1) << 40) / (uint32_t)one + 1;
	for (int32_t i = 0; i < m->side * m->side; i++) {
		lowest = sums[i] < lowest ? sums[i] : lowest;
		highest = sums[i] > highest ? sums[i] : highest;
		most_weight = m->weight[i] > most_weight ? m->weight[i] : most_weight;
		const uint32_t above = (uint32_t)(sums[i] + PNC_ANALYSIS_MIDDLE * one + one / 2);
		count[2 * NEAR_LEVELS + (above * reciprocal >> 40)]++;
	}
	/* `near` is the number of cells around a level, each weighted by NEAR_LEVELS less its distance. From one level
	 * to the next it grows by the cells above and falls by those up to it. */
	int32_t best = 0, most = 0, near = 0, above = 0, below = 0;
	for (int32_t level = -NEAR_LEVELS - 1; level < LEVELS; level++) {
		const int32_t *at = count + level + 2 * NEAR_LEVELS;
		best = near > most ? level : best;
		most = near > most ? near : most;
		near += above - below;
		above += at[NEAR_LEVELS + 1] - at[1];
		below += at[1] - at[1 - NEAR_LEVELS];
	}
	/* Sums up to `reach` from the picture colour are not limited. */
	const uint64_t past = ((uint64_t)m->limit[channel] + 1) << m->bits;
	const uint64_t least = past / ((uint64_t)m->inverse[channel] * most_weight + 1);
	const int32_t reach = (int32_t)(least < INT32_MAX / 4 ? least : INT32_MAX / 4);
	const int32_t from = (highest - reach) / one + PNC_ANALYSIS_MIDDLE + 1;
	const int32_t to = (lowest + reach) / one + PNC_ANALYSIS_MIDDLE - 1;
	const int32_t middle = (lowest + highest) / 2 / one + PNC_ANALYSIS_MIDDLE;
	return (uint8_t)clamped(from <= to ? clamped(best, from, to) : middle, 0, LEVELS - 1);
}

/* Chooses the picture colour, subtracts it from the sums of the means, and quantizes them. */
static void quantize_means(const struct pnc_analysis_model *m, int32_t (*means)[MAX_SIDE * MAX_SIDE],
			   int8_t *coefficients, uint8_t *colour)
{
	const ptrdiff_t side = m->side;
	for (ptrdiff_t c = 0; c < PNC_ANALYSIS_COLOURS; c++) {
		const int32_t one = m->filters[c * PNC_ANALYSIS_TAPS] * PNC_ANALYSIS_TAPS;
		colour[c] = choose_colour(m, c, means[c], one);
		for (ptrdiff_t y = 0; y < side; y++) {
			int32_t sums[MAX_SIDE] = {0};
			uint32_t weight[MAX_SIDE] = {0};
			int8_t out[MAX_SIDE];
			for (ptrdiff_t x = 0; x < side; x++)
				sums[x] = means[c][y * side + x] - (colour[c] - PNC_ANALYSIS_MIDDLE) * one;
			memcpy(weight, m->weight + y * side, sizeof(*weight) * (size_t)side);
			quantize(sums, weight, m->inverse[c], m->bits, m->limit[c], out);
			memcpy(coefficients + (c * side + y) * side, out, (size_t)side);
		}
	}
}

/* The two loops that have vector code by hand. */
struct loops {
	void (*fold)(const int16_t (*)[MAX_LINE], int32_t, int16_t (*)[PAIRS][MAX_SIDE][2]);
	void (*filter)(const int16_t (*)[MAX_SIDE][2], const int16_t (*)[2], int32_t *);
};

SIMD_INLINE void run(const struct pnc_analysis_model *m, const uint8_t *pixels, struct loops loops,
		     int8_t *coefficients, uint8_t *picture_colour)
{
	const ptrdiff_t side = m->side;
	struct lines lines;
	struct quarter quarters[MAX_CHANNELS];
	int32_t sums[MAX_SIDE] = {0}, means[PNC_ANALYSIS_COLOURS][MAX_SIDE * MAX_SIDE];
	memset(&lines, 0, sizeof(lines));
	for (ptrdiff_t c = 0; c < m->channels; c++)
		quarters[c] = quarter_of(m->filters + c * PNC_ANALYSIS_TAPS);
	for (ptrdiff_t y = 0; y < side; y++) {
		uint32_t weight[MAX_SIDE] = {0};
		memcpy(weight, m->weight + y * side, sizeof(*weight) * (size_t)side);
		split_row(pixels + y * CELL * side * CELL * 3, side, &lines);
		for (ptrdiff_t colour = 0; colour < PNC_ANALYSIS_COLOURS; colour++)
			loops.fold(lines.of[colour], m->side, lines.folded[colour]);
		for (ptrdiff_t c = 0; c < m->channels; c++) {
			int8_t out[MAX_SIDE];
			const struct quarter *q = quarters + c;
			if (q->kind == NO_KIND)
				filter_any(lines.of[m->colour[c]], m->filters + c * PNC_ANALYSIS_TAPS, m->side, sums);
			else
				loops.filter(lines.folded[m->colour[c]][q->kind], q->taps, sums);
			if (c < PNC_ANALYSIS_COLOURS) {
				memcpy(means[c] + y * side, sums, sizeof(*sums) * (size_t)side);
				continue;
			}
			quantize(sums, weight, m->inverse[c], m->bits, m->limit[c], out);
			memcpy(coefficients + (c * side + y) * side, out, (size_t)side);
		}
	}
	quantize_means(m, means, coefficients, picture_colour);
}

#ifdef TARGET_AVX2
static TARGET_AVX2 void run_avx2(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients,
				 uint8_t *colour)
{
	run(m, pixels, (struct loops){fold_avx2, filter_avx2}, coefficients, colour);
}
#endif

void pnc_analysis_run(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients, uint8_t *colour)
{
#ifdef TARGET_AVX2
	if (HAS_AVX2) {
		run_avx2(m, pixels, coefficients, colour);
		return;
	}
#endif
#ifdef HAS_NEON
	run(m, pixels, (struct loops){fold_neon, filter_neon}, coefficients, colour);
#else
	run(m, pixels, (struct loops){fold_scalar, filter_scalar}, coefficients, colour);
#endif
}
