/* A model that breaks a rule of its fields is refused. */
#include "coder.h"

static const struct model_recipe recipe = {
	.channels = 6, .side = 3, .planes = 2, .blank = 3, .weight = 90, .sparse = 1, .seed = 1};

/* A fresh model that a test breaks. */
static struct pnc_planes_model *sound(void)
{
	make_model(&coder.made, &recipe);
	CHECK_EQ(pnc_planes_check(&coder.made.model), 0);
	return &coder.made.model;
}

/* A value that is legal, and one that is not, in the same place of a sound model. */
#define CHECK_RULE(place, legal, illegal)                                                                              \
	do {                                                                                                           \
		struct pnc_planes_model *m = sound();                                                                  \
		place = (legal);                                                                                       \
		CHECK_EQ(pnc_planes_check(m), 0);                                                                      \
		place = (illegal);                                                                                     \
		CHECK_EQ(pnc_planes_check(m), PNC_PLANES_BAD_MODEL);                                                   \
	} while (0)

TEST(test_sizes_have_limits)
{
	CHECK_RULE(m->channels, 6, 4);
	CHECK_RULE(m->channels, 6, 65);
	CHECK_RULE(m->side, 1, 0);
	CHECK_RULE(m->side, 32, 33);
	CHECK_RULE(m->planes, 2, 0);
	CHECK_RULE(m->planes, 7, 8);
	CHECK_RULE(m->passes, 1, 0);
	CHECK_RULE(m->passes, 12, 13);
	CHECK_RULE(m->blank, 0, -1);
}

TEST(test_the_planes_of_a_channel_come_in_falling_order)
{
	CHECK_RULE(coder.made.order[1], 1, 0);
	CHECK_RULE(coder.made.order[0], 0, 6);
	CHECK_RULE(coder.made.order[2 * 11], 5, 4);
	CHECK_RULE(coder.made.top[5], 2, 0);
	CHECK_RULE(coder.made.top[5], 2, 3);
	CHECK_RULE(coder.made.top[5], 2, 1);
}

TEST(test_weights_have_limits)
{
	CHECK_RULE(coder.made.mean[7], 8192, 8193);
	CHECK_RULE(coder.made.mean[7], -8192, -8193);
	CHECK_RULE(coder.made.spread[7], 8192, 8193);
	CHECK_RULE(coder.made.spread[7], 0, -1);
	CHECK_RULE(coder.made.base[11], 0, -1);
	CHECK_RULE(coder.made.base[11], 1 << 20, (1 << 20) + 1);
}

TEST(test_tables_rise)
{
	CHECK_RULE(coder.made.zero[40], 1, 0);
	CHECK_RULE(coder.made.zero[41], coder.made.zero[40] + 1, coder.made.zero[40]);
	CHECK_RULE(coder.made.zero[41], (1 << 15) - 1, 1 << 15);
	CHECK_RULE(coder.made.more[40], 1, 0);
	CHECK_RULE(coder.made.more[40], (1 << 15) - 1, 1 << 15);
}

TEST(test_sizes_follow_from_the_model)
{
	const struct pnc_planes_model *m = sound();
	CHECK_EQ(pnc_planes_inputs(m), 8 + 6 + 20);
	CHECK_EQ(pnc_planes_state_size(m), 6 * 5 * 5);
}
