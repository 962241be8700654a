#include "planes_internal.h"

#include <string.h>

/* ---- the range coder ---- */

struct reader {
	const uint8_t *in;
	size_t length, at;
	uint32_t range, code;
	uint64_t slack; /* the complete code lies in [code, code + slack] */
};

static void fill(struct reader *r)
{
	r->code = r->code << 8 | (r->at < r->length ? r->in[r->at] : 0u);
	r->slack = r->slack << 8 | (r->at < r->length ? 0u : 255u);
	r->at++;
}

static struct reader reader_of(const uint8_t *in, size_t length)
{
	struct reader r = {.in = in, .length = length, .at = 0, .range = UINT32_MAX, .code = 0, .slack = 0};
	for (int i = 0; i < 4; i++)
		fill(&r);
	return r;
}

/* Returned instead of a symbol. */
enum {
	UNDECIDED = -1, /* the bytes allow several symbols */
	UNSOUND = -2    /* no encoder writes these bytes */
};

/* Decodes the next symbol of `count`. Symbol i has the interval [cumulative[i - 1], cumulative[i]); the first interval
 * begins at 0, the last one ends at TOTAL. */
static int32_t decode_index(struct reader *r, const uint16_t *cumulative, int32_t count)
{
	const uint32_t part = r->range >> PNC_PLANES_BITS;
	if (r->code >= part << PNC_PLANES_BITS)
		return UNSOUND;
	int32_t symbol = 0;
	uint32_t start = 0;
	while (symbol < count - 1 && r->code >= part * cumulative[symbol])
		start = part * cumulative[symbol++];
	uint32_t end = part << PNC_PLANES_BITS;
	if (symbol < count - 1) {
		end = part * cumulative[symbol];
		if (r->code + r->slack >= end)
			return UNDECIDED;
	}
	r->code -= start;
	r->range = end - start;
	/* Both ends of [code, code + slack] lie in this interval, so slack fits 32 bits. */
	if (r->slack > r->range)
		r->slack = r->range;
	while (r->range < LOWEST_RANGE) {
		r->range <<= 8;
		fill(r);
	}
	return symbol;
}

/* ---- the context model ---- */

/* The number of thresholds that v reaches, by bisection. `size` is a power of two less one. */
static inline int32_t bucket(const int16_t *thresholds, int32_t size, int32_t v)
{
	int32_t at = 0;
	for (int32_t half = (size + 1) / 2; half > 0; half /= 2)
		at += v >= thresholds[at + half - 1] ? half : 0;
	return at;
}

/* The number of thresholds that v reaches, without a branch. */
static inline int32_t count_reached(const int16_t *thresholds, int32_t size, int32_t v)
{
	int32_t at = 0;
	for (int32_t k = 0; k < size; k++)
		at += v >= thresholds[k];
	return at;
}

/* Adds the weighted row above, which is already decoded, to the sums of the row that begins at `first`. */
static void add_row_above(const struct pnc_planes_model *m, struct pnc_planes_pass *p, int32_t first)
{
	const int16_t *above = p->own + first - width_of(m);
	for (int32_t x = 0; x < m->side; x++) {
		const int32_t a = above[x - 1], b = above[x], c = above[x + 1];
		p->expected[first + x] += p->mean[1] * a + p->mean[2] * b + p->mean[3] * c;
		p->uncertain[first + x] +=
			p->spread[1] * magnitude(a) + p->spread[2] * magnitude(b) + p->spread[3] * magnitude(c);
	}
}

/* Decodes the symbol at a position of the pass into its channel. Returns the symbol, UNDECIDED or UNSOUND. `blank`:
 * with the table of blank streams. */
static int32_t decode_symbol(const struct pnc_planes_model *m, const struct pnc_planes_pass *p, int32_t at,
			     int32_t blank, struct reader *r)
{
	const int32_t west = p->own[at - 1], before = p->own[at], step = 1 << p->plane;
	const int32_t expected = scaled(p->expected[at] + p->mean[0] * west, p->plane);
	const int32_t uncertain = (p->uncertain[at] + p->spread[0] * magnitude(west)) >> p->plane;
	const int32_t t = bucket(pnc_planes_spread_thresholds, PNC_PLANES_SPREADS - 1, uncertain);
	if (before == 0) {
		const int32_t u = count_reached(pnc_planes_far_thresholds, PNC_PLANES_FAR - 1, magnitude(expected));
		const ptrdiff_t table = (ptrdiff_t)p->index * ZERO_TABLES + u * PNC_PLANES_SPREADS + t;
		const int32_t symbol = decode_index(r, blank ? pnc_planes_blank_table : m->zero + 2 * table, 3);
		if (symbol > 0)
			p->own[at] = (int16_t)((expected < 0) == (symbol == 1) ? -6 * step : 6 * step);
		return symbol;
	}
	/* `before` is 4 * the middle of an interval two steps wide. This symbol selects its lower or upper half. */
	const int32_t sign = before < 0 ? -1 : 1;
	const int32_t past = sign * expected - (magnitude(before) * 256 >> p->plane);
	const int32_t d = count_reached(pnc_planes_shift_thresholds, PNC_PLANES_SHIFTS - 1, past);
	const ptrdiff_t table = (ptrdiff_t)p->index * MORE_TABLES + d * PNC_PLANES_SPREADS + t;
	const int32_t symbol = decode_index(r, m->more + table, 2);
	/* Move from the middle of [k, k + 2 steps) to the middle of the selected half. */
	if (symbol >= 0)
		p->own[at] = (int16_t)(before + sign * (symbol ? 2 * step : -2 * step));
	return symbol;
}

int32_t pnc_planes_decode(const struct pnc_planes_model *m, const uint8_t *in, size_t length, int32_t row, int32_t rows,
			  int16_t *state)
{
	const int32_t side = m->side, width = width_of(m), last_row = m->passes * side;
	if (row < 0 || row >= last_row)
		return PNC_PLANES_BAD_POSITION;
	struct reader r = reader_of(in, length);
	struct pnc_planes_pass p;
	struct pnc_planes_context context;
	pnc_planes_start(m, state, &context);
	int32_t blank = context.nonzero == 0;
	int16_t before[MAX_SIDE];
	int32_t count = 0;
	for (int32_t at_row = row; at_row < last_row; at_row++) {
		if (at_row == row || at_row % side == 0) {
			pnc_planes_begin_pass(m, at_row / side, state, &context, &p);
			context.nonzero |= UINT64_C(1) << p.channel;
		}
		const int32_t first = (at_row % side + 1) * width + 1;
		memcpy(before, p.own + first, sizeof(*before) * (size_t)side);
		add_row_above(m, &p, first);
		for (int32_t x = 0; x < side; x++) {
			const int32_t symbol = decode_symbol(m, &p, first + x, blank && p.index >= m->blank, &r);
			if (symbol == UNSOUND)
				return PNC_PLANES_UNSOUND;
			if (symbol == UNDECIDED) {
				if (rows < 0)
					return count;
				if (at_row - row != rows)
					return PNC_PLANES_UNSOUND;
				memcpy(p.own + first, before, sizeof(*before) * (size_t)side);
				return rows * side;
			}
			blank &= symbol == 0;
			count++;
		}
	}
	return rows < 0 || rows == last_row - row ? count : PNC_PLANES_UNSOUND;
}
