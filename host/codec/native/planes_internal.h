/* Shared by the files of the bit-plane coder: planes.c (model and state), planes_context.c (context model),
 * planes_symbols.c, planes_encode.c, planes_decode.c. Not part of the interface. */
#ifndef PNC_PLANES_INTERNAL_H
#define PNC_PLANES_INTERNAL_H

#include "planes.h"
#include "simd.h"

#define TOTAL (1u << PNC_PLANES_BITS)
#define MAX_SIDE 32
#define MAX_CHANNELS 64
#define MAX_PLANES 7
#define MAX_WIDTH (MAX_SIDE + 2)
#define MAX_AREA (MAX_WIDTH * MAX_WIDTH)
#define MAX_INPUTS (PNC_PLANES_NEAR + MAX_CHANNELS + PNC_PLANES_LEADS * PNC_PLANES_SIDES)
#define LOWEST_RANGE (1u << 24)
/* Neighbours that change during a pass: W, NW, N, NE. */
#define PASSED 4
#define ZERO_TABLES (PNC_PLANES_FAR * PNC_PLANES_SPREADS)
#define MORE_TABLES (PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS)
#define TABLES (ZERO_TABLES + MORE_TABLES)
#define SYMBOLS 3

/* Thresholds of the expected value and the uncertainty, in 1/1024 of the pass's step. The vector code in
 * planes_symbols.c depends on these very numbers. */
static const int16_t pnc_planes_far_thresholds[PNC_PLANES_FAR - 1] = {128, 256, 512, 768, 1024, 1536};
static const int16_t pnc_planes_shift_thresholds[PNC_PLANES_SHIFTS - 1] = {-4096, -2560, -1536, -768,
									   -256,  256,   768,   1536};
/* Half octaves from 1/16 to 8 steps. */
static const int16_t pnc_planes_spread_thresholds[PNC_PLANES_SPREADS - 1] = {
	64, 91, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896, 4096, 5793, 8192};

/* Cumulative frequencies of a symbol of a blank stream: a zero, or the last two of 2^15 parts. */
static const uint16_t pnc_planes_blank_table[2] = {TOTAL - 2, TOTAL - 1};

/* In a state each channel has a frame of zeros, one wide. */
static inline int32_t width_of(const struct pnc_planes_model *m)
{
	return m->side + 2;
}

static inline int32_t area_of(const struct pnc_planes_model *m)
{
	return width_of(m) * width_of(m);
}

/* The coefficients of a channel of a state lie at first_of ... end_of - 1, with parts of the frame between rows. */
static inline int32_t first_of(const struct pnc_planes_model *m)
{
	return width_of(m) + 1;
}

static inline int32_t end_of(const struct pnc_planes_model *m)
{
	return area_of(m) - width_of(m) - 1;
}

/* v, or -v if `sign` is negative. Branch-free, so that compilers vectorize loops that call it. */
SIMD_INLINE int32_t signed_as(int32_t sign, int32_t v)
{
	const int32_t flip = -(sign < 0);
	return (v ^ flip) - flip;
}

SIMD_INLINE int32_t magnitude(int32_t v)
{
	return signed_as(v, v);
}

/* v / 2^bits, rounded towards zero. */
SIMD_INLINE int32_t scaled(int32_t v, int32_t bits)
{
	return signed_as(v, magnitude(v) >> bits);
}

/* Inputs of the context model with their weights, used in pairs. An odd `count` is followed by one input of weight
 * zero.
 */
struct pnc_planes_terms {
	int32_t count;
	const int16_t *from[MAX_INPUTS + 1]; /* the input at the first position of a channel, first_of */
	int16_t mean[MAX_INPUTS + 1], spread[MAX_INPUTS + 1];
};

/* Inputs of a pass with a weight in both sums, and those with a weight in the expected value only; the uncertainty
 * without any input. */
struct pnc_planes_inputs {
	struct pnc_planes_terms both, means;
	int32_t base;
};

/* A coding pass as the decoder needs it: the sums over all inputs that do not change during the pass, by position in a
 * channel of a state. */
struct pnc_planes_pass {
	int32_t channel, plane, index;
	const int16_t *mean, *spread;
	int16_t *own; /* the channel in the state */
	int32_t expected[MAX_AREA], uncertain[MAX_AREA];
};

/* What the context model keeps from pass to pass: bit c of `nonzero` is 1 if channel c of the state has a value other
 * than zero; where each input lies. */
struct pnc_planes_context {
	uint64_t nonzero;
	const int16_t *from[MAX_INPUTS];
};

void pnc_planes_start(const struct pnc_planes_model *model, const int16_t *state, struct pnc_planes_context *context);

/* Lists the inputs of a pass. Those that change during the pass come from `refined`, the channel as it is after the
 * pass, or are left out if that is NULL. Channels that are not `nonzero` count as zero. */
void pnc_planes_find_inputs(const struct pnc_planes_model *model, int32_t index, struct pnc_planes_context *context,
			    const int16_t *refined, struct pnc_planes_inputs *inputs);

/* Begins a pass of the decoder. */
void pnc_planes_begin_pass(const struct pnc_planes_model *model, int32_t index, int16_t *state,
			   struct pnc_planes_context *context, struct pnc_planes_pass *pass);

/* Adds the weighted inputs at positions first_of + from ... + count - 1 to the sums that start at 0 and at the base. */
void pnc_planes_sum_scalar(const struct pnc_planes_inputs *inputs, ptrdiff_t from, ptrdiff_t count,
			   int32_t *restrict expected, int32_t *restrict uncertain);

/* Writes the partial reconstruction of rows first ... end - 1 of coefficients [side][side], whose lowest `missing`
 * bit-planes are missing, to those rows of a channel of a state. */
void pnc_planes_reconstruct(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t first,
			    int32_t end, int32_t missing, int16_t *to);

/* Writes symbol * TABLES + context (see pnc_planes_contexts) for each position of the rows of a pass from `row` on.
 * `before` and `after` are the channel before and after the pass. */
void pnc_planes_entries(const struct pnc_planes_model *model, const struct pnc_planes_inputs *inputs, int32_t plane,
			int32_t row, const int16_t *before, const int16_t *after, uint16_t (*entries)[MAX_SIDE]);

#endif
