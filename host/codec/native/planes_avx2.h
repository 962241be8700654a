/* The context model's sums for sixteen positions at a time, with AVX2. */
#ifndef PNC_PLANES_AVX2_H
#define PNC_PLANES_AVX2_H

#include "planes_internal.h"

#ifdef TARGET_AVX2
#include <immintrin.h>
#include <string.h>

/* Positions in one vector of 16-bit values. */
enum {
	LANES = 16
};

/* The sums of positions 0 ... 3 and 8 ... 11 (low), and of the others (high): the order of `unpack` and `packs`. */
struct sums_avx2 {
	__m256i mean_low, mean_high, spread_low, spread_high;
};

static inline TARGET_AVX2 __m256i load(const void *from)
{
	return _mm256_loadu_si256((const __m256i *)from);
}

static inline TARGET_AVX2 __m256i both_weights(const int16_t *pair)
{
	int32_t word;
	memcpy(&word, pair, sizeof(word));
	return _mm256_set1_epi32(word);
}

static inline TARGET_AVX2 struct sums_avx2 base_avx2(int32_t base)
{
	const __m256i zero = _mm256_setzero_si256(), from = _mm256_set1_epi32(base);
	return (struct sums_avx2){zero, zero, from, from};
}

/* Adds two inputs at sixteen positions. */
static inline TARGET_AVX2 void add_means_avx2(struct sums_avx2 *s, const int16_t *a, const int16_t *b, __m256i mean)
{
	const __m256i first = load(a), second = load(b);
	s->mean_low = _mm256_add_epi32(s->mean_low, _mm256_madd_epi16(_mm256_unpacklo_epi16(first, second), mean));
	s->mean_high = _mm256_add_epi32(s->mean_high, _mm256_madd_epi16(_mm256_unpackhi_epi16(first, second), mean));
}

static inline TARGET_AVX2 void add_both_avx2(struct sums_avx2 *s, const int16_t *a, const int16_t *b, __m256i mean,
					     __m256i spread)
{
	const __m256i first = load(a), second = load(b);
	const __m256i low = _mm256_unpacklo_epi16(first, second), high = _mm256_unpackhi_epi16(first, second);
	s->mean_low = _mm256_add_epi32(s->mean_low, _mm256_madd_epi16(low, mean));
	s->mean_high = _mm256_add_epi32(s->mean_high, _mm256_madd_epi16(high, mean));
	s->spread_low = _mm256_add_epi32(s->spread_low, _mm256_madd_epi16(_mm256_abs_epi16(low), spread));
	s->spread_high = _mm256_add_epi32(s->spread_high, _mm256_madd_epi16(_mm256_abs_epi16(high), spread));
}

/* The sums at two times sixteen positions, which may overlap. */
static inline TARGET_AVX2 void sum_twice_avx2(const struct pnc_planes_inputs *in, ptrdiff_t i, ptrdiff_t j,
					      struct sums_avx2 *at_i, struct sums_avx2 *at_j)
{
	struct sums_avx2 one = base_avx2(in->base), two = one;
	const struct pnc_planes_terms *both = &in->both, *means = &in->means;
	for (int32_t k = 0; k < both->count; k += 2) {
		const int16_t *a = both->from[k], *b = both->from[k + 1];
		const __m256i mean = both_weights(both->mean + k), spread = both_weights(both->spread + k);
		add_both_avx2(&one, a + i, b + i, mean, spread);
		add_both_avx2(&two, a + j, b + j, mean, spread);
	}
	for (int32_t k = 0; k < means->count; k += 2) {
		const int16_t *a = means->from[k], *b = means->from[k + 1];
		const __m256i mean = both_weights(means->mean + k);
		add_means_avx2(&one, a + i, b + i, mean);
		add_means_avx2(&two, a + j, b + j, mean);
	}
	*at_i = one;
	*at_j = two;
}
#endif

#endif
