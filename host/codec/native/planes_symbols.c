#include "planes_internal.h"

/* Saturates to 16 bits, which hold every threshold. */
static inline int16_t short_of(int32_t v)
{
	const int32_t low = v < INT16_MIN ? INT16_MIN : v;
	return (int16_t)(low > INT16_MAX ? INT16_MAX : low);
}

/* Compilers vectorize both loops: neither branches, and the second one uses 16-bit values only. */
static void fill_scalar(const int32_t *restrict expected, const int32_t *restrict uncertain,
			const int16_t *restrict before, const int16_t *restrict after, int32_t plane, int32_t count,
			uint16_t *restrict entries)
{
	/* The expected value; its distance from zero, or beyond the middle of the interval; the uncertainty. */
	int16_t mean[MAX_AREA], away[MAX_AREA], spread[MAX_AREA];
	for (int32_t i = 0; i < count; i++) {
		const int32_t v = before[i], e = scaled(expected[i], plane), known = magnitude(v);
		/* `before` is 4 * the middle of an interval two steps wide, which this symbol halves. */
		const int32_t along = signed_as(v, e), nothing = -(v == 0);
		mean[i] = short_of(e);
		away[i] = short_of((nothing & magnitude(e)) | (~nothing & (along - (known * 256 >> plane))));
		spread[i] = short_of(uncertain[i] >> plane);
	}
	for (int32_t i = 0; i < count; i++) {
		int16_t t = 0, far = 0, shift = 0;
		for (int32_t k = 0; k < PNC_PLANES_SPREADS - 1; k++)
			t = (int16_t)(t + (spread[i] >= pnc_planes_spread_thresholds[k]));
		for (int32_t k = 0; k < PNC_PLANES_FAR - 1; k++)
			far = (int16_t)(far + (away[i] >= pnc_planes_far_thresholds[k]));
		for (int32_t k = 0; k < PNC_PLANES_SHIFTS - 1; k++)
			shift = (int16_t)(shift + (away[i] >= pnc_planes_shift_thresholds[k]));
		const int16_t v = before[i], w = after[i];
		const int16_t differs = (int16_t)((mean[i] < 0) != (w < 0));
		const int16_t news = (int16_t)(w == 0 ? 0 : 1 + differs);
		const int16_t upper = (int16_t)((w < 0 ? -w : w) > (v < 0 ? -v : v));
		const int16_t table = (int16_t)(v == 0 ? far : PNC_PLANES_FAR + shift);
		entries[i] = (uint16_t)((v == 0 ? news : upper) * TABLES + table * PNC_PLANES_SPREADS + t);
	}
}

#ifdef TARGET_AVX2
/* Saturates two vectors to 16 bits and joins them in order. */
static inline TARGET_AVX2 __m256i narrowed(__m256i low, __m256i high)
{
	return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
}

/* The half octave of 2^6 ... 2^13 that `spread` lies in. The floating-point exponent of the square counts half octaves.
 * Adding one half puts each square on the same side of a power of two as the number is of its rounded threshold. */
static inline TARGET_AVX2 __m256i half_octave(__m256i spread)
{
	const __m256 middle = _mm256_add_ps(_mm256_cvtepi32_ps(spread), _mm256_set1_ps(0.5f));
	const __m256i exponent = _mm256_srli_epi32(_mm256_castps_si256(_mm256_mul_ps(middle, middle)), 23);
	return _mm256_sub_epi32(exponent, _mm256_set1_epi32(127 + 11));
}

/* For eight positions: the expected value rounded towards zero (mean), and the distance `away` of fill_scalar. */
static inline TARGET_AVX2 void place_eight(__m256i expected, __m256i before, __m128i plane, __m128i rest, __m256i *mean,
					   __m256i *away)
{
	const __m256i size = _mm256_srl_epi32(_mm256_abs_epi32(expected), plane);
	const __m256i nothing = _mm256_cmpeq_epi32(before, _mm256_setzero_si256());
	*mean = _mm256_sign_epi32(size, expected);
	/* |before| * 256 / 2^plane; both are 0 where `before` is. */
	const __m256i middle = _mm256_sll_epi32(_mm256_abs_epi32(before), rest);
	const __m256i past = _mm256_sub_epi32(_mm256_sign_epi32(*mean, before), middle);
	*away = _mm256_or_si256(past, _mm256_and_si256(size, nothing));
}

