#include "planes_internal.h"

#include <string.h>

#define MOST_ROOM 4096u
/* A packet is checked from the symbol on that begins this many bytes before its end. */
#define TAIL 8u
/* The bytes after the packet's end that can still change a bit inside it. */
#define PAST_ROOM 4u

/* ---- coefficients to intervals ---- */

/* A stream whose passes are coded on demand. An interval is a symbol's part of its cumulative table, start << 16 |
 * size.
 */
struct stream {
	const struct pnc_planes_model *model;
	const int8_t *coefficients;
	int16_t *state;
	uint8_t nonzero[MAX_CHANNELS];
	uint32_t *intervals; /* of all symbols from the start of the first pass on */
	int32_t next, ready; /* the next pass to code; number of intervals that are ready */
};

static void begin(struct stream *s, const struct pnc_planes_model *m, const int8_t *coefficients, int32_t pass,
		  int16_t *state, uint32_t *intervals)
{
	*s = (struct stream){
		.model = m, .coefficients = coefficients, .state = state, .intervals = intervals, .next = pass};
	pnc_planes_state_at(m, coefficients, pass * m->side, state);
	pnc_planes_find_nonzero(m, state, s->nonzero);
}

/* Codes the next pass: writes its entries (see pnc_planes_symbols) and updates the state. */
static void code_pass(struct stream *s, uint16_t *entries)
{
	const struct pnc_planes_model *m = s->model;
	const int32_t channel = m->order[2 * s->next], plane = m->order[2 * s->next + 1];
	const size_t bytes = sizeof(int16_t) * (size_t)area_of(m);
	struct pnc_planes_pass p;
	int16_t refined[MAX_AREA];
	memset(refined, 0, bytes);
	const int8_t *coefficients = s->coefficients + (ptrdiff_t)channel * m->side * m->side;
	const int32_t any = pnc_planes_reconstruct(m, coefficients, 0, m->side, plane, refined);
	pnc_planes_begin_pass(m, s->next, s->state, s->nonzero, any ? refined : NULL, &p);
	pnc_planes_symbols(m, &p, refined, entries);
	memcpy(p.own, refined, bytes);
	s->nonzero[channel] = (uint8_t)any;
	s->next++;
}

/* All intervals of a pass's tables, by symbol and context. The indices are size_t: compilers do not vectorize loops
 * whose index may wrap. */
SIMD_INLINE void fill_intervals(const uint16_t *restrict zero, const uint16_t *restrict more, uint32_t *restrict table)
{
	uint32_t *const first = table, *const second = table + TABLES, *const third = second + TABLES;
	for (size_t i = 0; i < ZERO_TABLES; i++) {
		const uint32_t a = zero[2 * i], b = zero[2 * i + 1];
		first[i] = a;
		second[i] = a << 16 | (b - a);
		third[i] = b << 16 | (TOTAL - b);
	}
	for (size_t i = 0; i < MORE_TABLES; i++) {
		const uint32_t a = more[i];
		first[ZERO_TABLES + i] = a;
		second[ZERO_TABLES + i] = a << 16 | (TOTAL - a);
	}
}

#ifdef TARGET_AVX2
static TARGET_AVX2 void fill_intervals_avx2(const uint16_t *zero, const uint16_t *more, uint32_t *table)
{
	fill_intervals(zero, more, table);
}
#endif

static void intervals_of(const struct pnc_planes_model *m, int32_t pass, uint32_t *table)
{
	const uint16_t *zero = m->zero + (ptrdiff_t)pass * ZERO_TABLES * 2;
	const uint16_t *more = m->more + (ptrdiff_t)pass * MORE_TABLES;
#ifdef TARGET_AVX2
	if (HAS_AVX2) {
		fill_intervals_avx2(zero, more, table);
		return;
	}
#endif
	fill_intervals(zero, more, table);
}

static void add_pass(struct stream *s)
{
	const struct pnc_planes_model *m = s->model;
	const int32_t side = m->side;
	uint32_t table[SYMBOLS * TABLES];
	uint16_t entries[MAX_AREA];
	intervals_of(m, s->next, table);
	code_pass(s, entries);
	for (int32_t y = 0; y < side; y++) {
		const uint16_t *row = entries + (ptrdiff_t)(y + 1) * width_of(m) + 1;
		uint32_t *to = s->intervals + s->ready;
		for (int32_t x = 0; x < side; x++)
			to[x] = table[row[x]];
		s->ready += side;
	}
}

/* ---- intervals to bytes ---- */

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

static void carry(struct writer *w)
{
	/* The coded number is below one, so at least one earlier byte is not 255. */
	for (size_t i = w->at; i-- > 0 && ++w->out[i] == 0;)
		;
}

/* Carries the bit above the 32 bits of `low` into the bytes already written. */
static void settle(struct writer *w)
{
	if (w->low >> 32) {
		w->low &= 0xFFFFFFFFu;
		carry(w);
	}
}

/* Writes intervals from `at` on until `end`, or until `bytes` are written. Returns where it stopped. low + range stays
 * below 2^33, so the carry can wait for the next byte. */
static int32_t put(struct writer *w, struct stream *s, int32_t at, int32_t end, size_t bytes)
{
	struct writer v = *w;
	while (at < end && v.at < bytes) {
		if (at == s->ready)
			add_pass(s);
		const int32_t stop = s->ready < end ? s->ready : end;
		for (; at < stop && v.at < bytes; at++) {
			const uint32_t interval = s->intervals[at], part = v.range >> PNC_PLANES_BITS;
			v.low += (uint64_t)part * (interval >> 16);
			v.range = part * (interval & 0xFFFFu);
			while (v.range < LOWEST_RANGE) {
				settle(&v);
				v.range <<= 8;
				emit(&v);
			}
		}
	}
	settle(&v);
	*w = v;
	return at;
}

