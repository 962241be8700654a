#include "coder.h"

#define TOTAL (1u << PNC_CODER_BITS)
/* The rANS state lives in [LOW, LOW << 8); it starts at LOW + the number of symbols, which the decoder ends at. */
#define LOW (1u << 23)
#define STATE_BYTES 4u
#define MAX_SIDE 64
#define MAX_CHANNELS 64

struct surroundings {
	int32_t m64, t;
	uint8_t kind;
};

static int32_t magnitude(int32_t v)
{
	return v < 0 ? -v : v;
}

/* floor(v / 2^bits), also below zero; |v| < 2^28. */
static int32_t floor_shift(int32_t v, int32_t bits)
{
	const int32_t lift = INT32_C(1) << 28;
	return ((v + lift) >> bits) - (lift >> bits);
}

static int32_t table_size(const struct pnc_coder_model *m)
{
	return 2 * m->reach + 3;
}

static int32_t escape_index(const struct pnc_coder_model *m)
{
	return 2 * m->reach + 1;
}

static size_t table_count(const struct pnc_coder_model *m)
{
	return (size_t)m->channels * PNC_CODER_KINDS * (size_t)m->levels * PNC_CODER_PHASES;
}

static int32_t table_is_sound(const uint16_t *table, int32_t size)
{
	if (table[0] != 0 || table[size - 1] != TOTAL)
		return 0;
	for (int32_t i = 1; i < size; i++)
		if (table[i] <= table[i - 1])
			return 0;
	return 1;
}

int32_t pnc_coder_check(const struct pnc_coder_model *m)
{
	if (m->channels < 1 || m->channels > MAX_CHANNELS || m->side < 1 || m->side > MAX_SIDE || m->reach < 1 ||
	    m->reach > 127 || m->levels < 1 || m->levels > 64)
		return PNC_CODER_BAD_MODEL;
	for (int32_t i = 0; i < m->channels * PNC_CODER_NEAR; i++)
		if (m->mean[i] < -1024 || m->mean[i] > 1024)
			return PNC_CODER_BAD_MODEL;
	for (int32_t i = 0; i < m->channels * 2 * PNC_CODER_NEAR; i++)
		if (m->spread[i] > 1024)
			return PNC_CODER_BAD_MODEL;
	for (int32_t c = 0; c < m->channels; c++)
		for (int32_t i = 1; i < m->levels - 1; i++)
			if (m->thresholds[c * (m->levels - 1) + i] < m->thresholds[c * (m->levels - 1) + i - 1])
				return PNC_CODER_BAD_MODEL;
	for (size_t i = 0; i < table_count(m); i++)
		if (!table_is_sound(m->tables + i * (size_t)table_size(m), table_size(m)))
			return PNC_CODER_BAD_MODEL;
	return 0;
}

int32_t pnc_coder_total(const struct pnc_coder_model *m)
{
	return m->channels * m->side * m->side;
}

/* The surroundings of the symbol at `at`, of which only those from `first` on are known. Bounds: |v| <= 255, so
 * |m64| <= 6 * 1024 * 255 < 2^21 and t fits 32 bits once |64 v - 64 m| is capped at 2^15. */
static struct surroundings look_around(const struct pnc_coder_model *m, const uint8_t *symbols, int32_t first,
				       int32_t at)
{
	const int32_t side = m->side, cells = side * side;
	const int32_t channel = at / cells, cell = at % cells, x = cell % side, y = cell / side;
	const int32_t zero = m->zero[channel];
	/* From here on positions count as known only if they are in the packet. */
	const int32_t row_above = y > 0, has_w = x > 0 && at - 1 >= first;
	const int32_t has_n = row_above && at - side >= first;
	const int32_t has_ne = row_above && x + 1 < side && at - side + 1 >= first;
	const int32_t has_nw = row_above && x > 0 && at - side - 1 >= first;
	const int32_t has_ww = x > 1 && at - 2 >= first;
	const int32_t has_nn = y > 1 && at - 2 * side >= first;
	int32_t v[PNC_CODER_NEAR];
	int32_t any = 0;

	if (has_n)
		any = symbols[at - side] - zero;
	else if (has_w)
		any = symbols[at - 1] - zero;
	else if (has_ne)
		any = symbols[at - side + 1] - zero;
	/* What is not known is taken to be like the nearest that is. */
	v[0] = has_w ? symbols[at - 1] - zero : any;
	v[1] = any;
	v[2] = has_nw ? symbols[at - side - 1] - zero : v[1];
	v[3] = has_ne ? symbols[at - side + 1] - zero : v[1];
	v[4] = has_ww ? symbols[at - 2] - zero : v[0];
	v[5] = has_nn ? symbols[at - 2 * side] - zero : v[1];

	struct surroundings s = {.m64 = 0, .t = 0, .kind = has_n ? 0 : 1};
	for (int32_t k = 0; k < PNC_CODER_NEAR; k++)
		s.m64 += m->mean[channel * PNC_CODER_NEAR + k] * v[k];
	const uint16_t *spread = m->spread + (ptrdiff_t)channel * 2 * PNC_CODER_NEAR;
	for (int32_t k = 0; k < PNC_CODER_NEAR; k++) {
		int32_t off = magnitude(64 * v[k] - s.m64);
		if (off > 1 << 15)
			off = 1 << 15;
		s.t += spread[k] * 64 * magnitude(v[k]) + spread[PNC_CODER_NEAR + k] * off;
	}
	return s;
}