/* Looks up table[index] for each position; `table` has sixteen bytes, `index` is clamped to 0 ... 15. */
static inline TARGET_AVX2 __m256i looked_up(__m128i table, __m256i index)
{
	const __m256i zero = _mm256_setzero_si256(), last = _mm256_set1_epi16(15);
	const __m256i at = _mm256_min_epi16(_mm256_max_epi16(index, zero), last);
	/* The upper byte of each position looks up entry 0, which is 0. */
	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), at);
}

/* Like fill_scalar for count >= 16: sixteen positions at a time. The last vector overlaps the one before it if needed.
 */
static TARGET_AVX2 void fill_avx2(const int32_t *expected, const int32_t *uncertain, const int16_t *before,
				  const int16_t *after, int32_t plane, int32_t count, uint16_t *entries)
{
	const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi16(1);
	const __m128i by = _mm_cvtsi32_si128(plane), rest = _mm_cvtsi32_si128(8 - plane);
	/* Thresholds in units of 128: 1, 2, 4, 6, 8, 12. In units of 256, from -7 on: -6, -3, -1, 1, 3, 6; the
	 * thresholds -16 and -10 are compared separately. */
	const __m128i far_table = _mm_setr_epi8(0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6);
	const __m128i shift_table = _mm_setr_epi8(0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6);
	for (int32_t done = 0; done < count; done += LANES) {
		const int32_t i = done + LANES <= count ? done : count - LANES;
		const __m256i v = load(before + i), w = load(after + i);
		const __m256i v_low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v));
		const __m256i v_high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1));
		__m256i mean_low, mean_high, away_low, away_high;
		place_eight(load(expected + i), v_low, by, rest, &mean_low, &away_low);
		place_eight(load(expected + i + 8), v_high, by, rest, &mean_high, &away_high);
		const __m256i mean = narrowed(mean_low, mean_high), away = narrowed(away_low, away_high);

		const __m256i octave = narrowed(half_octave(_mm256_srl_epi32(load(uncertain + i), by)),
						half_octave(_mm256_srl_epi32(load(uncertain + i + 8), by)));
		const __m256i spread =
			_mm256_min_epi16(_mm256_max_epi16(octave, zero), _mm256_set1_epi16(PNC_PLANES_SPREADS - 1));

		const __m256i far = looked_up(far_table, _mm256_srai_epi16(away, 7));
		const __m256i coarse = _mm256_add_epi16(_mm256_cmpgt_epi16(away, _mm256_set1_epi16(-4096 - 1)),
							_mm256_cmpgt_epi16(away, _mm256_set1_epi16(-2560 - 1)));
		const __m256i fine =
			looked_up(shift_table, _mm256_add_epi16(_mm256_srai_epi16(away, 8), _mm256_set1_epi16(7)));
		const __m256i shift = _mm256_sub_epi16(fine, coarse);

		const __m256i nothing = _mm256_cmpeq_epi16(v, zero), still = _mm256_cmpeq_epi16(w, zero);
		const __m256i differs = _mm256_srli_epi16(_mm256_xor_si256(mean, w), 15);
		const __m256i news = _mm256_andnot_si256(still, _mm256_add_epi16(one, differs));
		const __m256i upper =
			_mm256_srli_epi16(_mm256_cmpgt_epi16(_mm256_abs_epi16(w), _mm256_abs_epi16(v)), 15);
		const __m256i symbol = _mm256_blendv_epi8(upper, news, nothing);
		const __m256i table =
			_mm256_blendv_epi8(_mm256_add_epi16(shift, _mm256_set1_epi16(PNC_PLANES_FAR)), far, nothing);
		const __m256i context = _mm256_add_epi16(_mm256_slli_epi16(table, 4), spread);
		const __m256i entry = _mm256_add_epi16(_mm256_mullo_epi16(symbol, _mm256_set1_epi16(TABLES)), context);
		_mm256_storeu_si256((__m256i *)(void *)(entries + i), entry);
	}
}
#endif

void pnc_planes_symbols(const struct pnc_planes_model *m, const struct pnc_planes_pass *p, const int16_t *refined,
			uint16_t *entries)
{
	const int32_t first = first_of(m), count = end_of(m) - first;
#ifdef TARGET_AVX2
	if (count >= LANES && HAS_AVX2) {
		fill_avx2(p->expected + first, p->uncertain + first, p->own + first, refined + first, p->plane, count,
			  entries + first);
		return;
	}
#endif
	fill_scalar(p->expected + first, p->uncertain + first, p->own + first, refined + first, p->plane, count,
		    entries + first);
}
