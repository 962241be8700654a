#include "planes_internal.h"

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
	    m->planes < 1 || m->planes > MAX_PLANES || m->passes < 1 || m->passes > m->channels * m->planes)
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

/* Writes the partial reconstruction of each coefficient. Returns the bitwise OR of the known magnitudes. */
SIMD_INLINE int32_t set_values(const int8_t *restrict coefficients, int32_t missing, int32_t count,
			       int16_t *restrict to)
{
	int32_t any = 0;
	for (int32_t i = 0; i < count; i++) {
		const int32_t known = magnitude(coefficients[i]) >> missing, some = -(known != 0);
		to[i] = (int16_t)signed_as(coefficients[i], ((4 * known + 2) << missing) & some);
		any |= known;
	}
	return any;
}

#ifdef TARGET_AVX2
static TARGET_AVX2 int32_t set_avx2(const int8_t *coefficients, int32_t missing, int32_t count, int16_t *to)
{
	return set_values(coefficients, missing, count, to);
}
#endif

int32_t pnc_planes_reconstruct(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t first, int32_t end,
			       int32_t missing, int16_t *to)
{
	const int32_t side = m->side, width = width_of(m), from = (first + 1) * width;
	/* Copied into its frame first, so that one long loop covers all rows. */
	int8_t framed[MAX_AREA];
	memset(framed + from, 0, (size_t)((end - first) * width));
	for (int32_t y = first; y < end; y++)
		memcpy(framed + (y + 1) * width + 1, coefficients + y * side, (size_t)side);
#ifdef TARGET_AVX2
	if (HAS_AVX2)
		return set_avx2(framed + from, missing, (end - first) * width, to + from) != 0;
#endif
	return set_values(framed + from, missing, (end - first) * width, to + from) != 0;
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