/* The table for a symbol of `channel`, and *floor_m, the value at which its middle stands. */
static const uint16_t *table_for(const struct pnc_coder_model *m, int32_t channel, struct surroundings s,
				 int32_t *floor_m)
{
	const int32_t *thresholds = m->thresholds + (ptrdiff_t)channel * (m->levels - 1);
	int32_t level = 0;
	while (level < m->levels - 1 && thresholds[level] <= s.t)
		level++;
	const int32_t quarters = floor_shift(s.m64 + 8, 4);
	*floor_m = floor_shift(quarters, 2);
	const int32_t phase = quarters - 4 * *floor_m;
	const int32_t index = ((channel * PNC_CODER_KINDS + s.kind) * m->levels + level) * PNC_CODER_PHASES + phase;
	return m->tables + (ptrdiff_t)index * table_size(m);
}

/* ---- encoder ---- */

/* log2(v) in 1/1024 for 1 <= v < 2^16, rounded down. */
static uint32_t log2_1024(uint32_t v)
{
	uint32_t whole = 15;
	while (v < 0x8000u) {
		v <<= 1;
		whole--;
	}
	uint32_t fraction = 0;
	for (int i = 0; i < 10; i++) {
		v = v * v; /* v < 2^16 */
		fraction <<= 1;
		if (v & 0x80000000u) {
			fraction |= 1;
			v >>= 16;
		} else {
			v >>= 15;
		}
	}
	return whole * 1024 + fraction;
}

/* A step of the coder: the slice [start, start + size) of the total. */
static uint32_t slice(uint32_t start, uint32_t size)
{
	return start << 16 | size;
}

static uint32_t cost_1024(uint32_t step)
{
	return PNC_CODER_BITS * 1024u - log2_1024(step & 0xFFFFu);
}

/* The one or two steps of the symbol at `at` (two with an escape); returns how many. */
static size_t plan(const struct pnc_coder_model *m, const uint8_t *symbols, int32_t first, int32_t at, uint32_t *steps)
{
	const int32_t channel = at / (m->side * m->side);
	int32_t floor_m;
	const uint16_t *table = table_for(m, channel, look_around(m, symbols, first, at), &floor_m);
	int32_t i = symbols[at] - m->zero[channel] - floor_m + m->reach;
	const int32_t escaped = i < 0 || i > 2 * m->reach;
	if (escaped)
		i = escape_index(m);
	steps[0] = slice(table[i], (uint32_t)table[i + 1] - table[i]);
	if (!escaped)
		return 1;
	steps[1] = slice(symbols[at] * (TOTAL / 256u), TOTAL / 256u);
	return 2;
}

/* Codes steps[0..count) that make up `symbols` symbols, last first, into the end of out[0..room). Returns the bytes
 * written, or 0 if they do not fit, or if the decoder would take an earlier symbol for the last. */
static size_t write_steps(const uint32_t *steps, size_t count, uint32_t symbols, uint8_t *out, size_t room)
{
	uint32_t x = LOW + symbols;
	size_t at = room;
	for (size_t i = count; i-- > 0;) {
		const uint32_t start = steps[i] >> 16, size = steps[i] & 0xFFFFu;
		while (x >= (LOW >> PNC_CODER_BITS << 8) * size) {
			if (at == 0)
				return 0;
			out[--at] = (uint8_t)(x & 0xFFu);
			x >>= 8;
		}
		x = (x / size << PNC_CODER_BITS) + x % size + start;
		/* i steps are left, so at most i symbols: only such a state could be mistaken for the end. */
		if (at == room && x >= LOW && x - LOW <= i && x - LOW > 0)
			return 0;
	}
	if (at < STATE_BYTES)
		return 0;
	for (uint32_t i = 0; i < STATE_BYTES; i++)
		out[--at] = (uint8_t)(x >> (8 * i) & 0xFFu);
	return room - at;
}

