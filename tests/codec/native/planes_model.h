/* Models of the bit-plane coder, made of a few numbers, for its tests and fuzz targets. */
#ifndef PNC_PLANES_MODEL_H
#define PNC_PLANES_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "planes.h"

enum {
	MODEL_CHANNELS = 64,
	MODEL_PLANES = 7,
	MODEL_PASSES = MODEL_CHANNELS * MODEL_PLANES,
	MODEL_INPUTS = PNC_PLANES_NEAR + MODEL_CHANNELS + PNC_PLANES_LEADS * PNC_PLANES_SIDES,
	MODEL_ZEROS = PNC_PLANES_FAR * PNC_PLANES_SPREADS,
	MODEL_MORES = PNC_PLANES_SHIFTS * PNC_PLANES_SPREADS
};

/* A model with its tables, which can be changed. */
struct made_model {
	struct pnc_planes_model model;
	uint8_t order[2 * MODEL_PASSES];
	uint8_t top[MODEL_CHANNELS];
	int16_t mean[MODEL_PASSES * MODEL_INPUTS];
	int16_t spread[MODEL_PASSES * MODEL_INPUTS];
	int32_t base[MODEL_PASSES];
	uint16_t zero[MODEL_PASSES * MODEL_ZEROS * 2];
	uint16_t more[MODEL_PASSES * MODEL_MORES];
};

/* What a model is made of. */
struct model_recipe {
	int32_t channels, side, planes; /* 5..64, 1..32, 1..7 */
	int32_t blank;
	int32_t weight; /* largest size of a weight, 0..8192 */
	int32_t sparse; /* of so many weights one is not zero; at least 1 */
	uint32_t seed;
};

static inline uint32_t model_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A number from least to most. */
static inline int32_t model_between(uint32_t *state, int32_t least, int32_t most)
{
	return least + (int32_t)(model_random(state) % (uint32_t)(most - least + 1));
}

/* Fills the tables with numbers at random. Every channel has the same planes, which follow each other from the highest
 * one down. */
static inline void make_model(struct made_model *made, const struct model_recipe *r)
{
	uint32_t random = r->seed | 1u;
	const int32_t passes = r->channels * r->planes;
	const int32_t inputs = PNC_PLANES_NEAR + r->channels + PNC_PLANES_LEADS * PNC_PLANES_SIDES;
	made->model = (struct pnc_planes_model){
		.channels = r->channels,
		.side = r->side,
		.planes = r->planes,
		.passes = passes,
		.blank = r->blank,
		.order = made->order,
		.top = made->top,
		.mean = made->mean,
		.spread = made->spread,
		.base = made->base,
		.zero = made->zero,
		.more = made->more,
	};
	for (int32_t c = 0; c < r->channels; c++) {
		made->top[c] = (uint8_t)r->planes;
	}
	for (int32_t i = 0; i < passes; i++) {
		made->order[2 * i] = (uint8_t)(i % r->channels);
		made->order[2 * i + 1] = (uint8_t)(r->planes - 1 - i / r->channels);
		made->base[i] = model_between(&random, 0, 1 << 20) >> model_between(&random, 0, 20);
	}
	for (int32_t i = 0; i < passes * inputs; i++) {
		const int32_t has_mean = model_between(&random, 1, r->sparse) == 1;
		const int32_t has_spread = model_between(&random, 1, r->sparse) == 1;
		made->mean[i] = (int16_t)(has_mean ? model_between(&random, -r->weight, r->weight) : 0);
		made->spread[i] = (int16_t)(has_spread ? model_between(&random, 0, r->weight) : 0);
	}
	for (int32_t i = 0; i < passes * MODEL_ZEROS; i++) {
		const int32_t first = model_between(&random, 1, (1 << PNC_PLANES_BITS) - 2);
		made->zero[2 * i] = (uint16_t)first;
		made->zero[2 * i + 1] = (uint16_t)model_between(&random, first + 1, (1 << PNC_PLANES_BITS) - 1);
	}
	for (int32_t i = 0; i < passes * MODEL_MORES; i++) {
		made->more[i] = (uint16_t)model_between(&random, 1, (1 << PNC_PLANES_BITS) - 1);
	}
}

#endif
