#include "pnc/control.h"

#include "check.h"

static struct pnc_control control;

static bool push(uint8_t to, uint8_t mark)
{
	uint8_t packet[2] = {PNC_TYPE_LOG, mark};
	return pnc_control_push(&control, to, packet, sizeof(packet));
}

/* The mark of the packet popped; -1 if none. */
static int pop(uint8_t to)
{
	uint8_t packet[PNC_MAX_PACKET];
	return pnc_control_pop(&control, to, packet) > 0 ? packet[1] : -1;
}

TEST(test_each_destination_gets_its_packets_in_order)
{
	pnc_control_init(&control);
	CHECK(push(PNC_TO_SERIAL, 1) && push(3, 2) && push(PNC_TO_SERIAL, 3) && push(0, 4) && push(3, 5));
	CHECK(pnc_control_waits(&control, 3));
	CHECK(!pnc_control_waits(&control, 1));
	CHECK_EQ(pop(3), 2);
	CHECK_EQ(pop(PNC_TO_SERIAL), 1);
	CHECK_EQ(pop(3), 5);
	CHECK_EQ(pop(3), -1);
	CHECK_EQ(pop(0), 4);
	CHECK_EQ(pop(PNC_TO_SERIAL), 3);
	CHECK_EQ(control.to_serial, 0);
	CHECK_EQ(control.to_radio, 0);
}

TEST(test_the_last_slot_goes_to_whoever_comes_first)
{
	unsigned taken = 0;
	pnc_control_init(&control);
	while (push(PNC_TO_SERIAL, 9)) {
		taken++;
	}
	while (push(2, 8)) {
		taken++;
	}
	CHECK_EQ(taken, PNC_CONTROL_SLOTS);
	CHECK(control.to_radio < PNC_CONTROL_SLOTS * 3u / 4u); /* within its share: every slot is taken */
	CHECK_EQ(control.dropped, 2);
	CHECK_EQ(pop(PNC_TO_SERIAL), 9);
	CHECK(push(2, 7));
	CHECK(!push(2, 6));
}

TEST(test_one_direction_cannot_shut_out_the_other)
{
	for (int serial_first = 0; serial_first < 2; serial_first++) {
		uint8_t loud = serial_first ? PNC_TO_SERIAL : 2;
		uint8_t quiet = serial_first ? 2 : PNC_TO_SERIAL;
		unsigned taken = 0;
		pnc_control_init(&control);
		while (push(loud, 9)) {
			taken++;
		}
		CHECK_EQ(taken, PNC_CONTROL_SLOTS * 3u / 4u);
		CHECK_EQ(control.dropped, 1);
		CHECK(push(quiet, 7));
		CHECK_EQ(pop(quiet), 7);
	}
}

static bool push_result(uint8_t to, uint16_t image, uint8_t program, uint8_t mark)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = image, .program = program, .text = &mark, .text_len = 1};
	return pnc_control_push_result(&control, to, packet, pnc_result_write(&result, packet));
}

/* The mark of the result popped; -1 if none. */
static int pop_result(uint8_t to)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result;
	size_t len = pnc_control_pop(&control, to, packet);
	return pnc_result_read(&result, packet, len) && result.text_len == 1 ? result.text[0] : -1;
}

TEST(test_a_newer_result_replaces_the_waiting_one_of_the_same_image_and_of_no_other)
{
	pnc_control_init(&control);
	CHECK(push_result(1, 300, 2, 1));
	CHECK(push_result(1, 44, 2, 2));  /* the same low byte of the image */
	CHECK(push_result(1, 300, 1, 3)); /* another program */
	CHECK(push_result(2, 300, 2, 4)); /* another camera */
	CHECK_EQ(control.to_radio, 4);
	CHECK(push_result(1, 300, 2, 5));
	CHECK_EQ(control.to_radio, 4);
	CHECK_EQ(pop_result(1), 5);
	CHECK_EQ(pop_result(1), 2);
	CHECK_EQ(pop_result(1), 3);
	CHECK_EQ(pop_result(2), 4);
	CHECK(push_result(1, 300, 2, 6)); /* the first one has left: this one follows it */
	CHECK_EQ(pop_result(1), 6);
	CHECK_EQ(pop_result(1), -1);
	CHECK_EQ(control.dropped, 0);
}