int32_t pnc_coder_encode(const struct pnc_coder_model *m, const uint8_t *symbols, int32_t position, uint32_t *scratch,
			 uint8_t *out, size_t room, size_t *length)
{
	const int32_t total = pnc_coder_total(m);
	if (position < 0 || position >= total)
		return PNC_CODER_BAD_POSITION;
	if (room > 65535)
		room = 65535;
	if (room < STATE_BYTES)
		return PNC_CODER_NO_ROOM;
	/* The first state carries 23 bits that are no symbols; what log2 rounds down is left to the trials below. */
	const uint64_t budget = (uint64_t)room * 8 * 1024;
	uint64_t cost = 23 * 1024;
	int32_t count = 0;
	size_t steps = 0;
	while (position + count < total) {
		uint32_t next[2];
		const size_t n = plan(m, symbols, position, position + count, next);
		for (size_t i = 0; i < n; i++)
			cost += cost_1024(next[i]);
		if (cost > budget)
			break;
		for (size_t i = 0; i < n; i++)
			scratch[steps++] = next[i];
		count++;
	}
	size_t written = 0;
	while (count > 0 && written == 0) {
		written = write_steps(scratch, steps, (uint32_t)count, out, room);
		if (written == 0) {
			uint32_t last[2];
			count--;
			steps -= plan(m, symbols, position, position + count, last);
		}
	}
	if (written == 0)
		return PNC_CODER_NO_ROOM;
	for (size_t i = 0; i < written; i++)
		out[i] = out[room - written + i];
	*length = written;
	return count;
}

/* ---- decoder ---- */

struct reader {
	const uint8_t *in;
	size_t length, at;
	uint32_t x;
};

/* Takes the slice that the state stood in off the state. Returns 0 when the packet ends too early. */
static int32_t advance(struct reader *r, uint32_t start, uint32_t size)
{
	r->x = size * (r->x >> PNC_CODER_BITS) + (r->x & (TOTAL - 1u)) - start;
	while (r->x < LOW) {
		if (r->at == r->length)
			return 0;
		r->x = r->x << 8 | r->in[r->at++];
	}
	return 1;
}

/* The entry of the table whose slice holds `slot`. */
static int32_t find(const uint16_t *table, int32_t size, uint32_t slot)
{
	int32_t low = 0, high = size - 1; /* table[low] <= slot < table[high] */
	while (high - low > 1) {
		const int32_t middle = (low + high) / 2;
		if (table[middle] <= slot)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int32_t pnc_coder_decode(const struct pnc_coder_model *m, const uint8_t *in, size_t length, int32_t position,
			 uint8_t *symbols)
{
	const int32_t total = pnc_coder_total(m);
	if (position < 0 || position >= total)
		return PNC_CODER_BAD_POSITION;
	if (length < STATE_BYTES)
		return PNC_CODER_TOO_SHORT;
	struct reader r = {.in = in, .length = length, .at = STATE_BYTES, .x = 0};
	for (uint32_t i = 0; i < STATE_BYTES; i++)
		r.x = r.x << 8 | in[i];
	if (r.x < LOW || r.x >= LOW << 8)
		return PNC_CODER_UNSOUND;
	int32_t at = position;
	while (r.at < length || r.x - LOW != (uint32_t)(at - position) || at == position) {
		if (at == total)
			return PNC_CODER_UNSOUND;
		const int32_t channel = at / (m->side * m->side);
		int32_t floor_m;
		const uint16_t *table = table_for(m, channel, look_around(m, symbols, position, at), &floor_m);
		const int32_t i = find(table, table_size(m), r.x & (TOTAL - 1u));
		if (!advance(&r, table[i], (uint32_t)table[i + 1] - table[i]))
			return PNC_CODER_TOO_SHORT;
		int32_t symbol = m->zero[channel] + floor_m + i - m->reach;
		if (i == escape_index(m)) {
			symbol = (int32_t)((r.x & (TOTAL - 1u)) / (TOTAL / 256u));
			if (!advance(&r, (uint32_t)symbol * (TOTAL / 256u), TOTAL / 256u))
				return PNC_CODER_TOO_SHORT;
		}
		if (symbol < 0 || symbol > 255)
			return PNC_CODER_UNSOUND;
		symbols[at++] = (uint8_t)symbol;
	}
	return at - position;
}

int32_t pnc_coder_survey(const struct pnc_coder_model *m, const uint8_t *symbols, int32_t position, int32_t end,
			 int32_t *m64, int32_t *t, uint8_t *kind)
{
	if (position < 0 || position > end || end > pnc_coder_total(m))
		return PNC_CODER_BAD_POSITION;
	for (int32_t at = position; at < end; at++) {
		const struct surroundings s = look_around(m, symbols, position, at);
		m64[at - position] = s.m64;
		t[at - position] = s.t;
		kind[at - position] = s.kind;
	}
	return 0;
}
