#include "planes_internal.h"

#include <assert.h>
#include <string.h>

#define MOST_ROOM 4096u
/* The fewest bytes of a packet are one more. */
#define TAIL 8u
/* A packet is checked from the symbol on that begins about this many bytes before its end. */
#define CHECKED 5u
/* The bytes after the packet's end that can still change a bit inside it. */
#define PAST_ROOM 4u

/* ---- coefficients to intervals ---- */

/* A stream whose passes are coded on demand. */
struct stream {
	const struct pnc_planes_model *model;
	const int8_t *coefficients;
	int16_t *state;
	struct pnc_planes_context context;
	uint8_t magnitudes[MAX_CHANNELS];      /* bitwise OR of the magnitudes of each channel */
	int32_t pass, row;                     /* the next pass to code, from this row on */
	struct pnc_planes_interval *intervals; /* of all symbols from the start of the packet on */
	int32_t ready;                         /* number of intervals */
};

/* The bitwise OR of the magnitudes of coefficients. */
SIMD_INLINE uint8_t magnitudes_of(const int8_t *coefficients, ptrdiff_t count)
{
	uint8_t any = 0;
	for (ptrdiff_t i = 0; i < count; i++)
		any |= (uint8_t)(coefficients[i] < 0 ? -coefficients[i] : coefficients[i]);
	return any;
}

/* All intervals of a pass's tables, by symbol and context. The indices are size_t: compilers do not vectorize loops
 * whose index may wrap. */
SIMD_INLINE void fill_intervals(const uint16_t *restrict zero, const uint16_t *restrict more,
				struct pnc_planes_interval *restrict table)
{
	struct pnc_planes_interval *const first = table, *const second = table + TABLES, *const third = second + TABLES;
	for (size_t i = 0; i < ZERO_TABLES; i++) {
		const uint16_t a = zero[2 * i], b = zero[2 * i + 1];
		first[i] = (struct pnc_planes_interval){0, a};
		second[i] = (struct pnc_planes_interval){a, (uint16_t)(b - a)};
		third[i] = (struct pnc_planes_interval){b, (uint16_t)(TOTAL - b)};
	}
	for (size_t i = 0; i < MORE_TABLES; i++) {
		const uint16_t a = more[i];
		first[ZERO_TABLES + i] = (struct pnc_planes_interval){0, a};
		second[ZERO_TABLES + i] = (struct pnc_planes_interval){a, (uint16_t)(TOTAL - a)};
	}
}

#ifdef TARGET_AVX2
static TARGET_AVX2 void fill_intervals_avx2(const uint16_t *zero, const uint16_t *more,
					    struct pnc_planes_interval *table)
{
	fill_intervals(zero, more, table);
}
#endif

static void intervals_of(const struct pnc_planes_model *m, int32_t pass, struct pnc_planes_interval *table)
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

static void begin(struct stream *s, const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row,
		  int16_t *state, struct pnc_planes_interval *intervals)
{
	const ptrdiff_t area = (ptrdiff_t)m->side * m->side;
	const int32_t pass = row / m->side;
	*s = (struct stream){.model = m,
			     .coefficients = coefficients,
			     .state = state,
			     .pass = pass,
			     .row = row % m->side,
			     .intervals = intervals};
	pnc_planes_state_at(m, coefficients, pass * m->side, state);
	pnc_planes_start(m, state, &s->context);
	for (int32_t c = 0; c < m->channels; c++)
		s->magnitudes[c] = magnitudes_of(coefficients + c * area, area);
}

/* Codes the next pass: writes its entries (see pnc_planes_entries) and updates the state. */
static void code_pass(struct stream *s, uint16_t (*entries)[MAX_SIDE])
{
	const struct pnc_planes_model *m = s->model;
	const int32_t channel = m->order[2 * s->pass], plane = m->order[2 * s->pass + 1];
	const int32_t any = s->magnitudes[channel] >> plane;
	const size_t bytes = sizeof(int16_t) * (size_t)area_of(m);
	int16_t *own = s->state + (ptrdiff_t)channel * area_of(m), refined[MAX_AREA];
	struct pnc_planes_inputs inputs;
	memset(refined, 0, bytes);
	if (any)
		pnc_planes_reconstruct(m, s->coefficients + (ptrdiff_t)channel * m->side * m->side, 0, m->side, plane,
				       refined);
	pnc_planes_find_inputs(m, s->pass, &s->context, any ? refined : NULL, &inputs);
	pnc_planes_entries(m, &inputs, plane, s->row, own, refined, entries);
	if (any)
		memcpy(own, refined, bytes);
	s->context.nonzero |= (uint64_t)(any != 0) << channel;
	s->pass++;
	s->row = 0;
}

