#include "planes_internal.h"

#include <string.h>

#define LEAST_ROOM 64u
#define MOST_ROOM 4096u
/* As many bytes past the room decide all that can matter. */
#define PAST_ROOM 4u

/* ---- from coefficients to steps ---- */

/* The stream as it is needed: a step is a symbol's slice of its table, start << 16 | size. */
struct stream {
	const struct pnc_planes_model *model;
	const int8_t *coefficients;
	int16_t *state;
	uint8_t used[MAX_CHANNELS];
	uint32_t *steps;     /* of symbols 0 ... of the piece that was begun with, and on */
	int32_t next, ready; /* the next piece, and how many steps are there */
};

static void begin(struct stream *s, const struct pnc_planes_model *m, const int8_t *coefficients, int32_t piece,
		  int16_t *state, uint32_t *steps)
{
	*s = (struct stream){.model = m, .coefficients = coefficients, .state = state, .steps = steps, .next = piece};
	pnc_planes_state_at(m, coefficients, piece * m->side, state);
	pnc_planes_find_used(m, state, s->used);
}

/* Slots (see pnc_planes_symbols) of the next piece, which is walked. */
static void walk(struct stream *s, uint16_t *slots)
{
	const struct pnc_planes_model *m = s->model;
	const int32_t channel = m->order[2 * s->next], plane = m->order[2 * s->next + 1];
	const size_t bytes = sizeof(int16_t) * (size_t)area_of(m);
	struct pnc_planes_piece p;
	int16_t walked[MAX_AREA];
	memset(walked, 0, bytes);
	const int8_t *coefficients = s->coefficients + (ptrdiff_t)channel * m->side * m->side;
	const int32_t any = pnc_planes_known(m, coefficients, 0, m->side, plane, walked);
	pnc_planes_open(m, s->next, s->state, s->used, any ? walked : NULL, &p);
	pnc_planes_symbols(m, &p, walked, slots);
	memcpy(p.own, walked, bytes);
	s->used[channel] = (uint8_t)any;
	s->next++;
}

/* All slices of a piece's tables, by symbol and context. Vector code needs indices that cannot wrap. */
IN_BOTH void fill_slices(const uint16_t *restrict zero, const uint16_t *restrict more, uint32_t *restrict slices)
{
	uint32_t *const first = slices, *const second = slices + TABLES, *const third = second + TABLES;
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

#ifdef WITH_AVX2
static WITH_AVX2 void fill_slices_by_lanes(const uint16_t *zero, const uint16_t *more, uint32_t *slices)
{
	fill_slices(zero, more, slices);
}
#endif

static void slices_of(const struct pnc_planes_model *m, int32_t piece, uint32_t *slices)
{
	const uint16_t *zero = m->zero + (ptrdiff_t)piece * ZERO_TABLES * 2;
	const uint16_t *more = m->more + (ptrdiff_t)piece * MORE_TABLES;
#ifdef WITH_AVX2
	if (HAS_AVX2) {
		fill_slices_by_lanes(zero, more, slices);
		return;
	}
#endif
	fill_slices(zero, more, slices);
}

static void add_piece(struct stream *s)
{
	const struct pnc_planes_model *m = s->model;
	const int32_t side = m->side;
	uint32_t slices[SYMBOLS * TABLES];
	uint16_t slots[MAX_AREA];
	slices_of(m, s->next, slices);
	walk(s, slots);
	for (int32_t y = 0; y < side; y++) {
		const uint16_t *row = slots + (ptrdiff_t)(y + 1) * width_of(m) + 1;
		uint32_t *to = s->steps + s->ready;
		for (int32_t x = 0; x < side; x++)
			to[x] = slices[row[x]];
		s->ready += side;
	}
}

/* ---- from steps to bytes ---- */

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
	/* The sum of all slices is below one: some byte before is not 255. */
	for (size_t i = w->at; i-- > 0 && ++w->out[i] == 0;)
		;
}

/* Adds what went over the edge of 32 bits to the bytes before. */
static void settle(struct writer *w)
{
	if (w->low >> 32) {
		w->low &= 0xFFFFFFFFu;
		carry(w);
	}
}

/* Writes steps from `at` on until `end` or until `bytes` are written. Returns where it stopped. low + range never
 * passes 2^33: what goes over the edge can wait for the next byte. */
