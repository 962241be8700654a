/* Encodes the sample picture with the codec's weights; picture_program.py writes picture.h, which has both. Prints the
 * picture colour and the coder's bytes of each packet, a line a packet. Takes how often the picture is transformed and
 * how often it is coded; once without arguments. */
#include <stdio.h>
#include <stdlib.h>

#include "analysis.h"
#include "planes.h"

#include "picture.h"

static int8_t coefficients[CHANNELS * SIDE * SIDE];
static struct pnc_planes_interval intervals[PASSES * SIDE * SIDE];
static int16_t state[CHANNELS * (SIDE + 2) * (SIDE + 2)];
static struct pnc_planes_packet packets[PACKETS + 1];
static uint8_t out[(PACKETS + 1) * ROOM + 8], colour[PNC_ANALYSIS_COLOURS];

static void print(const uint8_t *bytes, int32_t count)
{
	for (int32_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
}

int main(int count, char **arguments)
{
	static const struct pnc_analysis_model transform = {CHANNELS,    SIDE,          FIXED_BITS,  plane_of,
							    all_filters, inverse_steps, all_weights, limits};
	static const struct pnc_planes_model coder = {CHANNELS, SIDE, PLANES, PASSES, BLANK, order,
						      top,      mean, spread, base,   zero,  more};
	const int transforms = count > 1 ? atoi(arguments[1]) : 1, codings = count > 2 ? atoi(arguments[2]) : 1;
	int32_t made = 0;
	for (int i = 0; i < transforms; i++)
		pnc_analysis_run(&transform, pixels, coefficients, colour);
	for (int i = 0; i < codings; i++)
		made = pnc_planes_packetize(&coder, coefficients, 0, PACKETS, 0, state, intervals, ROOM, HEAD, out,
					    packets);
	for (int32_t i = 0; i < made; i++) {
		print(colour, i == 0 ? HEAD : 0);
		print(out + i * ROOM + (i == 0 ? HEAD : 0), packets[i].length);
		printf("\n");
	}
	return made < 0;
}
