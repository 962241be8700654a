/* The encoder's analysis transform: each channel is an 8x8 convolution of luma or of a colour difference with stride 8,
 * followed by a dead-zone quantizer.
 *
 * All arithmetic is on integers, so every machine computes the same coefficients. The function allocates no memory,
 * keeps no state and may be called from any thread. */
#ifndef PNC_ANALYSIS_H
#define PNC_ANALYSIS_H

#include <stdint.h>

/* Side of a cell in pixels; taps of a filter (8 * 8); colour planes (luma, blue and red difference); the value
 * subtracted from luma. */
enum {
	PNC_ANALYSIS_CELL = 8,
	PNC_ANALYSIS_TAPS = 64,
	PNC_ANALYSIS_COLOURS = 3,
	PNC_ANALYSIS_MIDDLE = 127
};

/* The weights of a transform. */
struct pnc_analysis_model {
	int32_t channels, side;  /* 1..64 channels of side * side coefficients, side 1..32 */
	int32_t bits;            /* fraction bits of inverse * weight, 32..62 */
	const uint8_t *colour;   /* [channels] input plane: 0 luma, 1 blue difference, 2 red difference */
	const int16_t *filters;  /* [channels][8][8], each -128..127 */
	const uint32_t *inverse; /* [channels] inverse intervals, each below 2^30 */
	const uint32_t *weight;  /* [side][side] factor on the inverse step by position, each below 2^9 */
	const uint32_t *limit;   /* [channels] largest magnitude, 0..127 */
};

/* Transforms pixels [8 * side][8 * side][3] (red, green, blue) to coefficients [channels][side][side].
 *
 * A coefficient is sign(s) * min(|s| * inverse * weight >> bits, limit), where s is the filter's sum over its colour
 * plane. Colour planes are rounded to integers, all -127..128 (ITU-R BT.601): luma (77 r + 150 g + 29 b + 128 >> 8) -
 * 127, blue difference (-43 r - 85 g + 128 b + 128) >> 8, red difference (128 r - 107 g - 21 b + 128) >> 8. */
void pnc_analysis_run(const struct pnc_analysis_model *model, const uint8_t *pixels, int8_t *coefficients);

#endif
