/* Folding and filtering of eight cells at a time, with AVX2. */
#ifndef PNC_ANALYSIS_AVX2_H
#define PNC_ANALYSIS_AVX2_H

#include "analysis_internal.h"

#ifdef TARGET_AVX2
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

static inline TARGET_AVX2 __m256i two_halves(const int16_t *low, const int16_t *high)
{
	const __m128i first = _mm_loadu_si128((const __m128i *)(const void *)low);
	return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
				       _mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/* [a, b] -> [a + b mirrored, a - b mirrored], in each half; a and b have four values. */
static inline TARGET_AVX2 __m256i mirrored_sums(__m256i line)
{
	const __m256i left = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0,
					      1, 2, 3, 4, 5, 6, 7);
	const __m256i right = _mm256_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 14, 15, 12, 13, 10, 11, 8, 9, 14, 15, 12,
					       13, 10, 11, 8, 9, 14, 15, 12, 13, 10, 11, 8, 9);
	const __m256i signs = _mm256_setr_epi16(1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1);
	return _mm256_add_epi16(_mm256_shuffle_epi8(line, left),
				_mm256_sign_epi16(_mm256_shuffle_epi8(line, right), signs));
}

/* Stores four vectors, each with four pairs of cell k and of cell k + 4, as four vectors with one pair of each cell:
 * the first two for an even filter, the others for an odd one. */
static inline TARGET_AVX2 void store_pairs(const __m256i *cells, int16_t (*even)[MAX_SIDE][2],
					   int16_t (*odd)[MAX_SIDE][2], int32_t at)
{
	const __m256i a = _mm256_unpacklo_epi32(cells[0], cells[1]), b = _mm256_unpacklo_epi32(cells[2], cells[3]);
	const __m256i c = _mm256_unpackhi_epi32(cells[0], cells[1]), d = _mm256_unpackhi_epi32(cells[2], cells[3]);
	_mm256_storeu_si256((__m256i *)(void *)even[0][at], _mm256_unpacklo_epi64(a, b));
	_mm256_storeu_si256((__m256i *)(void *)even[1][at], _mm256_unpackhi_epi64(a, b));
	_mm256_storeu_si256((__m256i *)(void *)odd[0][at], _mm256_unpacklo_epi64(c, d));
	_mm256_storeu_si256((__m256i *)(void *)odd[1][at], _mm256_unpackhi_epi64(c, d));
}

/* Like fold_scalar for eight cells at a time. */
static TARGET_AVX2 void fold_avx2(const int16_t (*lines)[MAX_LINE], int32_t side, int16_t (*to)[PAIRS][MAX_SIDE][2])
{
	for (int32_t y = 0; y < HALF; y++)
		for (int32_t at = 0; at < side; at += 8) {
			__m256i even[4], odd[4];
			for (ptrdiff_t k = 0; k < 4; k++) {
				const int16_t *upper = lines[y] + (at + k) * CELL,
					      *lower = lines[CELL - 1 - y] + (at + k) * CELL;
				const __m256i a = two_halves(upper, upper + (ptrdiff_t)4 * CELL);
				const __m256i b = two_halves(lower, lower + (ptrdiff_t)4 * CELL);
				even[k] = mirrored_sums(_mm256_add_epi16(a, b));
				odd[k] = mirrored_sums(_mm256_sub_epi16(a, b));
			}
			const int32_t pair = y * HALF / 2;
			store_pairs(even, to[0] + pair, to[1] + pair, at);
			store_pairs(odd, to[2] + pair, to[3] + pair, at);
		}
}

/* Like filter_scalar for eight cells at a time. */
static TARGET_AVX2 void filter_avx2(const int16_t (*cells)[MAX_SIDE][2], const int16_t (*taps)[2], int32_t *sums)
{
	__m256i weights[PAIRS];
	for (int32_t k = 0; k < PAIRS; k++) {
		int32_t pair;
		memcpy(&pair, taps[k], sizeof(pair));
		weights[k] = _mm256_set1_epi32(pair);
	}
	for (int32_t x = 0; x < MAX_SIDE; x += 8) {
		__m256i sum = _mm256_setzero_si256();
		for (int32_t k = 0; k < PAIRS; k++) {
			const __m256i pairs = _mm256_loadu_si256((const __m256i *)(const void *)cells[k][x]);
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, weights[k]));
		}
		_mm256_storeu_si256((__m256i *)(void *)(sums + x), sum);
	}
}
#endif

#endif