static int32_t put(struct writer *w, struct stream *s, int32_t at, int32_t end, size_t bytes)
{
	struct writer v = *w;
	while (at < end && v.at < bytes) {
		if (at == s->ready)
			add_piece(s);
		const int32_t stop = s->ready < end ? s->ready : end;
		for (; at < stop && v.at < bytes; at++) {
			const uint32_t step = s->steps[at], part = v.range >> PNC_PLANES_BITS;
			v.low += (uint64_t)part * (step >> 16);
			v.range = part * (step & 0xFFFFu);
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

/* A place on the way: the step that came next, bytes written, and the coder's numbers. */
struct place {
	int32_t step;
	struct writer writer;
};

static uint32_t byte_at(const struct writer *w, size_t at)
{
	return at < w->at ? w->out[at] : 0u;
}

/* How many of the steps up to `end` the bytes of `w` decide; follows planes_decode.c. They decide all up to `late` if
 * they reach four bytes past it. */
static int32_t decided(const uint32_t *steps, const struct place *start, const struct place *late, int32_t end,
		       const struct writer *w)
{
	const struct place *from = late->writer.at + 4 <= w->at ? late : start;
	size_t at = from->writer.at;
	uint32_t range = from->writer.range, code = 0;
	uint64_t slack = 0;
	for (int i = 0; i < 4; i++, at++) {
		code = code << 8 | byte_at(w, at);
		slack = slack << 8 | (at < w->at ? 0u : 255u);
	}
	code -= (uint32_t)from->writer.low;
	for (int32_t i = from->step; i < end; i++) {
		const uint32_t first = steps[i] >> 16, size = steps[i] & 0xFFFFu;
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

/* Codes a packet from step `first` on. Returns how many whole rows it holds, or an error. */
static int32_t code_packet(struct stream *s, int32_t first, int32_t end, uint8_t *out, size_t room, size_t *length)
{
	struct writer w = {.out = out, .at = 0, .low = 0, .range = UINT32_MAX};
	const struct place start = {first, w};
	/* A step writes two bytes at most: all up to here is decided by the room's bytes. */
	const int32_t sure = put(&w, s, first, end, room - 8);
	const struct place late = {sure, w};
	const int32_t last = put(&w, s, sure, end, room + PAST_ROOM);
	for (unsigned i = 0; i < PAST_ROOM && w.at < room; i++)
		emit(&w);
	if (w.at > room)
		w.at = room;
	const int32_t held = decided(s->steps, &start, &late, last, &w);
	if (held == end) {
		struct writer shorter = w;
		while (--shorter.at >= 1 && decided(s->steps, &start, &late, end, &shorter) == end)
			w.at = shorter.at;
	}
	if (held - first < s->model->side)
		return PNC_PLANES_NO_ROOM;
	*length = w.at;
	return (held - first) / s->model->side;
}

int32_t pnc_planes_encode(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state,
			  uint32_t *steps, uint8_t *out, size_t room, size_t *length)
{
	const int32_t side = m->side, rows = m->pieces * side;
	if (row < 0 || row >= rows)
		return PNC_PLANES_BAD_POSITION;
	if (room < LEAST_ROOM || room > MOST_ROOM)
		return PNC_PLANES_NO_ROOM;
	struct stream s;
	const int32_t piece = row / side;
	begin(&s, m, coefficients, piece, state, steps);
	while (s.ready <= row % side * side)
		add_piece(&s);
	return code_packet(&s, row % side * side, (rows - piece * side) * side, out, room, length);
}

int32_t pnc_planes_pack(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t most, int16_t *state,
			uint32_t *steps, size_t room, uint8_t *out, struct pnc_planes_packet *packets)
{
	if (room < LEAST_ROOM || room > MOST_ROOM)
		return PNC_PLANES_NO_ROOM;
	const int32_t side = m->side, rows = m->pieces * side;
	struct stream s;
	begin(&s, m, coefficients, 0, state, steps);
	int32_t count = 0;
	for (int32_t row = 0; row < rows && count < most; count++) {
		size_t length = 0;
		uint8_t *to = out + (size_t)count * room;
		const int32_t held = code_packet(&s, row * side, rows * side, to, room, &length);
		if (held < 0)
			return held;
		packets[count] = (struct pnc_planes_packet){row, (int32_t)length};
		row += held;
	}
	return count;
}

int32_t pnc_planes_survey(const struct pnc_planes_model *m, const int8_t *coefficients, int16_t *state,
			  uint8_t *contexts, uint8_t *symbols)
{
	const int32_t side = m->side;
	struct stream s;
	begin(&s, m, coefficients, 0, state, NULL);
	while (s.next < m->pieces) {
		uint16_t slots[MAX_AREA];
		walk(&s, slots);
		for (int32_t cell = 0; cell < side * side; cell++) {
			const uint16_t slot = slots[(cell / side + 1) * width_of(m) + cell % side + 1];
			*contexts++ = (uint8_t)(slot % TABLES);
			*symbols++ = (uint8_t)(slot / TABLES);
		}
	}
	return 0;
}
