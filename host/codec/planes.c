#include "planes.h"

#include <string.h>

#define TOTAL (1u << PNC_PLANES_BITS)
#define MAX_SIDE 32
#define MAX_CHANNELS 64
#define MAX_PLANES 7
#define MAX_WIDTH (MAX_SIDE + 2)
#define MAX_AREA (MAX_WIDTH * MAX_WIDTH)
#define MAX_WEIGHT 8192
#define MAX_BASE (1 << 20)
#define LEAST_ROOM 64u
#define MOST_ROOM 4096u
#define LOWEST_RANGE (1u << 24)

/* Expected value and uncertainty are compared with these, in 1/1024 of the piece's step. */
static const int32_t far_ends[PNC_PLANES_FAR - 1] = {128, 256, 512, 768, 1024, 1536};
static const int32_t shift_ends[PNC_PLANES_SHIFTS - 1] = {-4096, -2560, -1536, -768, -256, 256, 768, 1536};
/* Half octaves from 1/16 to 8 steps. */
static const int32_t spread_ends[PNC_PLANES_SPREADS - 1] = {64,   91,   128,  181,  256,  362,  512, 724,
							    1024, 1448, 2048, 2896, 4096, 5793, 8192};

static int32_t magnitude(int32_t v)
{
	return v < 0 ? -v : v;
}

static int32_t width_of(const struct pnc_planes_model *m)
{
	return m->side + 2;
}

static int32_t area_of(const struct pnc_planes_model *m)
{
	return width_of(m) * width_of(m);
}

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
	for (int32_t i = 0; i < m->pieces; i++) {
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
	    m->planes < 1 || m->planes > MAX_PLANES || m->pieces < 1 || m->pieces > m->channels * m->planes)
		return PNC_PLANES_BAD_MODEL;
	if (!order_is_sound(m))
		return PNC_PLANES_BAD_MODEL;
	const int32_t weights = m->pieces * pnc_planes_inputs(m);
	for (int32_t i = 0; i < weights; i++)
		if (m->mean[i] < -MAX_WEIGHT || m->mean[i] > MAX_WEIGHT || m->spread[i] < 0 ||
		    m->spread[i] > MAX_WEIGHT)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->pieces; i++)
		if (m->base[i] < 0 || m->base[i] > MAX_BASE)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->pieces * PNC_PLANES_FAR * PNC_PLANES_SPREADS; i++)
		if (m->zero[2 * i] == 0 || m->zero[2 * i + 1] <= m->zero[2 * i] || m->zero[2 * i + 1] >= TOTAL)
			return PNC_PLANES_BAD_MODEL;
	for (int32_t i = 0; i < m->pieces * PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS; i++)
		if (m->more[i] == 0 || m->more[i] >= TOTAL)
			return PNC_PLANES_BAD_MODEL;
	return 0;
}

/* Four times the middle of what is known of a coefficient when planes from `level` up are. */
static int16_t value_at(int32_t coefficient, int32_t level)
{
	const int32_t known = magnitude(coefficient) >> level;
	const int32_t middle = known == 0 ? 0 : (4 * known + 2) << level;
	return (int16_t)(coefficient < 0 ? -middle : middle);
}

int32_t pnc_planes_state_at(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state)
{
	if (row < 0 || row > m->pieces * m->side)
		return PNC_PLANES_BAD_POSITION;
	const int32_t side = m->side, width = width_of(m), piece = row / side;
	int32_t level[MAX_CHANNELS];
	for (int32_t c = 0; c < m->channels; c++)
		level[c] = m->planes;
	for (int32_t i = 0; i < piece; i++)
		level[m->order[2 * i]] = m->order[2 * i + 1];
	memset(state, 0, sizeof(*state) * (size_t)pnc_planes_state_size(m));
	for (int32_t c = 0; c < m->channels; c++) {
		const int32_t begun = piece < m->pieces && m->order[2 * piece] == c ? row % side : 0;
		for (int32_t y = 0; y < side; y++) {
			const int32_t at = y < begun ? m->order[2 * piece + 1] : level[c];
			const int8_t *from = coefficients + ((ptrdiff_t)c * side + y) * side;
			int16_t *to = state + (ptrdiff_t)c * area_of(m) + (ptrdiff_t)(y + 1) * width + 1;
			for (int32_t x = 0; x < side; x++)
				to[x] = value_at(from[x], at);
		}
	}
	return 0;
}

