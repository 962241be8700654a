/* What the encoder writes, the decoder reads: models and pictures of every kind, with and without vector code. */
#include "coder.h"

static const struct model_recipe recipes[] = {
	{.channels = 5, .side = 1, .planes = 7, .blank = 3, .weight = 8192, .sparse = 1, .seed = 1},
	{.channels = 6, .side = 3, .planes = 3, .blank = 0, .weight = 90, .sparse = 2, .seed = 2},
	{.channels = 9, .side = 7, .planes = 2, .blank = 1000, .weight = 8192, .sparse = 3, .seed = 3},
	{.channels = 5, .side = 16, .planes = 2, .blank = 2, .weight = 700, .sparse = 2, .seed = 4},
	{.channels = 6, .side = 19, .planes = 2, .blank = 4, .weight = 90, .sparse = 9, .seed = 5},
	{.channels = 64, .side = 2, .planes = 1, .blank = 64, .weight = 8192, .sparse = 1, .seed = 6},
	{.channels = 47, .side = 4, .planes = 1, .blank = 0, .weight = 200, .sparse = 5, .seed = 7},
	{.channels = 5, .side = 32, .planes = 1, .blank = 0, .weight = 8192, .sparse = 1, .seed = 8},
};

enum {
	RECIPES = sizeof(recipes) / sizeof(recipes[0])
};

/* Of so many coefficients one is not zero. */
static const int32_t densities[] = {1, 3, 40, 100000};

TEST(test_every_packet_comes_back_whatever_its_room)
{
	for (size_t i = 0; i < RECIPES; i++) {
		coder_start(&recipes[i]);
		const size_t least = (size_t)pnc_planes_least_room(coder.model);
		for (size_t d = 0; d < sizeof(densities) / sizeof(densities[0]); d++) {
			coder_fill(densities[d], (uint32_t)(71 * i + d + 1));
			size_t length = 0, room = least;
			for (int32_t row = 0; row < coder.rows; room = least + 3 * (size_t)row % 90) {
				row += coder_encode(row, room, &length);
			}
			CHECK_EQ(coder_encode(0, CODER_MOST_ROOM, &length) > 0, 1);
			CHECK_EQ(coder_encode(coder.rows - 1, least, &length), 1);
		}
	}
}

/* Packets of a stream, `most` at a time, each with the beginning of the next one. */
static void packetize(int32_t most, size_t rest, size_t room, size_t head)
{
	static uint8_t whole[CODER_MOST_ROOM + 8];
	int32_t row = 0;
	while (row < coder.rows) {
		const int32_t count =
			pnc_planes_packetize(coder.model, coder.coefficients, row, most, rest, coder.state,
					     coder.intervals, room, head, coder.out, coder.packets);
		CHECK(count >= 1 && count <= most + 1);
		for (int32_t i = 0; i < count; i++) {
			const struct pnc_planes_packet p = coder.packets[i];
			const size_t taken = p.row == 0 ? head : 0;
			size_t length = 0;
			CHECK_EQ(p.row, row);
			const int32_t held = pnc_planes_encode(coder.model, coder.coefficients, row, coder.state,
							       coder.intervals, whole, room - taken, &length);
			CHECK(memcmp(whole, coder.out + (size_t)i * room + taken, (size_t)p.length) == 0);
			if (p.rows == 0) {
				CHECK_EQ(i, count - 1);
				CHECK_EQ(p.length, length < rest ? length : rest);
				continue;
			}
			CHECK_EQ(p.rows, held);
			CHECK_EQ(p.length, length);
			coder_check(whole, length, row, held);
			row += p.rows;
		}
		if (most == 0) {
			return;
		}
	}
}

TEST(test_packets_one_by_one_and_together_are_the_same)
{
	for (size_t i = 0; i < RECIPES; i++) {
		coder_start(&recipes[i]);
		const size_t room = (size_t)pnc_planes_least_room(coder.model) + 20;
		for (size_t d = 0; d < sizeof(densities) / sizeof(densities[0]); d++) {
			coder_fill(densities[d], (uint32_t)(i + d + 1));
			packetize(CODER_PACKETS, 0, room, 0);
			packetize(2, 9, room, 15);
			packetize(1, room - 1, room, 0);
			packetize(0, 1, room, 0);
		}
	}
}

TEST(test_a_packet_cut_anywhere_gives_the_symbols_that_are_left)
{
	coder_start(&recipes[1]);
	coder_fill(2, 9);
	size_t length = 0;
	const int32_t held = coder_encode(0, 60, &length);
	int32_t last = 0;
	for (size_t cut = 0; cut <= length; cut++) {
		memset(coder.back, 0, coder_state_bytes());
		const int32_t got = pnc_planes_decode(coder.model, coder.out, cut, 0, -1, coder.back);
		CHECK(got >= last);
		last = got;
	}
	CHECK(last >= held * coder.model->side);
}

