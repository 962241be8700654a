/* Entropy coder of pnc-v2: whole coefficients of a stack of square channels <-> packets of nested bit-planes.
 *
 * A coefficient's magnitude is below 2^planes. A *piece* is one bit-plane of one channel; pieces are sent in the
 * model's order, each row by row. In a piece of plane p a coefficient of which nothing but zeros is known says whether
 * it reaches 2^p, and its sign; one that is known to be more says one bit more. Each of these is a *symbol*, coded by a
 * range coder (G. Martin, 1979) with a static table. The table is chosen by an expected value and an uncertainty,
 * linear in what is known around: the channel itself on all sides (west and north in this piece already), all channels
 * at the same place, and the first few channels beside it. All arithmetic is on integers: every machine makes the same
 * bytes.
 *
 * A packet begins at a row of a piece, and needs every packet before it. It carries no length: its symbols are those
 * that follow from its bytes whatever bytes might come after them. So a packet that was cut short, anywhere, gives all
 * symbols that its bytes decide.
 *
 * Nothing here allocates, keeps state, or reads a clock; all of it may be called from any thread. */
#ifndef PNC_PLANES_H
#define PNC_PLANES_H

#include <stddef.h>
#include <stdint.h>

/* Bits of a table's total; neighbours in the channel itself (W, NW, N, NE, then E, SW, S, SE); channels that others see
 * beside them, and on how many sides (W, E, N, S); a table's choices: by how far the expected value lies from zero or
 * from the middle of the interval, and by the uncertainty. */
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
	PNC_PLANES_BAD_MODEL = -1,    /* the model breaks a rule stated at its fields */
	PNC_PLANES_BAD_POSITION = -2, /* the row is not inside the stream */
	PNC_PLANES_NO_ROOM = -3,      /* not even one row of symbols fits the packet */
	PNC_PLANES_UNSOUND = -4       /* no encoder writes these bytes here: damaged, or from elsewhere */
};

/* A shipped model. inputs = 8 + channels + 5 * 4. A value is four times the middle of what is known of a coefficient, 0
 * where only zeros are known. In 1/1024 of a step: expected value = sum(mean * value), uncertainty = base +
 * sum(spread * |value|). */
struct pnc_planes_model {
	int32_t channels, side; /* 5..64 channels of side * side coefficients, side 1..32 */
	int32_t planes, pieces; /* 1..7 planes; 1..channels * planes pieces */
	const uint8_t *order;   /* [pieces][2] channel and plane; a channel's planes come from the highest down */
	const uint8_t *top;     /* [channels] planes of a channel, 1..planes: magnitudes are below 2^top */
	const int16_t *mean;    /* [pieces][inputs], each -8192..8192 */
	const int16_t *spread;  /* [pieces][inputs], each 0..8192 */
	const int32_t *base;    /* [pieces], each 0..2^20 */
	const uint16_t *zero;   /* [pieces][7][16][2] cumulative: end of "still zero", end of "as the expected sign" */
	const uint16_t *more;   /* [pieces][9][16] end of "the lower half"; all ends rise strictly inside 0..2^15 */
};

/* 0 if the model keeps all its rules, else PNC_PLANES_BAD_MODEL. The other calls take only models that passed. */
int32_t pnc_planes_check(const struct pnc_planes_model *model);

/* Values that a state holds: channels * (side + 2)^2, all zero at the start of a stream; inputs of a context. */
int32_t pnc_planes_state_size(const struct pnc_planes_model *model);
int32_t pnc_planes_inputs(const struct pnc_planes_model *model);

/* What is known at `row` (of pieces * side) of coefficients [channels][side][side], into state. Returns 0 or an error.
 */
int32_t pnc_planes_state_at(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t row,
			    int16_t *state);

/* Codes rows from `row` on, as many as `room` (64..4096) bytes decide. state: room for a state; steps: room for side *
 * side * pieces words; out: room + 8 bytes. Writes *length bytes to out and returns how many whole rows they hold (at
 * least 1), or an error. */
int32_t pnc_planes_encode(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t row, int16_t *state,
			  uint32_t *steps, uint8_t *out, size_t room, size_t *length);

/* A packet of a stream: the row that it begins at, and its bytes. */
struct pnc_planes_packet {
	int32_t row, length;
};

/* Codes a whole stream as packets that follow each other, each as pnc_planes_encode makes it, or only the first `most`
 * of them. out: most * room + 8 bytes; packet i stands at out + i * room. Returns how many there are, or an error. */
int32_t pnc_planes_pack(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t most, int16_t *state,
			uint32_t *steps, size_t room, uint8_t *out, struct pnc_planes_packet *packets);

/* Decodes the packet in[0..length) that begins at `row` into state, which must hold what is known there. rows: how many
 * whole rows it must hold, after which state stands at row + rows; or -1: every symbol that is decided. Returns how
 * many symbols were decoded, or an error, after which state holds nothing of use. Takes any bytes; the work is bounded
 * by the stream. */
int32_t pnc_planes_decode(const struct pnc_planes_model *model, const uint8_t *in, size_t length, int32_t row,
			  int32_t rows, int16_t *state);

/* What the tables are fitted on. For each symbol of a whole stream: its context (index into zero's [7][16], or 7 * 16 +
 * index into more's [9][16]) and symbol (0 zero, 1 as expected, 2 against; 0 lower, 1 upper). Returns 0 or an error. */
int32_t pnc_planes_survey(const struct pnc_planes_model *model, const int8_t *coefficients, int16_t *state,
			  uint8_t *contexts, uint8_t *symbols);

#endif
