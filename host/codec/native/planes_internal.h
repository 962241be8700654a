/* What the parts of the plane coder share: planes.c (model and state), planes_context.c, planes_symbols.c,
 * planes_encode.c, planes_decode.c. Not for callers. */
#ifndef PNC_PLANES_INTERNAL_H
#define PNC_PLANES_INTERNAL_H

#include "simd.h"
#include "planes.h"

#ifdef WITH_AVX2
#include <immintrin.h>

/* Places that are taken at once. */
enum {
	LANES = 16
};

static inline WITH_AVX2 __m256i load(const void *from)
{
	return _mm256_loadu_si256((const __m256i *)from);
}
#endif

#define TOTAL (1u << PNC_PLANES_BITS)
#define MAX_SIDE 32
#define MAX_CHANNELS 64
#define MAX_PLANES 7
#define MAX_WIDTH (MAX_SIDE + 2)
#define MAX_AREA (MAX_WIDTH * MAX_WIDTH)
#define MAX_INPUTS (PNC_PLANES_NEAR + MAX_CHANNELS + PNC_PLANES_LEADS * PNC_PLANES_SIDES)
#define LOWEST_RANGE (1u << 24)
/* Neighbours that change while a piece is walked: W, NW, N, NE. */
#define PASSED 4
#define ZERO_TABLES (PNC_PLANES_FAR * PNC_PLANES_SPREADS)
#define MORE_TABLES (PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS)
#define TABLES (ZERO_TABLES + MORE_TABLES)
#define SYMBOLS 3

/* Expected value and uncertainty are compared with these, in 1/1024 of the piece's step (planes_symbols.c's lanes count
 * on what these numbers are). */
static const int16_t pnc_planes_far_ends[PNC_PLANES_FAR - 1] = {128, 256, 512, 768, 1024, 1536};
static const int16_t pnc_planes_shift_ends[PNC_PLANES_SHIFTS - 1] = {-4096, -2560, -1536, -768, -256, 256, 768, 1536};
/* Half octaves from 1/16 to 8 steps. */
static const int16_t pnc_planes_spread_ends[PNC_PLANES_SPREADS - 1] = {64,   91,   128,  181,  256,  362,  512, 724,
								       1024, 1448, 2048, 2896, 4096, 5793, 8192};

/* A state is a frame of zeros, one wide, around each channel. */
static inline int32_t width_of(const struct pnc_planes_model *m)
{
	return m->side + 2;
}

static inline int32_t area_of(const struct pnc_planes_model *m)
{
	return width_of(m) * width_of(m);
}

/* Coefficients stand at first_of ... end_of - 1 of a channel of a state, frame in between. */
static inline int32_t first_of(const struct pnc_planes_model *m)
{
	return width_of(m) + 1;
}

static inline int32_t end_of(const struct pnc_planes_model *m)
{
	return area_of(m) - width_of(m) - 1;
}

/* v, or -v where `sign` is negative. Without a branch, so that loops over it become vector code. */
IN_BOTH int32_t signed_as(int32_t sign, int32_t v)
{
	const int32_t flip = -(sign < 0);
	return (v ^ flip) - flip;
}

IN_BOTH int32_t magnitude(int32_t v)
{
	return signed_as(v, v);
}

/* v / 2^bits towards zero. */
IN_BOTH int32_t scaled(int32_t v, int32_t bits)
{
	return signed_as(v, magnitude(v) >> bits);
}

/* A piece: where it stands, and the sums over the inputs that were given, by place in a channel of a state. */
struct pnc_planes_piece {
	int32_t channel, plane, index;
	const int16_t *mean, *spread;
	int16_t *own; /* the channel in the state */
	int32_t expected[MAX_AREA], uncertain[MAX_AREA];
};

/* Which channels of a state hold anything but zeros, 0 or 1 each. */
void pnc_planes_find_used(const struct pnc_planes_model *model, const int16_t *state, uint8_t *used);

/* Starts a piece: sums over all inputs, those that change on the way taken from `walked`, the piece's channel as it
 * will be in the end, or left out if that is NULL. Channels that are not `used` are taken to be zero. */
void pnc_planes_open(const struct pnc_planes_model *model, int32_t index, int16_t *state, const uint8_t *used,
		     const int16_t *walked, struct pnc_planes_piece *piece);

/* What is known of rows first ... end - 1 of coefficients [side][side] when planes from `level` up are, into those rows
 * of a channel of a state. Returns whether any of it is not zero. */
int32_t pnc_planes_known(const struct pnc_planes_model *model, const int8_t *coefficients, int32_t first, int32_t end,
			 int32_t level, int16_t *to);

/* Slots, symbol * TABLES + context (see pnc_planes_survey), for each place of a piece that was opened with `walked`. */
void pnc_planes_symbols(const struct pnc_planes_model *model, const struct pnc_planes_piece *piece,
			const int16_t *walked, uint16_t *slots);

#endif
