/* Run under ASan and UBSan: every buffer is as small as the contract allows, every packet and position is tried
 * damaged. Exits 0 if all sound packets came back and nothing was out of bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coder.h"

enum {
	CHANNELS = 3,
	SIDE = 9,
	REACH = 5,
	LEVELS = 4,
	SIZE = 2 * REACH + 3,
	ROUNDS = 1000
};

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static void fill_table(uint16_t *table, uint32_t skew)
{
	table[0] = 0;
	for (uint32_t i = 1; i < SIZE - 1; i++)
		table[i] = (uint16_t)(table[i - 1] + 1 + any(skew));
	table[SIZE - 1] = 1u << PNC_CODER_BITS;
}

int main(void)
{
	static uint8_t zero[CHANNELS];
	static int16_t mean[CHANNELS * 6];
	static uint16_t spread[CHANNELS * 12], tables[CHANNELS * 2 * LEVELS * 4 * SIZE];
	static int32_t thresholds[CHANNELS * (LEVELS - 1)];
	const struct pnc_coder_model m = {CHANNELS, SIDE, REACH, LEVELS, zero, mean, spread, thresholds, tables};
	int sound = 0, refused = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CHANNELS; i++)
			zero[i] = (uint8_t)any(256);
		for (int i = 0; i < CHANNELS * 6; i++)
			mean[i] = (int16_t)((int32_t)any(2049) - 1024);
		for (int i = 0; i < CHANNELS * 12; i++)
			spread[i] = (uint16_t)any(round % 2 ? 1025 : 30);
		for (int i = 0; i < CHANNELS * (LEVELS - 1); i++)
			thresholds[i] = (int32_t)(1000u << (4 * (i % (LEVELS - 1)))) + (int32_t)any(9);
		for (int i = 0; i < CHANNELS * 2 * LEVELS * 4; i++)
			fill_table(tables + i * SIZE, round % 3 ? 2900 : 2);
		if (pnc_coder_check(&m) != 0)
			return 1;
		const int32_t total = pnc_coder_total(&m);
		const int32_t position = (int32_t)any((uint32_t)total);
		uint8_t *symbols = malloc((size_t)total), *back = malloc((size_t)total);
		uint32_t *scratch = malloc(sizeof(uint32_t) * 2 * (size_t)(total - position));
		const size_t room = 8 + any(240);
		uint8_t *out = malloc(room);
		const uint32_t noise = 1 + any(256);
		for (int32_t i = 0; i < total; i++)
			symbols[i] = (uint8_t)(zero[0] + any(noise));
		size_t length = 0;
		const int32_t count = pnc_coder_encode(&m, symbols, position, scratch, out, room, &length);
		if (count < 1 || length > room)
			return 2;
		uint8_t *packet = malloc(length);
		memcpy(packet, out, length);
		if (pnc_coder_decode(&m, packet, length, position, back) != count ||
		    memcmp(back + position, symbols + position, (size_t)count) != 0)
			return 3;
		sound++;
		for (int i = 0; i < 20; i++) {
			packet[any((uint32_t)length)] ^= (uint8_t)(1u << any(8));
			const size_t cut = i % 2 ? length : any((uint32_t)length + 1);
			const int32_t where = (int32_t)any((uint32_t)total + 4) - 2;
			const int32_t got = pnc_coder_decode(&m, packet, cut, where, back);
			if (got == 0 || got > total - where)
				return 4;
			refused += got < 0;
		}
		free(packet);
		free(out);
		free(scratch);
		free(back);
		free(symbols);
	}
	printf("%d sound, %d refused\n", sound, refused);
	return 0;
}
