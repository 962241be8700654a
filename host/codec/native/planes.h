/* Embedded entropy coder: quantized coefficients of a stack of square channels <-> packets of nested bit-planes.
 *
 * Magnitudes are below 2^planes. A *coding pass* codes one bit-plane of one channel, row by row; passes follow each
 * other in the model's order. In a pass over plane p, a coefficient that is still zero gets a symbol of three: zero, or
 * significant with the expected or the other sign. A significant coefficient gets one refinement bit. Symbols are coded
 * by a range coder (G. Martin, 1979) with static tables. The context, which selects the table, is made of an expected
 * value and an uncertainty. Both are linear in the partial reconstructions around the coefficient: its own channel on
 * all sides (west and north as of this pass), all other channels at the same position, and the first few channels
 * beside it. A *blank* stream, in which no coefficient is significant so far, has a table of its own from pass `blank`
 * on, so that a plain picture takes a few bytes. All arithmetic is on integers, so every machine writes the same bytes.
 *
 * A packet begins at a pass row (row r of pass i is pass row i * side + r) and needs all packets before it. It carries
 * no length: it holds the symbols that follow from its bytes whatever bytes might come after them. So a packet may be
 * cut at any byte, and still gives every symbol that the remaining bytes decide.
 *
 * These functions allocate no memory, keep no state and may be called from any thread. */
#ifndef PNC_PLANES_H
#define PNC_PLANES_H

#include <stddef.h>
#include <stdint.h>

/* Bits of a table's total frequency; neighbours in the channel itself (W, NW, N, NE, then E, SW, S, SE); leading
 * channels whose neighbours are inputs of all other channels, and how many (W, E, N, S); number of contexts by distance
 * of the expected value from zero, by its distance from the middle of the interval, and by uncertainty. */
enum {
	PNC_PLANES_BITS = 15,
	PNC_PLANES_NEAR = 8,
	PNC_PLANES_LEADS = 5,
	PNC_PLANES_SIDES = 4,
	PNC_PLANES_FAR = 7,
	PNC_PLANES_SHIFTS = 9,
	PNC_PLANES_SPREADS = 16
};

/* Why a call returned a negative number. */
enum pnc_planes_error {
	PNC_PLANES_BAD_MODEL = -1,    /* the model violates a rule of its fields */
	PNC_PLANES_BAD_POSITION = -2, /* the pass row lies outside the stream */
	PNC_PLANES_NO_ROOM = -3,      /* not even one pass row fits the packet */
	PNC_PLANES_UNSOUND = -4       /* no encoder writes these bytes at this row */
};

/* The weights and tables of a coder. inputs = 8 + channels + 5 * 4. A *partial reconstruction* is four times the middle
 * of the interval that the decoded planes leave for a coefficient, 0 while it is zero. In 1/1024 of a step, expected
 * value = sum(mean * reconstruction) and uncertainty = base + sum(spread * |reconstruction|). */
struct pnc_planes_model {
	int32_t channels, side; /* 5..64 channels of side * side coefficients, side 1..32 */
	int32_t planes, passes; /* 1..7 planes; 1..channels * planes passes */
	int32_t blank;          /* first pass with the table of blank streams, at least 0; `passes` for none */
	const uint8_t *order;   /* [passes][2] channel and plane; the planes of a channel come in falling order */
	const uint8_t *top;     /* [channels] number of planes, 1..planes: magnitudes are below 2^top */
	const int16_t *mean;    /* [passes][inputs], each -8192..8192 */
	const int16_t *spread;  /* [passes][inputs], each 0..8192 */
	const int32_t *base;    /* [passes], each 0..2^20 */
	const uint16_t *zero;   /* [passes][7][16][2] cumulative frequencies of zero and of the expected sign */
	const uint16_t
		*more; /* [passes][9][16] cumulative frequency of the lower half; all are strictly rising in 0..2^15 */
};

/* Returns 0 if the model keeps all rules of its fields, else PNC_PLANES_BAD_MODEL. The other functions take only models
 * that passed this check. */
int32_t pnc_planes_check(const struct pnc_planes_model *model);

/* Size of a state in values, channels * (side + 2)^2, all zero at the start of a stream; number of inputs of a context.
 */
int32_t pnc_planes_state_size(const struct pnc_planes_model *model);
int32_t pnc_planes_inputs(const struct pnc_planes_model *model);

/* Writes to `state` the partial reconstructions of coefficients [channels][side][side] at the start of pass row `row`.
 * Returns 0 or an error. */
int32_t pnc_planes_state_at(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t row,
			    int16_t *state);

/* The fewest bytes that hold any pass row, whatever its symbols: 56 for a side of 28, 64 for one of 32. */
int32_t pnc_planes_least_room(const struct pnc_planes_model *model);

/* A symbol's part of its cumulative table. */
struct pnc_planes_interval {
	uint16_t start, size;
};

/* Encodes pass rows from `row` on, as many as `room` bytes (pnc_planes_least_room..4096) decide. Scratch: `state` has
 * the size of a state, `intervals` side * side * passes
 * intervals. `out` has room + 8 bytes. Writes *length bytes to `out`
 * and returns the number of whole rows in them (at least 1), or an error. */
int32_t pnc_planes_encode(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t row, int16_t *state,
			  struct pnc_planes_interval *intervals, uint8_t *out, size_t room, size_t *length);

/* A packet of a stream: its first pass row, the number of whole rows in it, and its length in bytes. */
struct pnc_planes_packet {
	int32_t row, rows, length;
};

/* Encodes a stream from pass row `row` on: up to `most` consecutive packets, each equal to that of pnc_planes_encode,
 * and, unless the stream ends in them, the first `rest` bytes of the packet after them (fewer than `room`; 0: nothing).
 * Such a beginning counts as no rows. Coding can go on later, at the row after the last whole packet, and gives the
 * same packets as coding at once. The packet at row 0 has `head` bytes fewer. `out` has (most + 1) * room + 8 bytes,
 * packet i begins at out + i * room, that at row 0 `head` bytes later; `packets` has most + 1 elements. Returns the
 * number of packets, with the beginning, or an error. */
int32_t pnc_planes_packetize(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t row,
			     int32_t most, size_t rest, int16_t *state, struct pnc_planes_interval *intervals,
			     size_t room, size_t head, uint8_t *out, struct pnc_planes_packet *packets);

/* Decodes the packet in[0..length), which begins at pass row `row`, into `state`, which must be the state at that row.
 * rows: the number of whole rows that the packet must hold (`state` is then that at row + rows), or -1 to decode every
 * symbol that is decided. Returns the number of decoded symbols, or an error, after which `state` is undefined. Any
 * bytes are safe; the work is bounded by the size of the stream. */
int32_t pnc_planes_decode(const struct pnc_planes_model *model, const uint8_t *in, size_t length, int32_t row,
			  int32_t rows, int16_t *state);

/* Writes the context and the symbol of each coefficient in each pass, on which tables are fitted. A context is an index
 * into zero's [7][16], or 7 * 16 + an index into more's [9][16]. A symbol is 0 zero, 1 expected sign, 2 other sign; or
 * 0 lower half, 1 upper half. The table of blank streams is left out of account. Returns 0 or an error. */
int32_t pnc_planes_contexts(const struct pnc_planes_model *model, const int8_t *coefficients, int16_t *state,
			    uint8_t *contexts, uint8_t *symbols);

#endif
