#include "planes_internal.h"

#include <string.h>

/* ---- the range coder ---- */

struct reader {
	const uint8_t *in;
	size_t length, at;
	uint32_t range, code;
	uint64_t slack; /* the true code is at most this above `code` */
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

/* What a symbol is when it cannot be told. */
enum {
	UNDECIDED = -1,
	UNSOUND = -2
};

/* The symbol whose slice of [0, ends[0]), [ends[0], ends[1]) ... [ends[count - 2], TOTAL) comes next. */
static int32_t take(struct reader *r, const uint16_t *ends, int32_t count)
{
	const uint32_t part = r->range >> PNC_PLANES_BITS;
	if (r->code >= part << PNC_PLANES_BITS)
		return UNSOUND;
	int32_t symbol = 0;
	uint32_t start = 0;
	while (symbol < count - 1 && r->code >= part * ends[symbol])
		start = part * ends[symbol++];
	uint32_t end = part << PNC_PLANES_BITS;
	if (symbol < count - 1) {
		end = part * ends[symbol];
		if (r->code + r->slack >= end)
			return UNDECIDED;
	}
	r->code -= start;
	r->range = end - start;
	/* slack < range here: both ends lie in this slice, so that it never outgrows 32 bits. */
	if (r->slack > r->range)
		r->slack = r->range;
	while (r->range < LOWEST_RANGE) {
		r->range <<= 8;
		fill(r);
	}
	return symbol;
}

/* ---- what a symbol is coded with ---- */

/* How many of the `size` ends (a power of two, less one) are at most v. */
static inline int32_t place(const int16_t *ends, int32_t size, int32_t v)
{
	int32_t at = 0;
	for (int32_t half = (size + 1) / 2; half > 0; half /= 2)
		at += v >= ends[at + half - 1] ? half : 0;
	return at;
}

static inline int32_t count_ends(const int16_t *ends, int32_t size, int32_t v)
{
	int32_t at = 0;
	for (int32_t k = 0; k < size; k++)
		at += v >= ends[k];
	return at;
}

/* Adds what the row above, which is known by now, says about the row that begins at `first`. */
static void add_row_above(const struct pnc_planes_model *m, struct pnc_planes_piece *p, int32_t first)
{
	const int16_t *above = p->own + first - width_of(m);
	for (int32_t x = 0; x < m->side; x++) {
		const int32_t a = above[x - 1], b = above[x], c = above[x + 1];
		p->expected[first + x] += p->mean[1] * a + p->mean[2] * b + p->mean[3] * c;
		p->uncertain[first + x] +=
			p->spread[1] * magnitude(a) + p->spread[2] * magnitude(b) + p->spread[3] * magnitude(c);
	}
}

/* Decodes the symbol at a place of the piece into its channel. Returns it, or why it cannot be told. */
static int32_t decode_symbol(const struct pnc_planes_model *m, const struct pnc_planes_piece *p, int32_t at,
			     struct reader *r)
{
	const int32_t west = p->own[at - 1], before = p->own[at], step = 1 << p->plane;
	const int32_t expected = scaled(p->expected[at] + p->mean[0] * west, p->plane);
	const int32_t uncertain = (p->uncertain[at] + p->spread[0] * magnitude(west)) >> p->plane;
	const int32_t t = place(pnc_planes_spread_ends, PNC_PLANES_SPREADS - 1, uncertain);
	if (before == 0) {
		const int32_t u = count_ends(pnc_planes_far_ends, PNC_PLANES_FAR - 1, magnitude(expected));
		const ptrdiff_t table = (ptrdiff_t)p->index * ZERO_TABLES + u * PNC_PLANES_SPREADS + t;
		const int32_t symbol = take(r, m->zero + 2 * table, 3);
		if (symbol > 0)
			p->own[at] = (int16_t)((expected < 0) == (symbol == 1) ? -6 * step : 6 * step);
		return symbol;
	}
	/* `before` is 4 * the middle of an interval two steps wide, the point that this symbol decides about. */
	const int32_t sign = before < 0 ? -1 : 1;
	const int32_t past = sign * expected - (magnitude(before) * 256 >> p->plane);
	const int32_t d = count_ends(pnc_planes_shift_ends, PNC_PLANES_SHIFTS - 1, past);
	const ptrdiff_t table = (ptrdiff_t)p->index * MORE_TABLES + d * PNC_PLANES_SPREADS + t;
	const int32_t symbol = take(r, m->more + table, 2);
	/* From the middle of [k, k + 2 steps) to that of one half of it. */
	if (symbol >= 0)
		p->own[at] = (int16_t)(before + sign * (symbol ? 2 * step : -2 * step));
	return symbol;
}

int32_t pnc_planes_decode(const struct pnc_planes_model *m, const uint8_t *in, size_t length, int32_t row, int32_t rows,
			  int16_t *state)
{
	const int32_t side = m->side, width = width_of(m), last_row = m->pieces * side;
	if (row < 0 || row >= last_row)
		return PNC_PLANES_BAD_POSITION;
	struct reader r = reader_of(in, length);
	struct pnc_planes_piece p;
	uint8_t used[MAX_CHANNELS];
	pnc_planes_find_used(m, state, used);
	int16_t before[MAX_SIDE];
	int32_t count = 0;
	for (int32_t at_row = row; at_row < last_row; at_row++) {
		if (at_row == row || at_row % side == 0) {
			pnc_planes_open(m, at_row / side, state, used, NULL, &p);
			used[p.channel] = 1;
		}
		const int32_t first = (at_row % side + 1) * width + 1;
		memcpy(before, p.own + first, sizeof(*before) * (size_t)side);
		add_row_above(m, &p, first);
		for (int32_t x = 0; x < side; x++) {
			const int32_t symbol = decode_symbol(m, &p, first + x, &r);
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
			count++;
		}
	}
	return rows < 0 || rows == last_row - row ? count : PNC_PLANES_UNSOUND;
}
