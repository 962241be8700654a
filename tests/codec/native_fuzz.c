/* Run under ASan and UBSan: every buffer is as small as the contract allows, every packet and row is tried damaged.
 * Exits 0 if all sound packets came back and nothing was out of bounds. Prints a sum over all that was made, which is
 * the same however this was compiled, and on every processor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "planes.h"

enum {
	CHANNELS = 6,
	MOST_SIDE = 19,
	PLANES = 7,
	INPUTS = PNC_PLANES_NEAR + CHANNELS + PNC_PLANES_LEADS * PNC_PLANES_SIDES,
	MOST = CHANNELS * PLANES,
	ZEROS = PNC_PLANES_FAR * PNC_PLANES_SPREADS,
	MORES = PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS
};

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static int32_t random_order(uint8_t *order, uint8_t *top)
{
	int32_t left[CHANNELS], passes = 0, all = 0;
	for (int c = 0; c < CHANNELS; c++) {
		top[c] = (uint8_t)(1 + any(PLANES));
		left[c] = top[c];
		all += top[c];
	}
	while (passes < all) {
		const uint32_t c = any(CHANNELS);
		if (left[c] == 0)
			continue;
		order[2 * passes] = (uint8_t)c;
		order[2 * passes + 1] = (uint8_t)--left[c];
		passes++;
	}
	return passes;
}

static uint32_t sum = 2166136261u;

/* Fowler-Noll-Vo hash, FNV-1a. */
static void count_in(const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * 16777619u;
}

/* Mirrors a filter's upper left quarter, with or without changed signs: so are cosines, which have faster code. */
static void mirror(int16_t *filter)
{
	const int odd_y = any(2) ? -1 : 1, odd_x = any(2) ? -1 : 1;
	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 4; x++) {
			const int tap = filter[8 * y + x] < -127 ? -127 : filter[8 * y + x];
			filter[8 * y + x] = (int16_t)tap;
			filter[8 * y + 7 - x] = (int16_t)(odd_x * tap);
			filter[8 * (7 - y) + x] = (int16_t)(odd_y * tap);
			filter[8 * (7 - y) + 7 - x] = (int16_t)(odd_y * odd_x * tap);
		}
}

/* Coefficients of noise, with filters, steps and weights as large as they may be. */
static void analyse(int32_t side)
{
	static uint8_t pixels[8 * MOST_SIDE * 8 * MOST_SIDE * 3];
	static int16_t filters[CHANNELS * PNC_ANALYSIS_TAPS];
	static uint32_t inverse[CHANNELS], weight[MOST_SIDE * MOST_SIDE], limit[CHANNELS];
	static int8_t coefficients[CHANNELS * MOST_SIDE * MOST_SIDE];
	static uint8_t colour[CHANNELS], picture_colour[PNC_ANALYSIS_COLOURS];
	const struct pnc_analysis_model m = {CHANNELS, side, 40, colour, filters, inverse, weight, limit};
	for (int i = 0; i < 8 * side * 8 * side * 3; i++)
		pixels[i] = (uint8_t)any(256);
	for (int i = 0; i < CHANNELS * PNC_ANALYSIS_TAPS; i++)
		filters[i] = (int16_t)((int32_t)any(256) - 128);
	for (int c = 1; c < CHANNELS; c++)
		mirror(filters + c * PNC_ANALYSIS_TAPS);
	for (size_t i = 0; i < CHANNELS; i++)
		colour[i] = (uint8_t)any(PNC_ANALYSIS_COLOURS);
	for (int i = 0; i < PNC_ANALYSIS_COLOURS; i++) {
		colour[i] = (uint8_t)i;
		const int16_t tap = (int16_t)(1 + any(127));
		for (int k = 0; k < PNC_ANALYSIS_TAPS; k++)
			filters[i * PNC_ANALYSIS_TAPS + k] = tap;
	}
	for (int i = 0; i < CHANNELS; i++) {
		/* Compilers choose which of two calls in an expression comes first. */
		const uint32_t less = 1 + any(40);
		inverse[i] = any(1u << 30) / less;
		limit[i] = (1u << (1 + any(PLANES))) - 1;
	}
	for (int i = 0; i < side * side; i++)
		weight[i] = any(512);
	pnc_analysis_run(&m, pixels, coefficients, picture_colour);
	count_in(picture_colour, sizeof(picture_colour));
	count_in(coefficients, (size_t)(CHANNELS * side * side));
}

