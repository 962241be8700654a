#include "planes_avx2.h"
#include "planes_internal.h"
#include "planes_neon.h"

#include <string.h>

/* Saturates to 16 bits, which hold every threshold. */
static inline int16_t short_of(int32_t v)
{
	const int32_t low = v < INT16_MIN ? INT16_MIN : v;
	return (int16_t)(low > INT16_MAX ? INT16_MAX : low);
}

/* Compilers vectorize both loops: neither branches, and the second one uses 16-bit values only. */
static void fill_scalar(const int32_t *restrict expected, const int32_t *restrict uncertain,
			const int16_t *restrict before, const int16_t *restrict after, int32_t plane, ptrdiff_t count,
			uint16_t *restrict entries)
{
	/* The expected value; its distance from zero, or beyond the middle of the interval; the uncertainty. */
	int16_t mean[MAX_AREA], away[MAX_AREA], spread[MAX_AREA];
	for (ptrdiff_t i = 0; i < count; i++) {
		const int32_t v = before[i], e = scaled(expected[i], plane), known = magnitude(v);
		/* `before` is 4 * the middle of an interval two steps wide, which this symbol halves. */
		const int32_t along = signed_as(v, e), nothing = -(v == 0);
		mean[i] = short_of(e);
		away[i] = short_of((nothing & magnitude(e)) | (~nothing & (along - (known * 256 >> plane))));
		spread[i] = short_of(uncertain[i] >> plane);
	}
	for (ptrdiff_t i = 0; i < count; i++) {
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

#if defined(TARGET_AVX2) || defined(HAS_NEON)
/* Vector code looks the number of thresholds up. Thresholds far from zero in units of 128: 1, 2, 4, 6, 8, 12. Those of
 * the shift in units of 256, from -7 on: -6, -3, -1, 1, 3, 6; -16 and -10 are compared separately. */
static const uint8_t far_table[16] = {0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6};
static const uint8_t shift_table[16] = {0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6};
enum {
	SHIFT_FROM = 7,
	FAR_BITS = 7,
	SHIFT_BITS = 8
};

/* The half octave of 2^6 ... 2^13 that an uncertainty lies in: the floating-point exponent of its square counts half
 * octaves, and that of 2^6 is this. Adding one half puts each square on the same side of a power of two as the number
 * is of its rounded threshold. */
enum {
	HALF_OCTAVES_FROM = 127 + 11
};
#endif

#ifdef TARGET_AVX2
/* Looks up table[index] for each position; `index` is clamped to 0 ... 15. */
static inline TARGET_AVX2 __m256i looked_up(const uint8_t *table, __m256i index)
{
	const __m256i zero = _mm256_setzero_si256(), last = _mm256_set1_epi16(15);
	const __m256i at = _mm256_min_epi16(_mm256_max_epi16(index, zero), last);
	const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
	/* The upper byte of each position looks up entry 0, which is 0. */
	return _mm256_shuffle_epi8(entries, at);
}

static inline TARGET_AVX2 __m256i exponent_of_square(__m256i spread)
{
	const __m256 middle = _mm256_add_ps(_mm256_cvtepi32_ps(spread), _mm256_set1_ps(0.5f));
	return _mm256_srli_epi32(_mm256_castps_si256(_mm256_mul_ps(middle, middle)), 23);
}

/* The context of refinements: the distance beyond the middle of the interval, in units of 256, is the expected value
 * (`low` and `high`) along the sign of v, rounded down, minus |v| / 2^plane. */
static inline TARGET_AVX2 __m256i shift_of(__m256i low, __m256i high, __m256i v, __m128i plane)
{
	const __m256i along_low = _mm256_sign_epi32(low, _mm256_unpacklo_epi16(_mm256_setzero_si256(), v));
	const __m256i along_high = _mm256_sign_epi32(high, _mm256_unpackhi_epi16(_mm256_setzero_si256(), v));
	const __m256i along =
		_mm256_packs_epi32(_mm256_srai_epi32(along_low, SHIFT_BITS), _mm256_srai_epi32(along_high, SHIFT_BITS));
	const __m256i away = _mm256_subs_epi16(along, _mm256_srl_epi16(_mm256_abs_epi16(v), plane));
	const __m256i fine = looked_up(shift_table, _mm256_adds_epi16(away, _mm256_set1_epi16(SHIFT_FROM)));
	const __m256i coarse = _mm256_add_epi16(_mm256_cmpgt_epi16(away, _mm256_set1_epi16(-16 - 1)),
						_mm256_cmpgt_epi16(away, _mm256_set1_epi16(-10 - 1)));
	return _mm256_sub_epi16(fine, coarse);
}

/* Like fill_scalar for sixteen positions. */
static inline TARGET_AVX2 void fill_avx2(const struct sums_avx2 *s, const int16_t *before, const int16_t *after,
					 __m128i plane, uint16_t *entries)
{
	const __m256i zero = _mm256_setzero_si256(), v = load(before), w = load(after);
	const __m256i low = _mm256_srl_epi32(_mm256_abs_epi32(s->mean_low), plane);
	const __m256i high = _mm256_srl_epi32(_mm256_abs_epi32(s->mean_high), plane);
	const __m256i size = _mm256_packs_epi32(low, high);
	const __m256i mean = _mm256_sign_epi16(size, _mm256_packs_epi32(s->mean_low, s->mean_high));
	const __m256i octave = _mm256_packs_epi32(exponent_of_square(_mm256_srl_epi32(s->spread_low, plane)),
						  exponent_of_square(_mm256_srl_epi32(s->spread_high, plane)));
	const __m256i spread =
		_mm256_min_epi16(_mm256_max_epi16(_mm256_sub_epi16(octave, _mm256_set1_epi16(HALF_OCTAVES_FROM)), zero),
				 _mm256_set1_epi16(PNC_PLANES_SPREADS - 1));
	const __m256i differs = _mm256_srli_epi16(_mm256_xor_si256(mean, w), 15);
	__m256i symbol =
		_mm256_andnot_si256(_mm256_cmpeq_epi16(w, zero), _mm256_add_epi16(_mm256_set1_epi16(1), differs));
	__m256i table = looked_up(far_table, _mm256_srai_epi16(size, FAR_BITS));
	if (!_mm256_testz_si256(v, v)) {
		const __m256i nothing = _mm256_cmpeq_epi16(v, zero);
		const __m256i upper =
			_mm256_srli_epi16(_mm256_cmpgt_epi16(_mm256_abs_epi16(w), _mm256_abs_epi16(v)), 15);
		const __m256i shift =
			shift_of(_mm256_sign_epi32(low, s->mean_low), _mm256_sign_epi32(high, s->mean_high), v, plane);
		symbol = _mm256_blendv_epi8(upper, symbol, nothing);
		table = _mm256_blendv_epi8(_mm256_add_epi16(shift, _mm256_set1_epi16(PNC_PLANES_FAR)), table, nothing);
	}
	const __m256i context = _mm256_add_epi16(_mm256_slli_epi16(table, 4), spread);
	const __m256i entry = _mm256_add_epi16(_mm256_mullo_epi16(symbol, _mm256_set1_epi16(TABLES)), context);
	_mm256_storeu_si256((__m256i *)(void *)entries, entry);
}

/* Rows of 16 to 32 positions: two vectors that may overlap. */
static TARGET_AVX2 void rows_avx2(const struct pnc_planes_inputs *in, int32_t plane, ptrdiff_t side, ptrdiff_t row,
				  const int16_t *before, const int16_t *after, uint16_t (*entries)[MAX_SIDE])
{
	struct sums_avx2 left, right;
	const __m128i by = _mm_cvtsi32_si128(plane);
	for (; row < side; row++) {
		const ptrdiff_t i = row * (side + 2), j = i + side - LANES;
		sum_twice_avx2(in, i, j, &left, &right);
		fill_avx2(&left, before + i, after + i, by, entries[row]);
		fill_avx2(&right, before + j, after + j, by, entries[row] + side - LANES);
	}
}
#endif

#ifdef HAS_NEON
/* v, or -v if `sign` is negative. */
static inline int16x8_t signed_as_16(int16x8_t sign, int16x8_t v)
{
	const int16x8_t flip = vshrq_n_s16(sign, 15);
	return vsubq_s16(veorq_s16(v, flip), flip);
}

static inline int32x4_t signed_as_32(int32x4_t sign, int32x4_t v)
{
	const int32x4_t flip = vshrq_n_s32(sign, 31);
	return vsubq_s32(veorq_s32(v, flip), flip);
}

static inline int16x8_t narrowed(int32x4_t low, int32x4_t high)
{
	return vqmovn_high_s32(vqmovn_s32(low), high);
}

/* Looks up table[index] for each position; `index` is clamped to 0 ... 15. */
static inline int16x8_t looked_up(const uint8_t *table, int16x8_t index)
{
	const int16x8_t at = vminq_s16(vmaxq_s16(index, vdupq_n_s16(0)), vdupq_n_s16(15));
	/* The upper byte of each position looks up entry 0, which is 0. */
	return vreinterpretq_s16_u8(vqtbl1q_u8(vld1q_u8(table), vreinterpretq_u8_s16(at)));
}

static inline int32x4_t exponent_of_square(int32x4_t spread)
{
	const float32x4_t middle = vaddq_f32(vcvtq_f32_s32(spread), vdupq_n_f32(0.5f));
	return vshrq_n_s32(vreinterpretq_s32_f32(vmulq_f32(middle, middle)), 23);
}

/* The context of refinements: the distance beyond the middle of the interval, in units of 256, is the expected value
 * (`low` and `high`) along the sign of v, rounded down, minus |v| / 2^plane. */
static inline int16x8_t shift_of(int32x4_t low, int32x4_t high, int16x8_t v, int16x8_t plane)
{
	const int32x4_t along_low = signed_as_32(vmovl_s16(vget_low_s16(v)), low);
	const int32x4_t along_high = signed_as_32(vmovl_high_s16(v), high);
	const int16x8_t along = narrowed(vshrq_n_s32(along_low, SHIFT_BITS), vshrq_n_s32(along_high, SHIFT_BITS));
	const int16x8_t away = vqsubq_s16(along, vshlq_s16(vabsq_s16(v), vnegq_s16(plane)));
	const int16x8_t fine = looked_up(shift_table, vqaddq_s16(away, vdupq_n_s16(SHIFT_FROM)));
	const uint16x8_t coarse = vaddq_u16(vcgeq_s16(away, vdupq_n_s16(-16)), vcgeq_s16(away, vdupq_n_s16(-10)));
	return vsubq_s16(fine, vreinterpretq_s16_u16(coarse));
}

/* Like fill_scalar for eight positions. */
static inline void fill_neon(const struct sums_neon *s, const int16_t *before, const int16_t *after, int32_t plane,
			     uint16_t *entries)
{
	const int16x8_t v = vld1q_s16(before), w = vld1q_s16(after);
	const int32x4_t by = vdupq_n_s32(-plane);
	const int32x4_t low = vshlq_s32(vabsq_s32(s->mean_low), by), high = vshlq_s32(vabsq_s32(s->mean_high), by);
	const int16x8_t size = narrowed(low, high);
	const int16x8_t mean = signed_as_16(narrowed(s->mean_low, s->mean_high), size);
	const int16x8_t octave = narrowed(exponent_of_square(vshlq_s32(s->spread_low, by)),
					  exponent_of_square(vshlq_s32(s->spread_high, by)));
	const int16x8_t spread = vminq_s16(vmaxq_s16(vsubq_s16(octave, vdupq_n_s16(HALF_OCTAVES_FROM)), vdupq_n_s16(0)),
					   vdupq_n_s16(PNC_PLANES_SPREADS - 1));
	const uint16x8_t differs = vshrq_n_u16(vreinterpretq_u16_s16(veorq_s16(mean, w)), 15);
	uint16x8_t symbol = vandq_u16(vtstq_s16(w, w), vaddq_u16(differs, vdupq_n_u16(1)));
	int16x8_t table = looked_up(far_table, vshrq_n_s16(size, FAR_BITS));
	const uint16x8_t known = vtstq_s16(v, v);
	if (vmaxvq_u16(known) != 0) {
		const uint16x8_t upper = vshrq_n_u16(vcgtq_s16(vabsq_s16(w), vabsq_s16(v)), 15);
		const int16x8_t shift = shift_of(signed_as_32(s->mean_low, low), signed_as_32(s->mean_high, high), v,
						 vdupq_n_s16((int16_t)plane));
		symbol = vbslq_u16(known, upper, symbol);
		table = vbslq_s16(known, vaddq_s16(shift, vdupq_n_s16(PNC_PLANES_FAR)), table);
	}
	const uint16x8_t context = vreinterpretq_u16_s16(vaddq_s16(vshlq_n_s16(table, 4), spread));
	vst1q_u16(entries, vmlaq_u16(context, symbol, vdupq_n_u16(TABLES)));
}

/* Rows of 8 to 32 positions. */
static void rows_neon(const struct pnc_planes_inputs *in, int32_t plane, ptrdiff_t side, ptrdiff_t row,
		      const int16_t *before, const int16_t *after, uint16_t (*entries)[MAX_SIDE])
{
	for (; row < side; row++) {
		const ptrdiff_t first = row * (side + 2);
		ptrdiff_t at[VECTORS];
		struct sums_neon sums[VECTORS];
		place_neon(first, first + side, at);
		sum_neon(in, at, sums);
		for (ptrdiff_t k = 0; k < VECTORS; k++)
			fill_neon(sums + k, before + at[k], after + at[k], plane, entries[row] + at[k] - first);
	}
}
#endif

/* All rows at once, with the frame between them: compilers vectorize long loops better. */
static void rows_scalar(const struct pnc_planes_inputs *in, int32_t plane, ptrdiff_t side, ptrdiff_t row,
			const int16_t *before, const int16_t *after, uint16_t (*entries)[MAX_SIDE])
{
	const ptrdiff_t width = side + 2, i = row * width, count = (side - row) * width - 2;
	int32_t expected[MAX_AREA], uncertain[MAX_AREA];
	uint16_t found[MAX_AREA];
	pnc_planes_sum_scalar(in, i, count, expected, uncertain);
	fill_scalar(expected, uncertain, before + i, after + i, plane, count, found);
	for (ptrdiff_t y = 0; y < side - row; y++)
		memcpy(entries[row + y], found + y * width, sizeof(*found) * (size_t)side);
}

void pnc_planes_entries(const struct pnc_planes_model *m, const struct pnc_planes_inputs *in, int32_t plane,
			int32_t row, const int16_t *before, const int16_t *after, uint16_t (*entries)[MAX_SIDE])
{
	before += first_of(m);
	after += first_of(m);
#ifdef TARGET_AVX2
	if (m->side >= LANES && HAS_AVX2) {
		rows_avx2(in, plane, m->side, row, before, after, entries);
		return;
	}
#endif
#ifdef HAS_NEON
	if (m->side >= LANES) {
		rows_neon(in, plane, m->side, row, before, after, entries);
		return;
	}
#endif
	rows_scalar(in, plane, m->side, row, before, after, entries);
}
