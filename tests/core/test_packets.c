/* The readers of control packets take every length that is legal and no other; the writers write what was read. */
#include "check.h"
#include "pnc_wire.h"

static uint8_t bytes[PNC_MAX_PACKET + 1u];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 37u + 11u);
	}
}

/* A reader and its writer at the shortest and the longest packet, and one byte beyond either. */
#define CHECK_PACKET(name, NAME)                                                                                       \
	do {                                                                                                           \
		struct pnc_##name value;                                                                               \
		uint8_t out[PNC_MAX_PACKET];                                                                           \
		fill();                                                                                                \
		bytes[0] = PNC_TYPE_##NAME;                                                                            \
		CHECK(!pnc_##name##_read(&value, bytes, 0));                                                           \
		CHECK(!pnc_##name##_read(&value, bytes, PNC_##NAME##_SIZE - 1u));                                      \
		CHECK(!pnc_##name##_read(&value, bytes, PNC_MAX_PACKET + 1u));                                         \
		CHECK(pnc_##name##_read(&value, bytes, PNC_MAX_PACKET));                                               \
		size_t most = pnc_##name##_write(&value, out);                                                         \
		CHECK_BYTES(out, most, bytes, most);                                                                   \
		CHECK(pnc_##name##_read(&value, bytes, PNC_##NAME##_SIZE));                                            \
		CHECK_BYTES(out, pnc_##name##_write(&value, out), bytes, PNC_##NAME##_SIZE);                           \
	} while (0)

TEST(test_hello_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(hello, HELLO);
}

TEST(test_configure_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(configure, CONFIGURE);
}

TEST(test_credit_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(credit, CREDIT);
}

TEST(test_flush_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(flush, FLUSH);
}

TEST(test_statistics_request_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(statistics_request, STATISTICS_REQUEST);
}

TEST(test_statistics_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(statistics, STATISTICS);
}

TEST(test_ping_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(ping, PING);
}

TEST(test_pong_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(pong, PONG);
}

TEST(test_result_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(result, RESULT);
}

TEST(test_link_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(link, LINK);
}

TEST(test_log_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(log, LOG);
}

TEST(test_error_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(error, ERROR);
}

TEST(test_pair_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(pair, PAIR);
}

TEST(test_pairing_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(pairing, PAIRING);
}

TEST(test_repeat_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(repeat, REPEAT);
}

TEST(test_reset_has_a_shortest_and_a_longest_packet)
{
	CHECK_PACKET(reset, RESET);
}
