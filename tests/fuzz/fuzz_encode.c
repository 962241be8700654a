/* The codec's encoder: what it makes of any coefficients comes back, in packets of any size. */
#include "fuzz.h"
#include "planes_model.h"

enum {
	MOST_SIDE = 17,
	MOST_VALUES = 6 * MOST_SIDE * MOST_SIDE
};

static const struct model_recipe recipes[] = {
	{.channels = 5, .side = 1, .planes = 3, .blank = 3, .weight = 8192, .sparse = 1, .seed = 1},
	{.channels = 6, .side = 3, .planes = 1, .blank = 0, .weight = 90, .sparse = 2, .seed = 2},
	{.channels = 5, .side = 4, .planes = 2, .blank = 8, .weight = 8192, .sparse = 3, .seed = 3},
	{.channels = 5, .side = MOST_SIDE, .planes = 1, .blank = 1, .weight = 700, .sparse = 2, .seed = 4},
};

enum {
	RECIPES = sizeof(recipes) / sizeof(recipes[0])
};

static struct made_model *models[RECIPES];

static const struct pnc_planes_model *model_of(size_t number)
{
	if (models[number] == NULL) {
		models[number] = malloc(sizeof(*models[number]));
		ALWAYS(models[number] != NULL);
		make_model(models[number], &recipes[number]);
	}
	return &models[number]->model;
}

static size_t state_bytes(const struct pnc_planes_model *m)
{
	return sizeof(int16_t) * (size_t)pnc_planes_state_size(m);
}

static void check_state(const struct pnc_planes_model *m, const int8_t *coefficients, int32_t row, const int16_t *is)
{
	int16_t *should = malloc(state_bytes(m));
	ALWAYS(should != NULL);
	ALWAYS(pnc_planes_state_at(m, coefficients, row, should) == 0);
	ALWAYS(memcmp(is, should, state_bytes(m)) == 0);
	free(should);
}

/* Decodes a packet at the state before it, which becomes the state after it. */
static void check_packet(const struct pnc_planes_model *m, const int8_t *coefficients, const uint8_t *bytes, size_t len,
			 int32_t row, int32_t rows)
{
	int16_t *state = malloc(state_bytes(m));
	uint8_t *copy = exact_copy(bytes, len);
	ALWAYS(state != NULL);
	ALWAYS(pnc_planes_state_at(m, coefficients, row, state) == 0);
	ALWAYS(pnc_planes_decode(m, copy, len, row, rows, state) == rows * m->side);
	check_state(m, coefficients, row + rows, state);
	free(copy);
	free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const uint8_t how = eat(&in);
	const struct pnc_planes_model *m = model_of(how % 32u == 31u ? RECIPES - 1u : how % (RECIPES - 1u));
	const int32_t rows = m->passes * m->side, most = 1 + how / 32 % 2;
	const size_t least = (size_t)pnc_planes_least_room(m), room = least + eat(&in) % 40u;
	const size_t head = eat(&in) % (room - least + 1u), rest = eat(&in) % room;
	const int32_t row = (how & 0x80u) != 0 ? 0 : eat16(&in) % rows;
	int8_t coefficients[MOST_VALUES] = {0};
	for (int32_t i = 0; i < m->channels * m->side * m->side && in.left > 0; i++) {
		const int32_t size_of = eat(&in) & ((1 << m->planes) - 1);
		coefficients[i] = (int8_t)((eat(&in) & 1u) != 0 ? size_of : -size_of);
	}
	int16_t *state = malloc(state_bytes(m));
	struct pnc_planes_interval *intervals = malloc(sizeof(*intervals) * (size_t)(rows * m->side));
	uint8_t *out = malloc((size_t)(most + 1) * room + 8u), *again = malloc(room + 8u);
	struct pnc_planes_packet *packets = malloc(sizeof(*packets) * (size_t)(most + 1));
	ALWAYS(state != NULL && intervals != NULL && out != NULL && again != NULL && packets != NULL);
	const int32_t count =
		pnc_planes_packetize(m, coefficients, row, most, rest, state, intervals, room, head, out, packets);
	ALWAYS(count > 0 || (count == PNC_PLANES_NO_ROOM && row == 0 && rest >= room - head));
	int32_t next = row;
	for (int32_t i = 0; i < count; i++) {
		const struct pnc_planes_packet *p = &packets[i];
		const size_t taken = p->row == 0 ? head : 0;
		const uint8_t *bytes = out + (size_t)i * room + taken;
		size_t length = 0;
		ALWAYS(p->row == next && p->length >= 1 && (size_t)p->length <= room - taken);
		const int32_t held =
			pnc_planes_encode(m, coefficients, p->row, state, intervals, again, room - taken, &length);
		ALWAYS(held >= 1 && length <= room - taken && length >= (size_t)p->length);
		ALWAYS(memcmp(again, bytes, (size_t)p->length) == 0);
		/* Only the beginning of a packet, which is the last, has no rows. */
		ALWAYS(p->rows == 0 ? i == count - 1 && (size_t)p->length <= rest : p->rows == held);
		check_packet(m, coefficients, again, length, p->row, held);
		next += p->rows;
	}
	ALWAYS(next <= rows);
	free(packets);
	free(again);
	free(out);
	free(intervals);
	free(state);
	return 0;
}