/* Takes the number of rounds; 1500 without an argument. */
int main(int count, char **arguments)
{
	static uint8_t order[2 * MOST], top[CHANNELS];
	static int16_t mean[MOST * INPUTS], spread[MOST * INPUTS];
	static int32_t base[MOST];
	static uint16_t zero[MOST * ZEROS * 2], more[MOST * MORES];
	const int rounds = count > 1 ? atoi(arguments[1]) : 1500;
	int sound = 0, refused = 0;
	for (int round = 0; round < rounds; round++) {
		/* The larger side has vector code. */
		const int32_t side = round % 8 ? 7 : MOST_SIDE;
		struct pnc_planes_model m = {CHANNELS, side, PLANES, 0, 0, order, top, mean, spread, base, zero, more};
		m.passes = random_order(order, top);
		m.blank = (int32_t)any(MOST);
		const uint32_t weight = round % 2 ? 8192 : 90;
		for (int i = 0; i < m.passes * INPUTS; i++) {
			mean[i] = (int16_t)((int32_t)any(2 * weight + 1) - (int32_t)weight);
			spread[i] = (int16_t)any(weight + 1);
		}
		for (int i = 0; i < m.passes; i++)
			base[i] = (int32_t)any((1u << 20) + 1);
		for (int i = 0; i < m.passes * ZEROS; i++) {
			zero[2 * i] = (uint16_t)(1 + any(round % 3 ? 32000 : 3));
			zero[2 * i + 1] = (uint16_t)(zero[2 * i] + 1 + any(700));
		}
		for (int i = 0; i < m.passes * MORES; i++)
			more[i] = (uint16_t)(1 + any(32767));
		if (pnc_planes_check(&m) != 0 || pnc_planes_inputs(&m) != INPUTS)
			return 1;
		const size_t values = (size_t)pnc_planes_state_size(&m);
		const int32_t rows = m.passes * side, row = (int32_t)any((uint32_t)rows);
		int8_t *coefficients = malloc((size_t)(CHANNELS * side * side));
		for (int i = 0; i < CHANNELS * side * side; i++) {
			/* Some streams are blank until their last passes or to their end. */
			const uint32_t less = round % 5 ? any(8) : 6 + any(2);
			const int32_t size = (int32_t)(any(1u << top[i / (side * side)]) >> less);
			coefficients[i] = (int8_t)(any(2) ? size : -size);
		}
		int16_t *state = malloc(values * sizeof(*state)), *back = malloc(values * sizeof(*back));
		int16_t *after = malloc(values * sizeof(*after));
		struct pnc_planes_interval *steps = malloc(sizeof(*steps) * (size_t)(rows * side));
		const size_t room = (size_t)pnc_planes_least_room(&m) + any(200);
		uint8_t *out = malloc(room + 8);
		size_t length = 0;
		const int32_t held = pnc_planes_encode(&m, coefficients, row, state, steps, out, room, &length);
		if (held < 1 || length > room)
			return 2;
		uint8_t *packet = malloc(length);
		memcpy(packet, out, length);
		if (pnc_planes_state_at(&m, coefficients, row, back) != 0 ||
		    pnc_planes_decode(&m, packet, length, row, held, back) != held * side ||
		    pnc_planes_state_at(&m, coefficients, row + held, after) != 0 ||
		    memcmp(back, after, values * sizeof(*back)) != 0)
			return 3;
		sound++;
		count_in(out, length);
		analyse(side);
		for (int i = 0; i < 20; i++) {
			const uint32_t damaged = any((uint32_t)length);
			packet[damaged] ^= (uint8_t)(1u << any(8));
			const size_t cut = i % 2 ? length : any((uint32_t)length + 1);
			const int32_t where = (int32_t)any((uint32_t)rows + 4) - 2;
			const int32_t wanted = (int32_t)any((uint32_t)rows + 3) - 2;
			memset(back, 0, values * sizeof(*back));
			const int32_t got = pnc_planes_decode(&m, packet, cut, where, wanted, back);
			if (got > 0 && got > (rows - where) * side)
				return 4;
			refused += got < 0;
			count_in((const uint8_t[]){(uint8_t)got, (uint8_t)((uint32_t)got >> 8)}, 2);
		}
		free(packet);
		free(out);
		free(steps);
		free(after);
		free(back);
		free(state);
		free(coefficients);
	}
	printf("%d sound, %d refused, sum %08x\n", sound, refused, (unsigned)sum);
	return 0;
}