/* ---- what a symbol is coded with ---- */

/* A piece while it is walked: sums of all inputs but those that change on the way (the first four). */
struct piece {
	int32_t channel, plane, index;
	const int16_t *mean, *spread;
	int16_t *own; /* the channel in the state */
	int32_t near[4];
	int32_t expected[MAX_AREA], uncertain[MAX_AREA];
};

static void add_input(struct piece *p, const int16_t *from, int32_t first, int32_t end, int32_t mean, int32_t spread)
{
	if (mean == 0 && spread == 0)
		return;
	for (int32_t i = first; i < end; i++) {
		const int32_t v = from[i];
		p->expected[i] += mean * v;
		p->uncertain[i] += spread * (v < 0 ? -v : v);
	}
}

/* Bounds: |value| <= 4 * 127 + 2 < 2^9 at level 0 and < 4 * 128 at any, |weight| <= 2^13, at most 92 inputs: sums stay
 * below 2^29, with the base 2^30. */
static void open_piece(const struct pnc_planes_model *m, int32_t index, int16_t *state, struct piece *p)
{
	const int32_t width = width_of(m), area = area_of(m), inputs = pnc_planes_inputs(m);
	const int32_t first = width + 1, end = area - width - 1;
	const int32_t near[PNC_PLANES_NEAR] = {-1, -width - 1, -width, -width + 1, 1, width - 1, width, width + 1};
	const int32_t sides[PNC_PLANES_SIDES] = {-1, 1, -width, width};
	p->index = index;
	p->channel = m->order[2 * index];
	p->plane = m->order[2 * index + 1];
	p->mean = m->mean + (ptrdiff_t)index * inputs;
	p->spread = m->spread + (ptrdiff_t)index * inputs;
	p->own = state + (ptrdiff_t)p->channel * area;
	memcpy(p->near, near, sizeof(p->near));
	for (int32_t i = first; i < end; i++) {
		p->expected[i] = 0;
		p->uncertain[i] = m->base[index];
	}
	int32_t k = 4;
	for (; k < PNC_PLANES_NEAR; k++)
		add_input(p, p->own + near[k], first, end, p->mean[k], p->spread[k]);
	for (int32_t c = 0; c < m->channels; c++, k++)
		if (c != p->channel)
			add_input(p, state + (ptrdiff_t)c * area, first, end, p->mean[k], p->spread[k]);
	for (int32_t c = 0; c < PNC_PLANES_LEADS; c++)
		for (int32_t s = 0; s < PNC_PLANES_SIDES; s++, k++)
			if (c != p->channel)
				add_input(p, state + (ptrdiff_t)c * area + sides[s], first, end, p->mean[k],
					  p->spread[k]);
}

static int32_t place(const int32_t *ends, int32_t count, int32_t v)
{
	int32_t i = 0;
	while (i < count && ends[i] <= v)
		i++;
	return i;
}

/* v / 2^bits towards zero. */
static int32_t scaled(int32_t v, int32_t bits)
{
	return v < 0 ? -(-v >> bits) : v >> bits;
}

/* A symbol's surroundings: its table, and the sign that counts as expected (for a zero). */
struct context {
	int32_t is_zero, table, sign;
};

static struct context context_at(const struct piece *p, int32_t at)
{
	const int16_t *own = p->own + at;
	int32_t expected = p->expected[at], uncertain = p->uncertain[at];
	for (int32_t k = 0; k < 4; k++) {
		const int32_t v = own[p->near[k]];
		expected += p->mean[k] * v;
		uncertain += p->spread[k] * magnitude(v);
	}
	expected = scaled(expected, p->plane);
	const int32_t t = place(spread_ends, PNC_PLANES_SPREADS - 1, uncertain >> p->plane);
	if (*own == 0) {
		const int32_t u = place(far_ends, PNC_PLANES_FAR - 1, magnitude(expected));
		return (struct context){1, u * PNC_PLANES_SPREADS + t, expected < 0 ? -1 : 1};
	}
	/* *own is 4 * the middle of an interval two steps wide, the point that this symbol decides about. */
	const int32_t sign = *own < 0 ? -1 : 1;
	const int32_t middle = scaled(magnitude(*own) * 256, p->plane);
	const int32_t d = place(shift_ends, PNC_PLANES_SHIFTS - 1, sign * expected - middle);
	return (struct context){0, d * PNC_PLANES_SPREADS + t, sign};
}

