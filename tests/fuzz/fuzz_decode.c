/* The codec's decoder: any bytes, at any row, with models that the check lets pass. */
#include "fuzz.h"
#include "planes_model.h"

/* A few models, made once: filling their tables takes longer than decoding. The last one has vector code. */
static const struct model_recipe recipes[] = {
	{.channels = 5, .side = 1, .planes = 3, .blank = 3, .weight = 8192, .sparse = 1, .seed = 1},
	{.channels = 6, .side = 3, .planes = 1, .blank = 0, .weight = 90, .sparse = 2, .seed = 2},
	{.channels = 5, .side = 4, .planes = 2, .blank = 8, .weight = 8192, .sparse = 3, .seed = 3},
	{.channels = 5, .side = 17, .planes = 1, .blank = 1, .weight = 700, .sparse = 2, .seed = 4},
};

enum {
	RECIPES = sizeof(recipes) / sizeof(recipes[0])
};

static struct made_model *models[RECIPES];

static const struct made_model *model_of(size_t number)
{
	if (models[number] == NULL) {
		models[number] = malloc(sizeof(*models[number]));
		ALWAYS(models[number] != NULL);
		make_model(models[number], &recipes[number]);
		ALWAYS(pnc_planes_check(&models[number]->model) == 0);
	}
	return models[number];
}

/* One field changed. Only what the check reads may be wrong: pointers stay. */
static void try_changed(const struct made_model *made, struct input *in)
{
	struct pnc_planes_model m = made->model;
	uint8_t order[2 * MODEL_PASSES];
	uint8_t top[MODEL_CHANNELS];
	const int32_t value = (int32_t)eat32(in) >> (eat(in) & 31u);
	memcpy(order, made->order, sizeof(order));
	memcpy(top, made->top, sizeof(top));
	m.order = order;
	m.top = top;
	switch (eat(in) % 7u) {
	case 0:
		m.channels = value < made->model.channels ? value : made->model.channels;
		break;
	case 1:
		m.side = value;
		break;
	case 2:
		m.planes = value < made->model.planes ? value : made->model.planes;
		break;
	case 3:
		m.passes = value < made->model.passes ? value : made->model.passes;
		break;
	case 4:
		m.blank = value;
		break;
	case 5:
		order[eat(in) % (2u * (uint32_t)m.passes)] = (uint8_t)value;
		break;
	default:
		top[eat(in) % (uint32_t)m.channels] = (uint8_t)value;
		break;
	}
	if (pnc_planes_check(&m) == 0) {
		ALWAYS(m.channels >= PNC_PLANES_LEADS && m.side >= 1 && m.side <= 32 && m.planes >= 1 &&
		       m.passes >= 1 && m.blank >= 0);
		for (int32_t i = 0; i < m.passes; i++) {
			ALWAYS(m.order[2 * i] < m.channels && m.order[2 * i + 1] < m.top[m.order[2 * i]]);
		}
	}
}

/* A partial reconstruction of a value with up to `planes` planes. */
static void check_state(const struct pnc_planes_model *m, const int16_t *state)
{
	const int32_t width = m->side + 2;
	for (int32_t i = 0; i < m->channels * width * width; i++) {
		const int32_t x = i % width, y = i / width % width;
		ALWAYS(state[i] > -(4 << m->planes) && state[i] < 4 << m->planes);
		ALWAYS((x > 0 && x <= m->side && y > 0 && y <= m->side) || state[i] == 0);
	}
}

static int32_t decode(const struct pnc_planes_model *m, const uint8_t *in, size_t len, int32_t row, int32_t rows)
{
	const size_t values = (size_t)pnc_planes_state_size(m);
	int16_t *state = calloc(values, sizeof(*state));
	uint8_t *copy = exact_copy(in, len);
	ALWAYS(state != NULL);
	const int32_t got = pnc_planes_decode(m, copy, len, row, rows, state);
	if (row < 0 || row >= m->passes * m->side) {
		ALWAYS(got == PNC_PLANES_BAD_POSITION);
	} else {
		ALWAYS(got >= 0 || got == PNC_PLANES_UNSOUND);
		ALWAYS(got <= (m->passes * m->side - row) * m->side);
	}
	if (got >= 0) {
		check_state(m, state);
		ALWAYS(rows < 0 || got == rows * m->side);
	}
	free(copy);
	free(state);
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const uint8_t how = eat(&in);
	const struct made_model *made = model_of(how % 32u == 31u ? RECIPES - 1u : how % (RECIPES - 1u));
	const struct pnc_planes_model *m = &made->model;
	const int32_t last = m->passes * m->side;
	if (how >= 240u) {
		try_changed(made, &in);
		return 0;
	}
	/* From row 0 on the state is known: there, all that a prefix gives, the whole gives, too. */
	const int32_t row = (how & 0x10u) != 0 ? 0 : eat16(&in) % (last + 3) - 1;
	const int32_t got = decode(m, in.bytes, in.left, row, -1);
	const int32_t part = decode(m, in.bytes, in.left / 2u, row, -1);
	ALWAYS(got < 0 || (part >= 0 && part <= got));
	/* A packet holds exactly so many rows, or an error is returned. */
	(void)decode(m, in.bytes, in.left, row, got > 0 ? got / m->side : how >> 5);
	return 0;
}