/* A point at which coding can be resumed: the next interval and the writer's state. */
struct resume_point {
	int32_t next;
	struct writer writer;
};

static uint32_t byte_at(const struct writer *w, size_t at)
{
	return at < w->at ? w->out[at] : 0u;
}

/* A symbol takes at most PNC_PLANES_BITS and less than 1/300 bit of rounding. At the end of a row its last byte is not
 * written yet, and PAST_ROOM bytes after the written ones decide the row. */
int32_t pnc_planes_least_room(const struct pnc_planes_model *m)
{
	const uint32_t row = (uint32_t)m->side * PNC_PLANES_BITS / 8 + PAST_ROOM;
	return (int32_t)(row > TAIL ? row : TAIL + 1);
}

/* The number of intervals, at most `end`, that the bytes of `w` decide. Mirrors planes_decode.c. If the bytes reach
 * four past `late`, they decide every interval before it. */
static int32_t decided(const uint32_t *intervals, const struct resume_point *start, const struct resume_point *late,
		       int32_t end, const struct writer *w)
{
	const struct resume_point *from = late->writer.at + 4 <= w->at ? late : start;
	size_t at = from->writer.at;
	uint32_t range = from->writer.range, code = 0;
	uint64_t slack = 0;
	for (int i = 0; i < 4; i++, at++) {
		code = code << 8 | byte_at(w, at);
		slack = slack << 8 | (at < w->at ? 0u : 255u);
	}
	code -= (uint32_t)from->writer.low;
	for (int32_t i = from->next; i < end; i++) {
		const uint32_t first = intervals[i] >> 16, size = intervals[i] & 0xFFFFu;
		const uint32_t part = range >> PNC_PLANES_BITS, least = part * first, most = part * (first + size);
		if (code < least || code >= most || (first + size < TOTAL && code + slack >= most))
			return i;
		code -= least;
		range = part * size;
		if (slack > range)
			slack = range;
		for (; range < LOWEST_RANGE; range <<= 8, at++) {
			code = code << 8 | byte_at(w, at);
			slack = slack << 8 | (at < w->at ? 0u : 255u);
		}
	}
	return end;
}

static int room_fits(const struct pnc_planes_model *m, size_t room)
{
	return room >= (size_t)pnc_planes_least_room(m) && room <= MOST_ROOM;
}

/* Encodes a packet from interval `first` on. Returns the number of whole rows in it, or an error. */
static int32_t encode_packet(struct stream *s, int32_t first, int32_t end, uint8_t *out, size_t room, size_t *length)
{
	struct writer w = {.out = out, .at = 0, .low = 0, .range = UINT32_MAX};
	const struct resume_point start = {first, w};
	/* An interval adds at most two bytes, so a full packet decides every interval before this one. */
	const int32_t sure = put(&w, s, first, end, room - TAIL);
	const struct resume_point late = {sure, w};
	const int32_t last = put(&w, s, sure, end, room + PAST_ROOM);
	for (unsigned i = 0; i < PAST_ROOM && w.at < room; i++)
		emit(&w);
	if (w.at > room)
		w.at = room;
	const int32_t held = decided(s->intervals, &start, &late, last, &w);
	if (held == end) {
		struct writer shorter = w;
		while (--shorter.at >= 1 && decided(s->intervals, &start, &late, end, &shorter) == end)
			w.at = shorter.at;
	}
	if (held - first < s->model->side)
		return PNC_PLANES_NO_ROOM;
	*length = w.at;
	return (held - first) / s->model->side;
}

int32_t pnc_planes_encode(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state,
			  uint32_t *intervals, uint8_t *out, size_t room, size_t *length)
{
	const int32_t side = m->side, rows = m->passes * side;
	if (row < 0 || row >= rows)
		return PNC_PLANES_BAD_POSITION;
	if (!room_fits(m, room))
		return PNC_PLANES_NO_ROOM;
	struct stream s;
	const int32_t pass = row / side;
	begin(&s, m, coefficients, pass, state, intervals);
	while (s.ready <= row % side * side)
		add_pass(&s);
	return encode_packet(&s, row % side * side, (rows - pass * side) * side, out, room, length);
}

int32_t pnc_planes_packetize(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t most, int16_t *state,
			     uint32_t *intervals, size_t room, uint8_t *out, struct pnc_planes_packet *packets)
{
	if (!room_fits(m, room))
		return PNC_PLANES_NO_ROOM;
	const int32_t side = m->side, rows = m->passes * side;
	struct stream s;
	begin(&s, m, coefficients, 0, state, intervals);
	int32_t count = 0;
	for (int32_t row = 0; row < rows && count < most; count++) {
		size_t length = 0;
		uint8_t *to = out + (size_t)count * room;
		const int32_t held = encode_packet(&s, row * side, rows * side, to, room, &length);
		if (held < 0)
			return held;
		packets[count] = (struct pnc_planes_packet){row, (int32_t)length};
		row += held;
	}
	return count;
}

int32_t pnc_planes_contexts(const struct pnc_planes_model *m, const int8_t *coefficients, int16_t *state,
			    uint8_t *contexts, uint8_t *symbols)
{
	const int32_t side = m->side;
	struct stream s;
	begin(&s, m, coefficients, 0, state, NULL);
	while (s.next < m->passes) {
		uint16_t entries[MAX_AREA];
		code_pass(&s, entries);
		for (int32_t cell = 0; cell < side * side; cell++) {
			const uint16_t entry = entries[(cell / side + 1) * width_of(m) + cell % side + 1];
			*contexts++ = (uint8_t)(entry % TABLES);
			*symbols++ = (uint8_t)(entry / TABLES);
		}
	}
	return 0;
}
