/* A coder under test: a model, a picture's coefficients, and buffers as small as the contract allows. */
#ifndef PNC_CODER_H
#define PNC_CODER_H

#include <stdlib.h>

#include "check.h"
#include "planes_model.h"

enum {
	CODER_MOST_ROOM = 4096,
	CODER_PACKETS = 40
};

struct coder {
	struct made_model made;
	const struct pnc_planes_model *model;
	int32_t rows; /* pass rows of a stream */
	int8_t *coefficients;
	int16_t *state, *back;
	struct pnc_planes_interval *intervals;
	uint8_t *out;
	struct pnc_planes_packet packets[CODER_PACKETS + 1];
};

static struct coder coder;

static inline size_t coder_values(void)
{
	return (size_t)(coder.model->channels * coder.model->side * coder.model->side);
}

static inline size_t coder_state_bytes(void)
{
	return sizeof(int16_t) * (size_t)pnc_planes_state_size(coder.model);
}

static inline void *coder_zeros(size_t bytes)
{
	void *zeros = calloc(bytes, 1);
	CHECK(zeros != NULL);
	return zeros;
}

/* Makes a model and blank coefficients. */
static inline void coder_start(const struct model_recipe *recipe)
{
	free(coder.coefficients);
	free(coder.state);
	free(coder.back);
	free(coder.intervals);
	free(coder.out);
	make_model(&coder.made, recipe);
	coder.model = &coder.made.model;
	CHECK_EQ(pnc_planes_check(coder.model), 0);
	coder.rows = coder.model->passes * coder.model->side;
	coder.coefficients = coder_zeros(coder_values());
	coder.state = coder_zeros(coder_state_bytes());
	coder.back = coder_zeros(coder_state_bytes());
	coder.intervals = coder_zeros(sizeof(*coder.intervals) * (size_t)(coder.rows * coder.model->side));
	coder.out = coder_zeros((CODER_PACKETS + 1u) * CODER_MOST_ROOM + 8u);
}

/* Of `one_in` coefficients one is not zero. */
static inline void coder_fill(int32_t one_in, uint32_t seed)
{
	uint32_t random = seed;
	const int32_t most = (1 << coder.model->planes) - 1;
	for (size_t i = 0; i < coder_values(); i++) {
		const int32_t value = model_between(&random, -most, most);
		coder.coefficients[i] = (int8_t)(model_between(&random, 1, one_in) == 1 ? value : 0);
	}
}

/* Decodes bytes that hold `rows` rows from `row` on, and compares the state with that of the coefficients. */
static inline void coder_check(const uint8_t *bytes, size_t length, int32_t row, int32_t rows)
{
	uint8_t *exact = coder_zeros(length);
	memcpy(exact, bytes, length);
	CHECK_EQ(pnc_planes_state_at(coder.model, coder.coefficients, row, coder.back), 0);
	CHECK_EQ(pnc_planes_decode(coder.model, exact, length, row, rows, coder.back), rows * coder.model->side);
	CHECK_EQ(pnc_planes_state_at(coder.model, coder.coefficients, row + rows, coder.state), 0);
	CHECK(memcmp(coder.back, coder.state, coder_state_bytes()) == 0);
	free(exact);
}

/* Encodes one packet from `row` on and checks it. Returns its rows; *length is its length. */
static inline int32_t coder_encode(int32_t row, size_t room, size_t *length)
{
	const int32_t held = pnc_planes_encode(coder.model, coder.coefficients, row, coder.state, coder.intervals,
					       coder.out, room, length);
	CHECK(held >= 1);
	CHECK(*length >= 1 && *length <= room);
	coder_check(coder.out, *length, row, held);
	return held;
}

#endif