TEST(test_a_row_that_there_is_not_is_refused)
{
	size_t length = 0;
	coder_start(&recipes[0]);
	const size_t room = (size_t)pnc_planes_least_room(coder.model);
	const int32_t outside[] = {-1, coder.rows};
	for (size_t i = 0; i < 2; i++) {
		CHECK_EQ(pnc_planes_encode(coder.model, coder.coefficients, outside[i], coder.state, coder.intervals,
					   coder.out, room, &length),
			 PNC_PLANES_BAD_POSITION);
		CHECK_EQ(pnc_planes_decode(coder.model, coder.out, 4, outside[i], -1, coder.state),
			 PNC_PLANES_BAD_POSITION);
		CHECK_EQ(pnc_planes_state_at(coder.model, coder.coefficients, outside[i] + (int32_t)i, coder.state),
			 PNC_PLANES_BAD_POSITION);
		CHECK_EQ(pnc_planes_packetize(coder.model, coder.coefficients, outside[i] + (int32_t)i, 1, 0,
					      coder.state, coder.intervals, room, 0, coder.out, coder.packets),
			 PNC_PLANES_BAD_POSITION);
	}
	CHECK_EQ(pnc_planes_packetize(coder.model, coder.coefficients, coder.rows, 1, 0, coder.state, coder.intervals,
				      room, 0, coder.out, coder.packets),
		 0);
}

static int32_t packetize_in(int32_t row, size_t rest, size_t room, size_t head)
{
	return pnc_planes_packetize(coder.model, coder.coefficients, row, 1, rest, coder.state, coder.intervals, room,
				    head, coder.out, coder.packets);
}

TEST(test_room_has_limits)
{
	size_t length = 0;
	coder_start(&recipes[4]);
	coder_fill(1, 3);
	const size_t least = (size_t)pnc_planes_least_room(coder.model);
	const size_t outside[] = {0, least - 1, CODER_MOST_ROOM + 1};
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(pnc_planes_encode(coder.model, coder.coefficients, 0, coder.state, coder.intervals, coder.out,
					   outside[i], &length),
			 PNC_PLANES_NO_ROOM);
		CHECK_EQ(packetize_in(0, 0, outside[i], 0), PNC_PLANES_NO_ROOM);
	}
	CHECK_EQ(packetize_in(0, 0, least, 1), PNC_PLANES_NO_ROOM);             /* less is left beside the head */
	CHECK_EQ(packetize_in(0, 0, least + 1, least + 2), PNC_PLANES_NO_ROOM); /* the head is larger than the packet */
	CHECK_EQ(packetize_in(0, least, least, 0), PNC_PLANES_NO_ROOM);         /* the beginning is a whole packet */
	CHECK_EQ(packetize_in(0, 0, least + 1, 1), 1);
	CHECK_EQ(packetize_in(1, 0, least, 1), 1); /* the head is in the first packet only */
	/* a beginning of the first packet, beside its head */
	CHECK_EQ(pnc_planes_packetize(coder.model, coder.coefficients, 0, 0, least, coder.state, coder.intervals,
				      least + 5, 5, coder.out, coder.packets),
		 PNC_PLANES_NO_ROOM);
}

TEST(test_the_least_room_holds_a_row_of_the_rarest_symbols)
{
	static const struct model_recipe wide = {
		.channels = 5, .side = 32, .planes = 2, .blank = 0, .weight = 0, .sparse = 1, .seed = 1};
	coder_start(&wide);
	CHECK_EQ(pnc_planes_least_room(coder.model), 64);
	/* A zero takes almost all; the other symbols have one part of 2^15. */
	for (int32_t i = 0; i < coder.model->passes * MODEL_ZEROS; i++) {
		coder.made.zero[2 * i] = (1 << 15) - 2;
		coder.made.zero[2 * i + 1] = (1 << 15) - 1;
	}
	for (int32_t i = 0; i < coder.model->passes * MODEL_MORES; i++) {
		coder.made.more[i] = (1 << 15) - 1;
	}
	for (int8_t sign = -1; sign <= 1; sign += 2) {
		memset(coder.coefficients, 3 * sign, coder_values());
		size_t length = 0;
		for (int32_t row = 0; row < coder.rows; row += 7) {
			CHECK_EQ(coder_encode(row, 64, &length), 1);
		}
	}
}

TEST(test_bytes_that_no_encoder_writes_are_refused)
{
	uint8_t bytes[40];
	uint32_t random = 5;
	int refused = 0;
	coder_start(&recipes[2]);
	memset(bytes, 0xFF, sizeof(bytes));
	CHECK_EQ(pnc_planes_decode(coder.model, bytes, sizeof(bytes), 0, -1, coder.state), PNC_PLANES_UNSOUND);
	for (int i = 0; i < 300; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++) {
			bytes[k] = (uint8_t)model_random(&random);
		}
		const int32_t row = model_between(&random, 0, coder.rows - 1);
		memset(coder.state, 0, coder_state_bytes());
		const int32_t got = pnc_planes_decode(coder.model, bytes, sizeof(bytes), row, i % 4 - 1, coder.state);
		CHECK(got == PNC_PLANES_UNSOUND || got >= 0);
		refused += got < 0;
	}
	CHECK(refused > 100);
}

