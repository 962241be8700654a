#include "planes_avx2.h"
#include "planes_internal.h"
#include "planes_neon.h"

#include <string.h>

#define MAX_WEIGHT 8192
#define MAX_BASE (1 << 20)

int32_t pnc_planes_inputs(const struct pnc_planes_model *m)
{
	return PNC_PLANES_NEAR + m->channels + PNC_PLANES_LEADS * PNC_PLANES_SIDES;
}

int32_t pnc_planes_state_size(const struct pnc_planes_model *m)
{
	return m->channels * area_of(m);
}

static int32_t order_is_sound(const struct pnc_planes_model *m)
{
	int32_t next[MAX_CHANNELS];
	for (int32_t c = 0; c < m->channels; c++) {
		if (m->top[c] < 1 || m->top[c] > m->planes)
			return 0;
		next[c] = m->top[c] - 1;
	}
	for (int32_t i = 0; i < m->passes; i++) {
		const int32_t c = m->order[2 * i], p = m->order[2 * i + 1];
		if (c >= m->channels || p != next[c])
			return 0;
		next[c]--;
	}
	return 1;
}

int32_t pnc_planes_check(const struct pnc_planes_model *m)
{
	if (m->channels < PNC_PLANES_LEADS || m->channels > MAX_CHANNELS || m->side < 1 || m->side > MAX_SIDE ||
	    m->planes < 1 || m->planes > MAX_PLANES || m->passes < 1 || m->passes > m->channels * m->planes ||
	    m->blank < 0)
		return PNC_PLANES_BAD_MODEL;
	if (!order_is_sound(m))
		return PNC_PLANES_BAD_MODEL;
	const int32_t weights = m->passes * pnc_planes_inputs(m);
	for (int32_t i = 0; i < weights; i++)
		if (m->mean[i] < -MAX_WEIGHT || m->mean[i] > MAX_WEIGHT || m->spread[i] < 0 ||
		    m->spread[i] > MAX_WEIGHT)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->passes; i++)
		if (m->base[i] < 0 || m->base[i] > MAX_BASE)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->passes * ZERO_TABLES; i++)
		if (m->zero[2 * i] == 0 || m->zero[2 * i + 1] <= m->zero[2 * i] || m->zero[2 * i + 1] >= TOTAL)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->passes * MORE_TABLES; i++)
		if (m->more[i] == 0 || m->more[i] >= TOTAL)
			return PNC_PLANES_BAD_MODEL;
	return 0;
}

/* Writes the partial reconstruction of each coefficient of a row. Compilers vectorize the loop: all values fit 16 bits.
 */
static void set_scalar(const int8_t *restrict coefficients, int32_t missing, ptrdiff_t count, int16_t *restrict to)
{
	for (ptrdiff_t i = 0; i < count; i++) {
		const int16_t c = coefficients[i], size = (int16_t)(c < 0 ? -c : c), known = (int16_t)(size >> missing);
		const int16_t middle = (int16_t)((4 * known + 2) << missing), v = (int16_t)(known ? middle : 0);
		to[i] = (int16_t)(c < 0 ? -v : v);
	}
}

#ifdef TARGET_AVX2
/* Like set_scalar for count >= 16. The last vector overlaps the one before it if needed. */
static inline TARGET_AVX2 void set_avx2(const int8_t *coefficients, __m128i missing, ptrdiff_t count, int16_t *to)
{
	for (ptrdiff_t done = 0; done < count; done += LANES) {
		const ptrdiff_t i = done + LANES <= count ? done : count - LANES;
		const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(coefficients + i));
		const __m256i c = _mm256_cvtepi8_epi16(bytes), known = _mm256_srl_epi16(_mm256_abs_epi16(c), missing);
		const __m256i middle = _mm256_add_epi16(_mm256_slli_epi16(known, 2), _mm256_set1_epi16(2));
		const __m256i nothing = _mm256_cmpeq_epi16(known, _mm256_setzero_si256());
		const __m256i v = _mm256_andnot_si256(nothing, _mm256_sll_epi16(middle, missing));
		_mm256_storeu_si256((__m256i *)(void *)(to + i), _mm256_sign_epi16(v, c));
	}
}

static TARGET_AVX2 void reconstruct_avx2(const int8_t *coefficients, ptrdiff_t side, ptrdiff_t rows, int32_t missing,
					 int16_t *to)
{
	const __m128i by = _mm_cvtsi32_si128(missing);
	for (ptrdiff_t y = 0; y < rows; y++)
		set_avx2(coefficients + y * side, by, side, to + y * (side + 2));
}
#endif

#ifdef HAS_NEON
/* Like set_scalar for count >= 8. The last vector overlaps the one before it if needed. */
static inline void set_neon(const int8_t *coefficients, int16x8_t missing, ptrdiff_t count, int16_t *to)
{
	for (ptrdiff_t done = 0; done < count; done += LANES) {
		const ptrdiff_t i = done + LANES <= count ? done : count - LANES;
		const int16x8_t c = vmovl_s8(vld1_s8(coefficients + i)), flip = vshrq_n_s16(c, 15);
		const int16x8_t known = vshlq_s16(vabsq_s16(c), vnegq_s16(missing));
		const int16x8_t middle = vaddq_s16(vshlq_n_s16(known, 2), vdupq_n_s16(2));
		const int16x8_t some = vreinterpretq_s16_u16(vtstq_s16(known, known));
		const int16x8_t v = vandq_s16(some, vshlq_s16(middle, missing));
		vst1q_s16(to + i, vsubq_s16(veorq_s16(v, flip), flip));
	}
}
#endif

void pnc_planes_reconstruct(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t first, int32_t end,
			    int32_t missing, int16_t *to)
{
	const ptrdiff_t side = m->side, width = width_of(m);
	coefficients += first * side;
	to += first * width + first_of(m);
#ifdef TARGET_AVX2
	if (side >= LANES && HAS_AVX2) {
		reconstruct_avx2(coefficients, side, end - first, missing, to);
		return;
	}
#endif
#ifdef HAS_NEON
	if (side >= LANES) {
		for (ptrdiff_t y = 0; y < end - first; y++)
			set_neon(coefficients + y * side, vdupq_n_s16((int16_t)missing), side, to + y * width);
		return;
	}
#endif
	for (ptrdiff_t y = 0; y < end - first; y++)
		set_scalar(coefficients + y * side, missing, side, to + y * width);
}

int32_t pnc_planes_state_at(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state)
{
	if (row < 0 || row > m->passes * m->side)
		return PNC_PLANES_BAD_POSITION;
	const int32_t side = m->side, pass = row / side;
	int32_t missing[MAX_CHANNELS];
	for (int32_t c = 0; c < m->channels; c++)
		missing[c] = m->planes;
	for (int32_t i = 0; i < pass; i++)
		missing[m->order[2 * i]] = m->order[2 * i + 1];
	memset(state, 0, sizeof(*state) * (size_t)pnc_planes_state_size(m));
	for (int32_t c = 0; c < m->channels; c++) {
		const int8_t *from = coefficients + (ptrdiff_t)c * side * side;
		int16_t *to = state + (ptrdiff_t)c * area_of(m);
		const int32_t begun = pass < m->passes && m->order[2 * pass] == c ? row % side : 0;
		if (begun > 0)
			pnc_planes_reconstruct(m, from, 0, begun, m->order[2 * pass + 1], to);
		if (missing[c] < m->planes)
			pnc_planes_reconstruct(m, from, begun, side, missing[c], to);
	}
	return 0;
}