TEST(test_a_result_that_waits_elsewhere_than_first_is_replaced_whole)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_result result = {.image = 300, .text = (const uint8_t *)"longer", .text_len = 6};
	pnc_control_init(&control);
	CHECK(push_result(2, 300, 0, 1)); /* of another camera, whose number is higher */
	CHECK(push_result(1, 44, 0, 2));
	CHECK(push_result(1, 300, 0, 3));
	CHECK(pnc_control_push_result(&control, 1, packet, pnc_result_write(&result, packet)));
	CHECK_EQ(control.to_radio, 3);
	CHECK_EQ(pop_result(2), 1);
	CHECK_EQ(pop_result(1), 2);
	size_t len = pnc_control_pop(&control, 1, packet);
	CHECK(pnc_result_read(&result, packet, len));
	CHECK_BYTES(result.text, result.text_len, "longer", 6);
}

TEST(test_what_is_no_result_replaces_nothing)
{
	static const uint8_t types[] = {PNC_TYPE_PONG, PNC_TYPE_RESULT + 1u};
	for (int i = 0; i < 2; i++) {
		uint8_t packet[6] = {types[i], 0, 1, 2, 3, 4};
		pnc_control_init(&control);
		CHECK(pnc_control_push_result(&control, 1, packet, sizeof(packet)));
		CHECK(pnc_control_push_result(&control, 1, packet, sizeof(packet)));
		CHECK_EQ(control.to_radio, 2);
	}
}

TEST(test_a_newer_result_needs_no_free_slot)
{
	pnc_control_init(&control);
	CHECK(push_result(1, 300, 0, 1));
	while (push(1, 9)) {
	}
	CHECK_EQ(control.dropped, 1);
	CHECK(push_result(1, 300, 0, 2));
	CHECK(!push_result(1, 301, 0, 3));
	CHECK_EQ(control.dropped, 2);
	CHECK_EQ(pop_result(1), 2);
}

TEST(test_clear_drops_one_destination_and_frees_its_slots)
{
	pnc_control_init(&control);
	for (int round = 0; round < 100; round++) {
		CHECK(push(1, 1) && push(2, 2) && push(1, 3) && push(PNC_TO_SERIAL, 4));
		pnc_control_clear(&control, 1);
		CHECK(!pnc_control_waits(&control, 1));
		CHECK_EQ(pop(2), 2);
		CHECK_EQ(pop(PNC_TO_SERIAL), 4);
		CHECK_EQ(control.to_radio, 0);
	}
	CHECK_EQ(control.dropped, 0);
}

/* The marks of the packets for each of three destinations, oldest first. */
static uint8_t waiting[3][PNC_CONTROL_SLOTS];
static size_t waiting_count[3];

static void check_pop(size_t which, uint8_t to)
{
	if (waiting_count[which] == 0) {
		CHECK_EQ(pop(to), -1);
		return;
	}
	CHECK_EQ(pop(to), waiting[which][0]);
	waiting_count[which]--;
	memmove(waiting[which], waiting[which] + 1, waiting_count[which]);
}

TEST(test_the_order_is_kept_whoever_takes_from_the_middle)
{
	static const uint8_t destinations[3] = {PNC_TO_SERIAL, 0, 5};
	uint32_t random = 99;
	pnc_control_init(&control);
	memset(waiting_count, 0, sizeof(waiting_count));
	for (int i = 0; i < 20000; i++) {
		size_t which = check_random(&random) % 3u;
		uint8_t to = destinations[which];
		if (check_random(&random) % 2u == 0) {
			check_pop(which, to);
		} else if (push(to, (uint8_t)(i % 251))) {
			waiting[which][waiting_count[which]++] = (uint8_t)(i % 251);
		}
		CHECK_EQ(pnc_control_waits(&control, to), waiting_count[which] > 0);
		CHECK_EQ(control.to_serial, waiting_count[0]);
		CHECK_EQ(control.to_radio, waiting_count[1] + waiting_count[2]);
	}
	CHECK(control.dropped > 100);
}

TEST(test_a_full_packet_comes_back_unchanged)
{
	uint8_t in[PNC_MAX_PACKET];
	uint8_t out[PNC_MAX_PACKET];
	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] = (uint8_t)(i * 37u);
	}
	pnc_control_init(&control);
	CHECK(pnc_control_push(&control, 0, in, sizeof(in)));
	CHECK_BYTES(out, pnc_control_pop(&control, 0, out), in, sizeof(in));
}