/* The slice of a symbol in its table: [*start, *start + *size) of TOTAL. */
static void slice_of(const struct pnc_planes_model *m, const struct piece *p, struct context x, int32_t symbol,
		     uint32_t *start, uint32_t *size)
{
	uint32_t ends[4] = {0, 0, TOTAL, TOTAL};
	if (x.is_zero) {
		const ptrdiff_t table = (ptrdiff_t)p->index * PNC_PLANES_FAR * PNC_PLANES_SPREADS + x.table;
		ends[1] = m->zero[2 * table];
		ends[2] = m->zero[2 * table + 1];
	} else {
		ends[1] = m->more[(ptrdiff_t)p->index * PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS + x.table];
	}
	*start = ends[symbol];
	*size = ends[symbol + 1] - ends[symbol];
}

/* The value that a symbol leaves behind. */
static int16_t value_after(const struct piece *p, struct context x, int32_t before, int32_t symbol)
{
	const int32_t step = 1 << p->plane;
	if (x.is_zero)
		return (int16_t)(symbol == 0 ? 0 : (symbol == 1 ? x.sign : -x.sign) * 6 * step);
	/* From the middle of [k, k + 2 steps) to that of one half of it. */
	return (int16_t)(before + x.sign * (symbol ? 2 * step : -2 * step));
}

static int32_t symbol_of(const struct piece *p, struct context x, int32_t coefficient)
{
	const int32_t known = magnitude(coefficient) >> p->plane;
	if (!x.is_zero)
		return known & 1;
	if (known == 0)
		return 0;
	return (coefficient < 0 ? -1 : 1) == x.sign ? 1 : 2;
}

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

/* The lowest and the highest slot that the bytes allow. Returns 0 when no encoder writes them. */
static int32_t slots(const struct reader *r, uint32_t *low, uint32_t *high)
{
	const uint32_t part = r->range >> PNC_PLANES_BITS;
	*low = r->code / part;
	if (*low >= TOTAL)
		return 0;
	const uint64_t most = r->code + r->slack, last = ((uint64_t)part << PNC_PLANES_BITS) - 1;
	*high = (uint32_t)((most < last ? most : last) / part);
	return 1;
}

static void take(struct reader *r, uint32_t start, uint32_t size)
{
	const uint32_t part = r->range >> PNC_PLANES_BITS;
	r->code -= part * start;
	r->range = part * size;
	/* slack < range here: both ends lie in this slice, so that it never outgrows 32 bits. */
	if (r->slack > r->range)
		r->slack = r->range;
	while (r->range < LOWEST_RANGE) {
		r->range <<= 8;
		fill(r);
	}
}

/* How many of the steps the bytes decide. */
static int32_t decided(const uint32_t *steps, int32_t count, const uint8_t *in, size_t length)
{
	struct reader r = reader_of(in, length);
	for (int32_t i = 0; i < count; i++) {
		const uint32_t start = steps[i] >> 16, size = steps[i] & 0xFFFFu;
		uint32_t low, high;
		if (!slots(&r, &low, &high) || low < start || high >= start + size)
			return i;
		take(&r, start, size);
	}
	return count;
}

struct writer {
	uint8_t *out;
	size_t at;
	uint64_t low;
	uint32_t range;
};

static void emit(struct writer *w)
{
	w->out[w->at++] = (uint8_t)(w->low >> 24);
	w->low = w->low << 8 & 0xFFFFFFFFu;
}

static void put(struct writer *w, uint32_t start, uint32_t size)
{
	const uint32_t part = w->range >> PNC_PLANES_BITS;
	w->low += (uint64_t)part * start;
	w->range = part * size;
	if (w->low >> 32) {
		w->low &= 0xFFFFFFFFu;
		/* The sum of all slices is below one: some byte before is not 255. */
		for (size_t i = w->at; i-- > 0 && ++w->out[i] == 0;)
			;
	}
	while (w->range < LOWEST_RANGE) {
		w->range <<= 8;
		emit(w);
	}
}

