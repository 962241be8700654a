/* The encoder's network of pnc-v2: each channel a convolution of 8x8 pixels of luma or a colour difference with stride
 * 8, then a dead-zone quantizer.
 *
 * All arithmetic is on integers: every machine makes the same coefficients. Nothing here allocates, keeps state, or
 * reads a clock; all of it may be called from any thread. */
#ifndef PNC_ANALYSIS_H
#define PNC_ANALYSIS_H

#include <stdint.h>

/* Pixels of a cell's side; taps of a filter (8 * 8); luma, blue and red difference; what is taken off luma. */
enum {
	PNC_ANALYSIS_CELL = 8,
	PNC_ANALYSIS_TAPS = 64,
	PNC_ANALYSIS_COLOURS = 3,
	PNC_ANALYSIS_MIDDLE = 127
};

/* A shipped network. */
struct pnc_analysis_model {
	int32_t channels, side;  /* 1..64 channels of side * side coefficients, side 1..32 */
	int32_t bits;            /* after the point of inverse * weight, 32..62 */
	const uint8_t *colour;   /* [channels] what they see: 0 luma, 1 blue difference, 2 red difference */
	const int16_t *filters;  /* [channels][8][8], each -128..127 */
	const uint32_t *inverse; /* [channels] inverse steps, each below 2^30 */
	const uint32_t *weight;  /* [side][side] times this, each below 2^9 */
	const uint32_t *limit;   /* [channels] magnitudes are at most this, 0..127 */
};

/* pixels [8 * side][8 * side][3], red, green, blue -> coefficients [channels][side][side], each
 * sign(s) * (|s| * inverse * weight >> bits) of the filter's sum s over its colour's plane. Planes are rounded to whole
 * numbers: luma (77 r + 150 g + 29 b + 128 >> 8) - 127, blue difference (-43 r - 85 g + 128 b + 128) >> 8, red
 * difference (128 r - 107 g - 21 b + 128) >> 8 (ITU-R BT.601), all -127..128. */
void pnc_analysis_run(const struct pnc_analysis_model *model, const uint8_t *pixels, int8_t *coefficients);

#endif
