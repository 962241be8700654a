/* The encoder's analysis transform: each channel is an 8x8 convolution of luma or of a colour difference with stride 8,
 * followed by a dead-zone quantizer. The first three channels are the means of the colour planes. Before they are
 * quantized, the *picture colour* is subtracted from them, which is a mean that many cells have.
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
	int32_t channels, side;  /* 3..64 channels of side * side coefficients, side 1..32 */
	int32_t bits;            /* fraction bits of inverse * weight, 32..56 */
	const uint8_t *colour;   /* [channels] input plane: 0 luma, 1 blue difference, 2 red difference */
	const int16_t *filters;  /* [channels][8][8], each -128..127; those of channels 0..2 are constant and above 0 */
	const uint32_t *inverse; /* [channels] inverse intervals, each below 2^30 */
	const uint32_t *weight;  /* [side][side] factor on the inverse step by position, each below 2^9 */
	const uint32_t *limit;   /* [channels] largest magnitude, 0..127 */
};

/* Transforms pixels [8 * side][8 * side][3] (red, green, blue) to coefficients [channels][side][side] and the picture
 * colour [3], each 0..255.
 *
 * A coefficient is sign(s) * min(|s| * inverse * weight >> bits, limit), where s is the filter's sum over its colour
 * plane; of channel c = 0..2 it is the sum less (colour[c] - 127) * 64 * tap. Colour planes are rounded to integers,
 * all -127..128 (ITU-R BT.601): luma (77 r + 150 g + 29 b + 128 >> 8) - 127, blue difference (-43 r - 85 g + 128 b +
 * 128) >> 8, red difference (128 r - 107 g - 21 b + 128) >> 8. The picture colour is the level which has the most cells
 * around it. It lies in the middle of the cells' levels where the limit would change a coefficient otherwise. */
void pnc_analysis_run(const struct pnc_analysis_model *model, const uint8_t *pixels, int8_t *coefficients,
		      uint8_t *colour);

#endif