/* Whether the rest of the next pass begins in a stream that is coded as a blank one. */
static int32_t is_blank(const struct stream *s)
{
	const struct pnc_planes_model *m = s->model;
	const int32_t channel = m->order[2 * s->pass], plane = m->order[2 * s->pass + 1];
	const int8_t *coefficients = s->coefficients + (ptrdiff_t)channel * m->side * m->side;
	if (s->pass < m->blank || s->context.nonzero != 0)
		return 0;
	return magnitudes_of(coefficients, (ptrdiff_t)s->row * m->side) >> plane == 0;
}

/* Replaces intervals of a blank stream, up to its first coefficient that is significant. */
static void blank_intervals(const uint16_t (*entries)[MAX_SIDE], ptrdiff_t row, ptrdiff_t side,
			    struct pnc_planes_interval *intervals)
{
	const uint16_t a = pnc_planes_blank_table[0], b = pnc_planes_blank_table[1];
	const struct pnc_planes_interval table[SYMBOLS] = {{0, a}, {a, (uint16_t)(b - a)}, {b, (uint16_t)(TOTAL - b)}};
	for (; row < side; row++)
		for (ptrdiff_t x = 0; x < side; x++) {
			const int32_t symbol = entries[row][x] / TABLES;
			*intervals++ = table[symbol];
			if (symbol != 0)
				return;
		}
}