int32_t pnc_planes_encode(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state,
			  uint32_t *steps, uint8_t *out, size_t room, size_t *length)
{
	const int32_t side = m->side, width = width_of(m), last_row = m->pieces * side;
	if (row < 0 || row >= last_row)
		return PNC_PLANES_BAD_POSITION;
	if (room < LEAST_ROOM || room > MOST_ROOM)
		return PNC_PLANES_NO_ROOM;
	pnc_planes_state_at(m, coefficients, row, state);
	/* Four bytes past the room decide all that can matter. */
	struct writer w = {.out = out, .at = 0, .low = 0, .range = UINT32_MAX};
	struct piece p;
	int32_t count = 0, at_row = row;
	for (; at_row < last_row && w.at < room + 4; at_row++) {
		if (at_row == row || at_row % side == 0)
			open_piece(m, at_row / side, state, &p);
		const int32_t y = at_row % side;
		const int8_t *line = coefficients + ((ptrdiff_t)p.channel * side + y) * side;
		for (int32_t x = 0; x < side && w.at < room + 4; x++) {
			const int32_t at = (y + 1) * width + x + 1;
			const struct context context = context_at(&p, at);
			const int32_t symbol = symbol_of(&p, context, line[x]);
			uint32_t start, size;
			slice_of(m, &p, context, symbol, &start, &size);
			put(&w, start, size);
			steps[count++] = start << 16 | size;
			p.own[at] = value_after(&p, context, p.own[at], symbol);
		}
	}
	const int32_t is_end = count == (last_row - row) * side;
	if (w.at > room) {
		w.at = room;
	} else {
		for (int i = 0; i < 4; i++)
			emit(&w);
		if (w.at > room)
			w.at = room;
	}
	int32_t held = decided(steps, count, out, w.at);
	if (is_end && held == count)
		while (w.at > 1 && decided(steps, count, out, w.at - 1) == count)
			w.at--;
	if (held < side)
		return PNC_PLANES_NO_ROOM;
	*length = w.at;
	return held / side;
}

int32_t pnc_planes_decode(const struct pnc_planes_model *m, const uint8_t *in, size_t length, int32_t row, int32_t rows,
			  int16_t *state)
{
	const int32_t side = m->side, width = width_of(m), last_row = m->pieces * side;
	if (row < 0 || row >= last_row)
		return PNC_PLANES_BAD_POSITION;
	struct reader r = reader_of(in, length);
	struct piece p;
	int16_t before[MAX_SIDE];
	int32_t count = 0;
	for (int32_t at_row = row; at_row < last_row; at_row++) {
		if (at_row == row || at_row % side == 0)
			open_piece(m, at_row / side, state, &p);
		const int32_t first = (at_row % side + 1) * width + 1;
		memcpy(before, p.own + first, sizeof(*before) * (size_t)side);
		for (int32_t x = 0; x < side; x++) {
			const struct context context = context_at(&p, first + x);
			uint32_t low, high, start, size;
			if (!slots(&r, &low, &high))
				return PNC_PLANES_UNSOUND;
			int32_t symbol = 0;
			slice_of(m, &p, context, 0, &start, &size);
			while (low >= start + size)
				slice_of(m, &p, context, ++symbol, &start, &size);
			if (high >= start + size) {
				/* Not decided by these bytes. */
				if (rows < 0)
					return count;
				if (at_row - row != rows)
					return PNC_PLANES_UNSOUND;
				memcpy(p.own + first, before, sizeof(*before) * (size_t)side);
				return rows * side;
			}
			take(&r, start, size);
			p.own[first + x] = value_after(&p, context, p.own[first + x], symbol);
			count++;
		}
	}
	return rows < 0 || rows == last_row - row ? count : PNC_PLANES_UNSOUND;
}

int32_t pnc_planes_survey(const struct pnc_planes_model *m, const int8_t *coefficients, int16_t *state,
			  uint8_t *contexts, uint8_t *symbols)
{
	const int32_t side = m->side, width = width_of(m);
	struct piece p;
	memset(state, 0, sizeof(*state) * (size_t)pnc_planes_state_size(m));
	for (int32_t i = 0; i < m->pieces; i++) {
		open_piece(m, i, state, &p);
		for (int32_t cell = 0; cell < side * side; cell++) {
			const int32_t at = (cell / side + 1) * width + cell % side + 1;
			const struct context x = context_at(&p, at);
			const int32_t symbol = symbol_of(&p, x, coefficients[p.channel * side * side + cell]);
			*contexts++ = (uint8_t)(x.is_zero ? x.table : PNC_PLANES_FAR * PNC_PLANES_SPREADS + x.table);
			*symbols++ = (uint8_t)symbol;
			p.own[at] = value_after(&p, x, p.own[at], symbol);
		}
	}
	return 0;
}
