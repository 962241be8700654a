#include "planes_inside.h"

/* 16 bits hold all that is compared with table ends. */
IN_BOTH int16_t short_of(int32_t v)
{
	const int32_t low = v < INT16_MIN ? INT16_MIN : v;
	return (int16_t)(low > INT16_MAX ? INT16_MAX : low);
}

/* Written so that compilers make vector code of both loops: nothing branches, and the second has 16-bit values alone.
 */
IN_BOTH void fill_slots(const int32_t *restrict expected, const int32_t *restrict uncertain,
			const int16_t *restrict before, const int16_t *restrict after, int32_t plane, int32_t count,
			uint16_t *restrict slots)
{
	/* The expected value; how far it lies from zero, or past the middle of the interval; the uncertainty. */
	int16_t mean[MAX_AREA], away[MAX_AREA], spread[MAX_AREA];
	for (int32_t i = 0; i < count; i++) {
		const int32_t v = before[i], e = scaled(expected[i], plane), known = magnitude(v);
		/* `before` is 4 * the middle of an interval two steps wide, the point that this symbol decides about.
		 */
		const int32_t along = signed_as(v, e), nothing = -(v == 0);
		mean[i] = short_of(e);
		away[i] = short_of((nothing & magnitude(e)) | (~nothing & (along - (known * 256 >> plane))));
		spread[i] = short_of(uncertain[i] >> plane);
	}
	for (int32_t i = 0; i < count; i++) {
		int16_t t = 0, far = 0, shift = 0;
		for (int32_t k = 0; k < PNC_PLANES_SPREADS - 1; k++)
			t = (int16_t)(t + (spread[i] >= pnc_planes_spread_ends[k]));
		for (int32_t k = 0; k < PNC_PLANES_FAR - 1; k++)
			far = (int16_t)(far + (away[i] >= pnc_planes_far_ends[k]));
		for (int32_t k = 0; k < PNC_PLANES_SHIFTS - 1; k++)
			shift = (int16_t)(shift + (away[i] >= pnc_planes_shift_ends[k]));
		const int16_t v = before[i], w = after[i];
		const int16_t differs = (int16_t)((mean[i] < 0) != (w < 0));
		const int16_t news = (int16_t)(w == 0 ? 0 : 1 + differs);
		const int16_t upper = (int16_t)((w < 0 ? -w : w) > (v < 0 ? -v : v));
		const int16_t table = (int16_t)(v == 0 ? far : PNC_PLANES_FAR + shift);
		slots[i] = (uint16_t)((v == 0 ? news : upper) * TABLES + table * PNC_PLANES_SPREADS + t);
	}
}

#ifdef WITH_AVX2
static WITH_AVX2 void fill_by_lanes(const int32_t *expected, const int32_t *uncertain, const int16_t *before,
				    const int16_t *after, int32_t plane, int32_t count, uint16_t *slots)
{
	fill_slots(expected, uncertain, before, after, plane, count, slots);
}
#endif

void pnc_planes_symbols(const struct pnc_planes_model *m, const struct pnc_planes_piece *p, const int16_t *walked,
			uint16_t *slots)
{
	const int32_t first = first_of(m), count = end_of(m) - first;
#ifdef WITH_AVX2
	if (HAS_AVX2) {
		fill_by_lanes(p->expected + first, p->uncertain + first, p->own + first, walked + first, p->plane,
			      count, slots + first);
		return;
	}
#endif
	fill_slots(p->expected + first, p->uncertain + first, p->own + first, walked + first, p->plane, count,
		   slots + first);
}
