#include "analysis.h"

#include <stddef.h>
#include <string.h>

#include "simd.h"

#ifdef TARGET_AVX2
#include <immintrin.h>
#endif

#define CELL PNC_ANALYSIS_CELL
#define MAX_SIDE 32
#define MAX_LINE (CELL * MAX_SIDE)

/* A row of cells: eight lines of each colour plane, padded with zeros. */
struct lines {
	int16_t of[PNC_ANALYSIS_COLOURS][CELL][MAX_LINE];
};

/* (value + 128) >> 8, without shifting a negative number. */
SIMD_INLINE int16_t rounded(int32_t value)
{
	return (int16_t)(((value + 128 + (256 << 8)) >> 8) - 256);
}

/* Compilers vectorize this loop. With a 32-bit index they would not: Python builds with -fwrapv, so it could wrap. */
SIMD_INLINE void split_line(const uint8_t *restrict pixels, ptrdiff_t count, int16_t *restrict luma,
			    int16_t *restrict blue, int16_t *restrict red)
{
	for (ptrdiff_t i = 0; i < count; i++) {
		const int32_t r = pixels[3 * i], g = pixels[3 * i + 1], b = pixels[3 * i + 2];
		luma[i] = (int16_t)(rounded(77 * r + 150 * g + 29 * b) - PNC_ANALYSIS_MIDDLE);
		blue[i] = rounded(-43 * r - 85 * g + 128 * b);
		red[i] = rounded(128 * r - 107 * g - 21 * b);
	}
}

SIMD_INLINE void split_row(const uint8_t *pixels, ptrdiff_t side, struct lines *to)
{
	for (ptrdiff_t y = 0; y < CELL; y++)
		split_line(pixels + y * side * CELL * 3, side * CELL, to->of[0][y], to->of[1][y], to->of[2][y]);
}

static void filter_scalar(const int16_t (*lines)[MAX_LINE], const int16_t *filter, int32_t side, int32_t *sums)
{
	for (int32_t x = 0; x < side; x++) {
		int32_t sum = 0;
		for (int32_t y = 0; y < CELL; y++)
			for (int32_t i = 0; i < CELL; i++)
				sum += (int32_t)lines[y][x * CELL + i] * filter[y * CELL + i];
		sums[x] = sum;
	}
}

#ifdef TARGET_AVX2
/* Like filter_scalar for eight cells at a time: a vector holds one line of two cells. */
static TARGET_AVX2 void filter_avx2(const int16_t (*lines)[MAX_LINE], const int16_t *filter, int32_t side,
				    int32_t *sums)
{
	__m256i taps[CELL];
	for (int32_t y = 0; y < CELL; y++)
		taps[y] = _mm256_broadcastsi128_si256(
			_mm_loadu_si128((const __m128i *)(const void *)(filter + (ptrdiff_t)y * CELL)));
	for (int32_t x = 0; x < side; x += 8) {
		__m256i sum[4];
		for (int32_t k = 0; k < 4; k++) {
			sum[k] = _mm256_setzero_si256();
			for (int32_t y = 0; y < CELL; y++) {
				const void *from = lines[y] + (ptrdiff_t)(x + 2 * k) * CELL;
				const __m256i pair = _mm256_loadu_si256((const __m256i *)from);
				sum[k] = _mm256_add_epi32(sum[k], _mm256_madd_epi16(pair, taps[y]));
			}
		}
		/* The low half has the sums of cells 0, 2, 4, 6, the high half those of 1, 3, 5, 7. */
		const __m256i all =
			_mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
		const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
		_mm256_storeu_si256((__m256i *)(void *)(sums + x), _mm256_permutevar8x32_epi32(all, order));
	}
}
#endif

/* |sum| <= 64 * 128 * 128 = 2^20 and weight < 2^9, so their product fits 32 bits, and times an inverse step 64 bits.
 * Compilers vectorize the loop: it does not branch, and its length is constant. */
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

SIMD_INLINE void run(const struct pnc_analysis_model *m, const uint8_t *pixels,
		     void (*filter)(const int16_t (*)[MAX_LINE], const int16_t *, int32_t, int32_t *),
		     int8_t *coefficients)
{
	const ptrdiff_t side = m->side;
	struct lines lines;
	int32_t sums[MAX_SIDE] = {0};
	memset(&lines, 0, sizeof(lines));
	for (ptrdiff_t y = 0; y < side; y++) {
		uint32_t weight[MAX_SIDE] = {0};
		memcpy(weight, m->weight + y * side, sizeof(*weight) * (size_t)side);
		split_row(pixels + y * CELL * side * CELL * 3, side, &lines);
		for (ptrdiff_t c = 0; c < m->channels; c++) {
			int8_t out[MAX_SIDE];
			filter(lines.of[m->colour[c]], m->filters + c * PNC_ANALYSIS_TAPS, m->side, sums);
			quantize(sums, weight, m->inverse[c], m->bits, m->limit[c], out);
			memcpy(coefficients + (c * side + y) * side, out, (size_t)side);
		}
	}
}

#ifdef TARGET_AVX2
static TARGET_AVX2 void run_avx2(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
	run(m, pixels, filter_avx2, coefficients);
}
#endif

void pnc_analysis_run(const struct pnc_analysis_model *m, const uint8_t *pixels, int8_t *coefficients)
{
#ifdef TARGET_AVX2
	if (HAS_AVX2) {
		run_avx2(m, pixels, coefficients);
		return;
	}
#endif
	run(m, pixels, filter_scalar, coefficients);
}
