/* The encoder's network of pnc-v2: a convolution of 8x8 pixels with stride 8, then a dead-zone quantizer.
 *
 * All arithmetic is on integers: every machine makes the same coefficients. Nothing here allocates, keeps state, or
 * reads a clock; all of it may be called from any thread. */
#ifndef PNC_ANALYSIS_H
#define PNC_ANALYSIS_H

#include <stdint.h>

/* Pixels of a cell's side; taps of a filter (8 * 8 * 3); what is taken off a pixel. */
enum {
	PNC_ANALYSIS_CELL = 8,
	PNC_ANALYSIS_TAPS = 192,
	PNC_ANALYSIS_MIDDLE = 127
};

/* A shipped network. */
struct pnc_analysis_model {
	int32_t channels, side;  /* 1..64 channels of side * side coefficients, side 1..32 */
	int32_t bits;            /* after the point of inverse * weight, 32..62 */
	const int16_t *filters;  /* [channels][8][8][3], each -128..127 */
	const uint32_t *inverse; /* [channels] inverse steps, each below 2^30 */
	const uint32_t *weight;  /* [side][side] times this, each below 2^9 */
	const uint32_t *limit;   /* [channels] magnitudes are at most this, 0..127 */
};

/* pixels [8 * side][8 * side][3] -> coefficients [channels][side][side], each sign(s) * (|s| * inverse * weight >>
 * bits) of the filter's sum s over pixels less 127. */
void pnc_analysis_run(const struct pnc_analysis_model *model, const uint8_t *pixels, int8_t *coefficients);

#endif
