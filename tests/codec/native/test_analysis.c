/* The analysis transform against the formulas of its header, computed one by one. */
#include <stdlib.h>

#include "analysis.h"
#include "check.h"

enum {
	SIDE = 20,
	CHANNELS = 7,
	CELL = PNC_ANALYSIS_CELL,
	TAPS = PNC_ANALYSIS_TAPS,
	MIDDLE = PNC_ANALYSIS_MIDDLE
};

static uint8_t pixels[CELL * SIDE * CELL * SIDE * 3];
static uint8_t colour_of[CHANNELS];
static int16_t filters[CHANNELS * TAPS];
static uint32_t inverse[CHANNELS], weight[SIDE * SIDE], limit[CHANNELS];
static int8_t is[CHANNELS * SIDE * SIDE];
static uint8_t colour[PNC_ANALYSIS_COLOURS];
static struct pnc_analysis_model model;
static uint32_t seed;

static int32_t between(int32_t least, int32_t most)
{
	return least + (int32_t)(check_random(&seed) % (uint32_t)(most - least + 1));
}

/* Means in channels 0 to 2; then filters of each symmetry and one of none. */
static void start(int32_t side, int32_t step)
{
	seed = (uint32_t)(side * 97 + step);
	for (int32_t c = 0; c < CHANNELS; c++) {
		colour_of[c] = (uint8_t)(c % PNC_ANALYSIS_COLOURS);
		inverse[c] = (1u << 29) / (uint32_t)(step * between(1, 9));
		limit[c] = (uint32_t)between(1, 127);
		const int16_t mean = (int16_t)between(1, 127);
		for (int32_t y = 0; y < CELL / 2; y++) {
			for (int32_t x = 0; x < CELL / 2; x++) {
				const int32_t tap = c < PNC_ANALYSIS_COLOURS ? mean : between(-127, 127);
				const int32_t odd_x = (c - PNC_ANALYSIS_COLOURS) % 2 != 0 && c > 2 ? -1 : 1;
				const int32_t odd_y = (c - PNC_ANALYSIS_COLOURS) / 2 != 0 && c > 2 ? -1 : 1;
				int16_t *filter = filters + c * TAPS;
				filter[y * CELL + x] = (int16_t)tap;
				filter[y * CELL + CELL - 1 - x] = (int16_t)(odd_x * tap);
				filter[(CELL - 1 - y) * CELL + x] = (int16_t)(odd_y * tap);
				filter[(CELL - 1 - y) * CELL + CELL - 1 - x] = (int16_t)(odd_x * odd_y * tap);
			}
		}
	}
	for (int32_t i = 0; i < side * side; i++) {
		weight[i] = (uint32_t)between(1, 511);
	}
	for (int32_t i = 0; i < CELL * side * CELL * side * 3; i++) {
		pixels[i] = (uint8_t)between(0, 255);
	}
	model = (struct pnc_analysis_model){CHANNELS, side, 40, colour_of, filters, inverse, weight, limit};
}

/* A filter's sum over its colour plane. */
static int32_t sum_of(int32_t c, int32_t y, int32_t x)
{
	int32_t sum = 0;
	for (int32_t i = 0; i < TAPS; i++) {
		const uint8_t *p = pixels + ((y * CELL + i / CELL) * model.side * CELL + x * CELL + i % CELL) * 3;
		const int32_t r = p[0], g = p[1], b = p[2];
		const int32_t planes[] = {((77 * r + 150 * g + 29 * b + 128) >> 8) - MIDDLE,
					  (-43 * r - 85 * g + 128 * b + 128) >> 8,
					  (128 * r - 107 * g - 21 * b + 128) >> 8};
		sum += planes[colour_of[c]] * filters[c * TAPS + i];
	}
	return sum;
}

static int32_t quantized(int32_t sum, int32_t c, int32_t at)
{
	const uint64_t size = (uint64_t)(uint32_t)abs(sum) * inverse[c] * weight[at] >> model.bits;
	const int32_t kept = (int32_t)(size < limit[c] ? size : limit[c]);
	return sum < 0 ? -kept : kept;
}

static void check(void)
{
	const int32_t side = model.side;
	pnc_analysis_run(&model, pixels, is, colour);
	for (int32_t i = 0; i < CHANNELS * side * side; i++) {
		const int32_t c = i / (side * side), at = i % (side * side);
		int32_t sum = sum_of(c, at / side, at % side);
		if (c < PNC_ANALYSIS_COLOURS) {
			sum -= (colour[c] - MIDDLE) * 64 * filters[c * TAPS];
		}
		CHECK_EQ(is[i], quantized(sum, c, at));
	}
}

TEST(test_coefficients_follow_the_formula)
{
	for (int32_t side = 1; side <= SIDE; side += side < 4 ? 1 : 5) {
		for (int32_t step = 1; step <= 4000; step *= 20) {
			start(side, step);
			check();
		}
	}
}

TEST(test_a_filter_without_symmetry_follows_it_too)
{
	for (int32_t kind = 0; kind < 3; kind++) {
		start(5, 30);
		filters[4 * TAPS + 9] = 100;
		filters[5 * TAPS] = (int16_t)(filters[5 * TAPS] / 2 + 1);
		if (kind == 1) { /* even from top to bottom, and nothing from left to right */
			for (int32_t i = 0; i < TAPS; i++) {
				filters[6 * TAPS + i] = (int16_t)(i % CELL * i % CELL);
			}
			for (int32_t i = 0; i < TAPS / 2; i++) {
				filters[6 * TAPS + (CELL - 1 - i / CELL) * CELL + i % CELL] = filters[6 * TAPS + i];
			}
		} else if (kind == 2) { /* even from left to right, and nothing from top to bottom */
			for (int32_t i = 0; i < TAPS; i++) {
				const int32_t x = i % CELL < CELL / 2 ? i % CELL : CELL - 1 - i % CELL;
				filters[6 * TAPS + i] = (int16_t)(i / CELL * 11 + x);
			}
		}
		check();
	}
}

TEST(test_the_picture_colour_is_the_level_of_most_cells)
{
	start(8, 4000);
	for (int32_t c = 0; c < 3; c++) {
		limit[c] = 127;
		inverse[c] = 1;
	}
	for (int32_t i = 0; i < CELL * 8 * CELL * 8; i++) {
		const uint8_t grey = i < CELL * 8 * CELL * 5 ? 200 : 20;
		memset(pixels + 3 * i, grey, 3);
	}
	check();
	CHECK_EQ(colour[0], 200);
	CHECK_EQ(colour[1], MIDDLE);
	CHECK_EQ(colour[2], MIDDLE);
}

TEST(test_the_picture_colour_lies_in_the_middle_where_the_limit_would_cut)
{
	start(4, 1);
	limit[0] = 1;
	for (int32_t i = 0; i < CELL * 4 * CELL * 4; i++) {
		const uint8_t grey = i < CELL * 4 * CELL * 3 ? 240 : 0;
		memset(pixels + 3 * i, grey, 3);
	}
	check();
	CHECK_EQ(colour[0], 120);
}

TEST(test_black_and_white_are_the_ends_of_the_levels)
{
	for (int32_t white = 0; white < 2; white++) {
		start(2, 10);
		memset(pixels, white ? 255 : 0, sizeof(pixels));
		check();
		CHECK_EQ(colour[0], white ? 255 : 0);
	}
}