static void add_pass(struct stream *s)
{
	const ptrdiff_t side = s->model->side;
	struct pnc_planes_interval table[SYMBOLS * TABLES], *to = s->intervals + s->ready;
	uint16_t entries[MAX_SIDE][MAX_SIDE];
	const int32_t blank = is_blank(s);
	intervals_of(s->model, s->pass, table);
	const ptrdiff_t row = s->row;
	s->ready += (int32_t)((side - row) * side);
	code_pass(s, entries);
	for (ptrdiff_t y = row; y < side; y++, to += side)
		for (ptrdiff_t x = 0; x < side; x++)
			to[x] = table[entries[y][x]];
	if (blank)
		blank_intervals(entries, row, side, to - (side - row) * side);
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

/* Carries the bit above the 32 bits of `low` into the bytes already written. Whether there is one is a matter of
 * chance, so the first byte is changed without a branch; without a carry that is the next byte to write. The coded
 * number is below one, so a carry ends at a byte that was not 255. */
static inline void settle(struct writer *w)
{
	const uint32_t bit = (uint32_t)(w->low >> 32);
	uint8_t *last = w->out + w->at - bit;
	*last = (uint8_t)(*last + bit);
	w->low &= 0xFFFFFFFFu;
	if (bit & (uint32_t)(*last == 0))
		while (++*--last == 0)
			;
}

/* Keeps compilers from computing anything of `later` before `first`. */
#ifdef __GNUC__
#define COMPUTE_FIRST(first, later) __asm__("" : "+r"(later) : "r"(first))
#else
#define COMPUTE_FIRST(first, later) ((void)0)
#endif

/* Writes intervals from `at` on until `end`, or until `bytes` are written. Returns where it stopped. low + range stays
 * below 2^33, so the carry can wait for the next byte. Each range depends on the one before: its multiplication goes
 * first, since processors begin one multiplication in a cycle. */
static int32_t put(struct writer *w, struct stream *s, int32_t at, int32_t end, size_t bytes)
{
	struct writer v = *w;
	while (at < end && v.at < bytes) {
		if (at == s->ready)
			add_pass(s);
		const struct pnc_planes_interval *const intervals = s->intervals;
		const int32_t stop = s->ready < end ? s->ready : end;
		while (at < stop) {
			const struct pnc_planes_interval interval = intervals[at++];
			uint32_t part = v.range >> PNC_PLANES_BITS;
			v.range = part * interval.size;
			COMPUTE_FIRST(v.range, part);
			v.low += part * (uint32_t)interval.start;
			if (v.range >= LOWEST_RANGE)
				continue;
			do {
				settle(&v);
				v.range <<= 8;
				emit(&v);
			} while (v.range < LOWEST_RANGE);
			if (v.at >= bytes)
				break;
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
static int32_t decided(const struct pnc_planes_interval *intervals, const struct resume_point *start,
		       const struct resume_point *late, int32_t end, const struct writer *w)
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
		const uint32_t first = intervals[i].start, size = intervals[i].size;
		const uint32_t part = range >> PNC_PLANES_BITS, least = part * first, most = part * (first + size);
		/* The bytes begin a number that lies in every interval, so the code stays below `most`. */
		if (code < least || (first + size < TOTAL && code + slack >= most))
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

/* Encodes a packet from the first interval on, of `end` that are left of the stream. Returns the number of whole rows
 * in it: at least one, since `room` is at least pnc_planes_least_room. */
static int32_t encode_packet(struct stream *s, int32_t end, uint8_t *out, size_t room, size_t *length)
{
	struct writer w = {.out = out, .at = 0, .low = 0, .range = UINT32_MAX};
	const struct resume_point start = {0, w};
	/* An interval adds at most two bytes, so a full packet decides every interval before this one. */
	const int32_t sure = put(&w, s, 0, end, room - CHECKED);
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
	assert(held >= s->model->side);
	*length = w.at;
	return held / s->model->side;
}

/* Drops the intervals of the first rows, so that the memory of a packet stays in the processor's cache. */
static void drop_rows(struct stream *s, int32_t rows)
{
	const int32_t dropped = rows * s->model->side;
	s->ready -= dropped;
	memmove(s->intervals, s->intervals + dropped, sizeof(*s->intervals) * (size_t)s->ready);
}

int32_t pnc_planes_encode(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int16_t *state,
			  struct pnc_planes_interval *intervals, uint8_t *out, size_t room, size_t *length)
{
	const int32_t side = m->side, rows = m->passes * side;
	if (row < 0 || row >= rows)
		return PNC_PLANES_BAD_POSITION;
	if (!room_fits(m, room))
		return PNC_PLANES_NO_ROOM;
	struct stream s;
	begin(&s, m, coefficients, row, state, intervals);
	return encode_packet(&s, (rows - row) * side, out, room, length);
}

/* Whether a carry may still change bytes before `at`: all that was written after them is 255. */
static int may_change(const struct writer *w, size_t at)
{
	while (at < w->at && w->out[at] == 255)
		at++;
	return at == w->at && w->low + w->range > UINT32_MAX;
}

/* Encodes the first `rest` bytes of the packet that encode_packet makes. */
static void encode_beginning(struct stream *s, int32_t end, uint8_t *out, size_t room, size_t rest, size_t *length)
{
	struct writer w = {.out = out, .at = 0, .low = 0, .range = UINT32_MAX};
	int32_t at = put(&w, s, 0, end, rest);
	while (at < end && may_change(&w, rest) && w.at < room + PAST_ROOM)
		at = put(&w, s, at, end, w.at + 1);
	*length = rest;
	if (at < end)
		return;
	/* The last packet of the stream has no more bytes than it needs. */
	(void)encode_packet(s, end, out, room, length);
	if (*length > rest)
		*length = rest;
}

int32_t pnc_planes_packetize(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, int32_t most,
			     size_t rest, int16_t *state, struct pnc_planes_interval *intervals, size_t room,
			     size_t head, uint8_t *out, struct pnc_planes_packet *packets)
{
	const int32_t side = m->side, rows = m->passes * side;
	if (row < 0 || row > rows)
		return PNC_PLANES_BAD_POSITION;
	if (!room_fits(m, room) || (row == 0 && (head > room || !room_fits(m, room - head))) || rest >= room)
		return PNC_PLANES_NO_ROOM;
	if (row == rows)
		return 0;
	struct stream s;
	begin(&s, m, coefficients, row, state, intervals);
	int32_t count = 0;
	for (; row < rows && count < most; count++) {
		size_t length = 0;
		const size_t taken = row == 0 ? head : 0;
		const int32_t held = encode_packet(&s, (rows - row) * side, out + taken, room - taken, &length);
		packets[count] = (struct pnc_planes_packet){row, held, (int32_t)length};
		row += held;
		out += room;
		drop_rows(&s, held);
	}
	if (row == rows || rest == 0)
		return count;
	size_t length = 0;
	const size_t taken = row == 0 ? head : 0;
	if (rest >= room - taken)
		return PNC_PLANES_NO_ROOM;
	encode_beginning(&s, (rows - row) * side, out + taken, room - taken, rest, &length);
	packets[count] = (struct pnc_planes_packet){row, 0, (int32_t)length};
	return count + 1;
}

int32_t pnc_planes_contexts(const struct pnc_planes_model *m, const int8_t *coefficients, int16_t *state,
			    uint8_t *contexts, uint8_t *symbols)
{
	const int32_t side = m->side;
	struct stream s;
	begin(&s, m, coefficients, 0, state, NULL);
	while (s.pass < m->passes) {
		uint16_t entries[MAX_SIDE][MAX_SIDE];
		code_pass(&s, entries);
		for (int32_t cell = 0; cell < side * side; cell++) {
			const uint16_t entry = entries[cell / side][cell % side];
			*contexts++ = (uint8_t)(entry % TABLES);
			*symbols++ = (uint8_t)(entry / TABLES);
		}
	}
	return 0;
}