TEST(test_a_stream_holds_the_rows_that_are_left_and_no_more)
{
	size_t length = 0;
	coder_start(&recipes[0]);
	coder_fill(1, 4);
	CHECK_EQ(coder_encode(coder.rows - 1, 60, &length), 1);
	CHECK_EQ(pnc_planes_state_at(coder.model, coder.coefficients, coder.rows - 1, coder.back), 0);
	CHECK_EQ(pnc_planes_decode(coder.model, coder.out, length, coder.rows - 1, 2, coder.back), PNC_PLANES_UNSOUND);
}

TEST(test_a_blank_stream_takes_a_few_bytes)
{
	size_t length = 0;
	for (size_t i = 0; i < RECIPES; i++) {
		struct model_recipe blank = recipes[i];
		blank.blank = 0;
		coder_start(&blank);
		CHECK_EQ(coder_encode(0, CODER_MOST_ROOM, &length), coder.rows);
		CHECK(length <= 4);
	}
}

/* Makes the coefficients for which these bytes stand, as far as they go. */
static void follow(const uint8_t *bytes, size_t length)
{
	const int32_t side = coder.model->side, width = side + 2;
	memset(coder.back, 0, coder_state_bytes());
	CHECK(pnc_planes_decode(coder.model, bytes, length, 0, -1, coder.back) > 0);
	for (int32_t i = 0; i < (int32_t)coder_values(); i++) {
		const int32_t y = i / side % side, x = i % side;
		const int32_t v = coder.back[i / (side * side) * width * width + (y + 1) * width + x + 1];
		coder.coefficients[i] = (int8_t)(v / 4);
	}
}

/* A number just above a round one: until late, the encoder writes 255 after 255, and a carry changes them all. */
TEST(test_a_carry_goes_through_many_bytes)
{
	static const struct model_recipe small = {
		.channels = 6, .side = 3, .planes = 3, .blank = 27, .weight = 90, .sparse = 2, .seed = 2};
	uint8_t bytes[80];
	coder_start(&small);
	const size_t least = (size_t)pnc_planes_least_room(coder.model);
	for (uint32_t seed = 1; seed < 40; seed++) {
		uint32_t random = seed;
		for (size_t k = 0; k < sizeof(bytes); k++) {
			bytes[k] = (uint8_t)(k >= 3 && k < 6 + seed ? 0 : model_random(&random) % 250);
		}
		follow(bytes, sizeof(bytes));
		size_t length = 0;
		for (size_t room = least; room < least + 30; room += 7) {
			(void)coder_encode(0, room, &length);
			for (size_t rest = 1; rest < room; rest += 3) {
				packetize(0, rest, room, 0);
			}
		}
	}
}

/* A model whose last symbol of a table has `rare` of 2^15 parts. */
static void start_rare(int32_t side, int32_t rare, uint32_t seed)
{
	const struct model_recipe recipe = {
		.channels = 5, .side = side, .planes = 2, .blank = 10, .weight = 90, .sparse = 1, .seed = seed};
	coder_start(&recipe);
	for (int32_t i = 0; i < coder.model->passes * MODEL_ZEROS; i++) {
		coder.made.zero[2 * i] = 1 << 14;
		coder.made.zero[2 * i + 1] = (uint16_t)((1 << 15) - rare);
	}
	for (int32_t i = 0; i < coder.model->passes * MODEL_MORES; i++) {
		coder.made.more[i] = (uint16_t)((1 << 15) - rare);
	}
}

/* The last symbol ends where the others of its table end, not where the range does. So it can be decided by bytes after
 * which more may come than its interval holds. */
TEST(test_a_last_symbol_smaller_than_what_is_cut_off_is_decided)
{
	const uint8_t first = 0xFF;
	start_rare(1, 128, 1);
	CHECK_EQ(pnc_planes_decode(coder.model, &first, 1, 0, -1, coder.back), 1);
	CHECK_EQ(coder.back[4], -4 * 3); /* the middle of 2 and 4 */
}

TEST(test_rare_symbols_come_back_from_packets_of_any_room)
{
	for (uint32_t seed = 1; seed < 250; seed++) {
		uint32_t random = seed * 2654435761u;
		size_t length = 0;
		start_rare(model_between(&random, 2, 4), model_between(&random, 1, 300), seed);
		coder_fill(1, seed);
		const size_t least = (size_t)pnc_planes_least_room(coder.model);
		for (size_t room = least; room < least + 20; room += 2) {
			(void)coder_encode(model_between(&random, 0, coder.rows - 1), room, &length);
		}
	}
}

TEST(test_contexts_name_a_table_for_every_symbol)
{
	static uint8_t contexts[64 * 32 * 32], symbols[64 * 32 * 32];
	for (size_t i = 0; i < RECIPES; i++) {
		coder_start(&recipes[i]);
		coder_fill(2, 8);
		CHECK_EQ(pnc_planes_contexts(coder.model, coder.coefficients, coder.state, contexts, symbols), 0);
		const int32_t count = coder.rows * coder.model->side;
		for (int32_t k = 0; k < count; k++) {
			CHECK(contexts[k] < MODEL_ZEROS + MODEL_MORES);
			CHECK(symbols[k] < (contexts[k] < MODEL_ZEROS ? 3 : 2));
		}
	}
}
