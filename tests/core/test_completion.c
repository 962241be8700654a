#include "pnc/completion.h"

#include "check.h"

#define HANDLE 3u
#define NOTIFICATION 0x1bu
#define WRITE_COMMAND 0x52u
#define INDICATION 0x1du
#define ATT 4u
#define SIGNALLING 5u

static struct pnc_completion completion;
static struct pnc_completed done[PNC_PEERS];

/* One ACL packet: the first `in_first` bytes of a PDU of `pdu` bytes on that channel, or, with `pdu` 0, that many more.
 */
static void send(uint16_t handle, uint16_t channel, uint8_t opcode, uint16_t pdu, uint16_t bytes)
{
	uint8_t acl[300] = {0};
	uint16_t flags = pdu == 0 ? 1u << 12 : 0;

	acl[0] = (uint8_t)handle;
	acl[1] = (uint8_t)((handle | flags) >> 8);
	acl[2] = (uint8_t)bytes;
	if (pdu > 0) {
		acl[4] = (uint8_t)pdu;
		acl[6] = (uint8_t)channel;
		acl[8] = opcode;
	}
	pnc_completion_sent(&completion, acl, 4u + bytes);
}

static void notify(uint16_t handle)
{
	send(handle, ATT, NOTIFICATION, 247, 251);
}

/* The controller is done with that many packets of a connection; PDUs of ours among them. */
static int complete(uint16_t handle, uint16_t packets)
{
	uint8_t event[] = {
		0x13, 5, 1, (uint8_t)handle, (uint8_t)(handle >> 8), (uint8_t)packets, (uint8_t)(packets >> 8)};
	size_t count = pnc_completion_event(&completion, event, sizeof(event), done);

	if (count == 1 && done[0].handle == handle) {
		return done[0].packets;
	}
	return count == 0 ? 0 : -1;
}

static void disconnect(uint16_t handle, uint8_t status)
{
	uint8_t event[] = {0x05, 4, status, (uint8_t)handle, (uint8_t)(handle >> 8), 0x08};

	CHECK_EQ(pnc_completion_event(&completion, event, sizeof(event), done), 0);
}

TEST(test_what_the_controller_completes_is_told_once)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	notify(HANDLE);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
	CHECK_EQ(complete(HANDLE, 2), 2);
	CHECK_EQ(complete(HANDLE, 1), 0);
}

TEST(test_only_notifications_and_write_commands_count)
{
	pnc_completion_init(&completion);
	send(HANDLE, SIGNALLING, NOTIFICATION, 20, 24);
	send(HANDLE, ATT, INDICATION, 20, 24);
	send(HANDLE, ATT, WRITE_COMMAND, 20, 24);
	send(HANDLE, ATT, 0x13, 1, 5);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 2), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
	CHECK_EQ(complete(HANDLE, 2), 1);
}

TEST(test_a_packet_in_pieces_counts_with_its_last)
{
	pnc_completion_init(&completion);
	send(HANDLE, ATT, NOTIFICATION, 247, 100);
	send(HANDLE, 0, 0, 0, 100);
	send(HANDLE, 0, 0, 0, 51);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 0);
	CHECK_EQ(complete(HANDLE, 1), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_connections_are_kept_apart_also_in_one_event)
{
	uint8_t both[] = {0x13, 9, 2, 1, 0, 1, 0, 2, 0, 2, 0};

	pnc_completion_init(&completion);
	notify(1);
	notify(2);
	notify(2);
	CHECK_EQ(pnc_completion_event(&completion, both, sizeof(both), done), 2);
	CHECK_EQ(done[0].handle, 1);
	CHECK_EQ(done[0].packets, 1);
	CHECK_EQ(done[1].handle, 2);
	CHECK_EQ(done[1].packets, 2);
}

TEST(test_a_connection_that_ends_leaves_nothing_to_the_next_with_its_handle)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	notify(HANDLE);
	disconnect(HANDLE, 0);
	send(HANDLE, SIGNALLING, 0, 20, 24);
	CHECK_EQ(complete(HANDLE, 1), 0);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_what_went_out_after_the_end_does_not_reach_the_next_connection)
{
	static const uint8_t subevents[] = {0x01, 0x0a};

	for (size_t i = 0; i < sizeof(subevents); i++) {
		uint8_t connected[21] = {0x3e, 19, subevents[i], 0, HANDLE, 0};

		pnc_completion_init(&completion);
		disconnect(HANDLE, 0);
		notify(HANDLE);
		CHECK_EQ(pnc_completion_event(&completion, connected, sizeof(connected), done), 0);
		send(HANDLE, SIGNALLING, 0, 20, 24);
		CHECK_EQ(complete(HANDLE, 1), 0);
	}
}

TEST(test_a_disconnection_that_failed_changes_nothing)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	disconnect(HANDLE, 0x0c);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_a_packet_that_the_controller_refused_is_not_waited_for)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	notify(HANDLE);
	pnc_completion_refused(&completion, HANDLE);
	pnc_completion_refused(&completion, HANDLE + 1);
	send(HANDLE, SIGNALLING, 0, 20, 24);
	CHECK_EQ(complete(HANDLE, 1), 1);
	CHECK_EQ(complete(HANDLE, 1), 0);
}

TEST(test_damaged_events_are_passed_over)
{
	uint8_t event[] = {0x13, 5, 1, HANDLE, 0, 1, 0};
	uint8_t too_many[] = {0x13, 5, 2, HANDLE, 0, 1, 0};

	pnc_completion_init(&completion);
	notify(HANDLE);
	for (size_t len = 0; len < sizeof(event); len++) {
		CHECK_EQ(pnc_completion_event(&completion, event, len, done), 0);
	}
	CHECK_EQ(pnc_completion_event(&completion, too_many, sizeof(too_many), done), 0);
	CHECK_EQ(complete(HANDLE + 1, 1), 0);
	CHECK_EQ(complete(HANDLE, 0xffff), 1);
}

TEST(test_a_refusal_without_a_packet_in_the_controller_changes_nothing)
{
	pnc_completion_init(&completion);
	pnc_completion_refused(&completion, HANDLE);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
	pnc_completion_refused(&completion, HANDLE);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_the_controller_cannot_complete_more_than_it_has)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 3), 1);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_an_event_without_entries_completes_nothing)
{
	const uint8_t empty[] = {0x13, 0};
	const uint8_t none[] = {0x13, 1, 0};

	pnc_completion_init(&completion);
	notify(HANDLE);
	CHECK_EQ(pnc_completion_event(&completion, empty, sizeof(empty), done), 0);
	CHECK_EQ(pnc_completion_event(&completion, none, sizeof(none), done), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_an_event_fills_no_more_entries_than_there_are_connections)
{
	uint8_t event[3 + 4 * (PNC_PEERS + 1u)] = {0x13, sizeof(event) - 2u, PNC_PEERS + 1u};

	pnc_completion_init(&completion);
	for (size_t i = 0; i <= PNC_PEERS; i++) {
		notify(HANDLE);
		event[3 + 4 * i] = HANDLE;
		event[5 + 4 * i] = 1;
	}
	CHECK_EQ(pnc_completion_event(&completion, event, sizeof(event), done), PNC_PEERS);
	CHECK_EQ(complete(HANDLE, 2), 1);
}

TEST(test_a_disconnection_that_is_cut_forgets_nothing)
{
	const uint8_t cut[] = {0x05, 2, 0, HANDLE};

	pnc_completion_init(&completion);
	notify(HANDLE);
	CHECK_EQ(pnc_completion_event(&completion, cut, sizeof(cut), done), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_only_the_event_of_a_new_connection_forgets_the_old_one)
{
	const struct {
		uint8_t event[7];
		bool forgets;
	} cases[] = {
		{{0x3e, 5, 0x01, 0, HANDLE, 0, 0}, true},     /* connected */
		{{0x3e, 5, 0x0a, 0, HANDLE, 0, 0}, true},     /* the same, enhanced */
		{{0x3e, 5, 0x01, 0x3e, HANDLE, 0, 0}, false}, /* failed to connect */
		{{0x3e, 5, 0x03, 0, HANDLE, 0, 0}, false},    /* parameters changed */
		{{0x3e, 3, 0x01, 0, HANDLE, 0, 0}, false},    /* cut */
		{{0x3e, 4, 0x01, 0, HANDLE, 0, 0}, true},     /* with nothing after the handle */
		{{0x3e, 5, 0x00, 0, HANDLE, 0, 0}, false},    /* other subevents */
		{{0x3e, 5, 0x02, 0, HANDLE, 0, 0}, false},    {{0x3e, 5, 0x0b, 0, HANDLE, 0, 0}, false},
		{{0x04, 5, 0x01, 0, HANDLE, 0, 0}, false}, /* other events */
		{{0x3d, 5, 0x01, 0, HANDLE, 0, 0}, false},    {{0x3f, 5, 0x01, 0, HANDLE, 0, 0}, false},
		{{0x05, 4, 0, HANDLE, 0, 8, 0}, true},                                                /* disconnected */
		{{0x05, 3, 0, HANDLE, 0, 8, 0}, true},        {{0x05, 2, 0, HANDLE, 0, 8, 0}, false}, /* cut */
		{{0x05, 1, 0, HANDLE, 0, 8, 0}, false},       {{0x05, 0, 0, HANDLE, 0, 8, 0}, false},
		{{0x05, 4, 1, HANDLE, 0, 8, 0}, false}, /* failed to disconnect */
		{{0x04, 4, 0, HANDLE, 0, 8, 0}, false}, /* other events */
		{{0x06, 4, 0, HANDLE, 0, 8, 0}, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pnc_completion_init(&completion);
		notify(HANDLE);
		CHECK_EQ(pnc_completion_event(&completion, cases[i].event, sizeof(cases[i].event), done), 0);
		CHECK_EQ(complete(HANDLE, 1), cases[i].forgets ? 0 : 1);
	}
}

/* One ACL packet of those bytes and flags (the two bits above the handle, and the two above them). Eight more bytes of
 * `data` follow it in its buffer. */
static void send_bytes(uint16_t handle, unsigned flags, const uint8_t *data, size_t len)
{
	uint8_t acl[300] = {0};

	acl[0] = (uint8_t)handle;
	acl[1] = (uint8_t)(handle >> 8 | flags << 4);
	acl[2] = (uint8_t)len;
	memcpy(acl + 4, data, len + 8u);
	pnc_completion_sent(&completion, acl, 4u + len);
}

TEST(test_a_handle_is_not_mistaken_for_a_higher_one)
{
	pnc_completion_init(&completion);
	notify(2);
	notify(1);
	CHECK_EQ(complete(1, 1), 1);
	CHECK_EQ(complete(2, 1), 1);
}

TEST(test_as_many_connections_are_watched_as_a_board_has)
{
	pnc_completion_init(&completion);
	for (uint16_t handle = 0; handle <= PNC_PEERS; handle++) {
		notify(handle);
	}
	for (uint16_t handle = 0; handle <= PNC_PEERS; handle++) {
		CHECK_EQ(complete(handle, 1), handle < PNC_PEERS);
	}
}

TEST(test_a_first_packet_that_ends_before_the_opcode_is_not_ours)
{
	const uint8_t pdu[32] = {3, 0, ATT, 0, NOTIFICATION};

	for (size_t len = 0; len <= 5; len++) {
		pnc_completion_init(&completion);
		send_bytes(HANDLE, 0, pdu, len);
		send_bytes(HANDLE, 1, pdu + len, 7u - len);
		CHECK_EQ(complete(HANDLE, 2), len == 5);
	}
}

TEST(test_a_packet_in_pieces_ends_with_its_last_byte)
{
	pnc_completion_init(&completion);
	send(HANDLE, ATT, NOTIFICATION, 247, 100);
	send(HANDLE, 0, 0, 0, 148);
	send(HANDLE, 0, 0, 0, 3);
	CHECK_EQ(complete(HANDLE, 2), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
	send(HANDLE, ATT, NOTIFICATION, 247, 100);
	send(HANDLE, 0, 0, 0, 150);
	send(HANDLE, 0, 0, 0, 1);
	CHECK_EQ(complete(HANDLE, 2), 0);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_a_packet_longer_than_it_says_ends_and_what_follows_is_not_ours)
{
	pnc_completion_init(&completion);
	send(HANDLE, ATT, NOTIFICATION, 10, 200);
	send(HANDLE, 0, 0, 0, 20);
	CHECK_EQ(complete(HANDLE, 1), 1);
	CHECK_EQ(complete(HANDLE, 1), 0);
}

TEST(test_neighbours_of_our_channel_and_opcodes_are_not_ours)
{
	static const uint8_t opcodes[] = {NOTIFICATION - 1u, NOTIFICATION + 1u, WRITE_COMMAND - 1u, WRITE_COMMAND + 1u};

	pnc_completion_init(&completion);
	for (size_t i = 0; i < sizeof(opcodes); i++) {
		send(HANDLE, ATT, opcodes[i], 20, 24);
	}
	send(HANDLE, ATT - 1u, NOTIFICATION, 20, 24);
	send(HANDLE, ATT + 1u, NOTIFICATION, 20, 24);
	CHECK_EQ(complete(HANDLE, 6), 0);
}

TEST(test_only_the_boundary_flag_one_continues_whatever_is_above_it)
{
	const uint8_t pdu[32] = {3, 0, ATT, 0, NOTIFICATION};

	for (unsigned flags = 0; flags < 16; flags++) {
		bool begins = flags % 4u != 1u;

		pnc_completion_init(&completion);
		send_bytes(HANDLE, flags, pdu, 7);
		CHECK_EQ(complete(HANDLE, 1), begins);
	}
}

TEST(test_a_packet_shorter_than_its_header_is_not_in_the_controller_and_an_empty_one_is)
{
	const uint8_t acl[4] = {HANDLE};

	for (size_t len = 0; len <= 4; len++) {
		pnc_completion_init(&completion);
		pnc_completion_sent(&completion, acl, len);
		notify(HANDLE);
		CHECK_EQ(complete(HANDLE, 1), len < 4);
	}
}

TEST(test_the_only_packet_that_the_controller_refused_is_not_waited_for)
{
	pnc_completion_init(&completion);
	notify(HANDLE);
	pnc_completion_refused(&completion, HANDLE);
	send(HANDLE, SIGNALLING, 0, 20, 24);
	CHECK_EQ(complete(HANDLE, 1), 0);
}

TEST(test_a_connection_without_a_pdu_of_ours_is_not_reported)
{
	const uint8_t event[] = {0x13, 5, 1, HANDLE, 0, 1, 0};

	pnc_completion_init(&completion);
	send(HANDLE, SIGNALLING, NOTIFICATION, 20, 24);
	CHECK_EQ(pnc_completion_event(&completion, event, sizeof(event), done), 0);
}

TEST(test_packets_beyond_the_most_are_passed_over)
{
	pnc_completion_init(&completion);
	for (unsigned i = 0; i < 2u * PNC_COMPLETION_MOST; i++) {
		notify(HANDLE);
	}
	CHECK_EQ(complete(HANDLE, 2u * PNC_COMPLETION_MOST), PNC_COMPLETION_MOST);
	notify(HANDLE);
	CHECK_EQ(complete(HANDLE, 1), 1);
}

TEST(test_each_entry_of_an_event_has_its_own_count)
{
	uint8_t both[] = {0x13, 9, 2, 1, 0, 1, 0, 2, 0, 2, 0};

	pnc_completion_init(&completion);
	for (int i = 0; i < 5; i++) {
		notify(1);
		notify(2);
	}
	CHECK_EQ(pnc_completion_event(&completion, both, sizeof(both), done), 2);
	CHECK_EQ(complete(1, 5), 4);
	CHECK_EQ(complete(2, 5), 3);
}

TEST(test_what_follows_an_event_or_its_entries_is_passed_over)
{
	const uint8_t followed[] = {0x13, 5, 1, HANDLE, 0, 1, 0, 7, 7};
	const uint8_t padded[] = {0x13, 10, 1, HANDLE, 0, 1, 0, 7, 7, 7, 7, 7};
	const uint8_t cut[] = {0x13, 4, 1, HANDLE, 0, 1, 0};
	const uint8_t empty[] = {0x13, 0, 1, HANDLE, 0, 1, 0};

	pnc_completion_init(&completion);
	notify(HANDLE);
	notify(HANDLE);
	CHECK_EQ(pnc_completion_event(&completion, cut, sizeof(cut), done), 0);
	CHECK_EQ(pnc_completion_event(&completion, empty, sizeof(empty), done), 0);
	CHECK_EQ(pnc_completion_event(&completion, followed, sizeof(followed), done), 1);
	CHECK_EQ(pnc_completion_event(&completion, padded, sizeof(padded), done), 1);
}

TEST(test_any_traffic_tells_no_more_packets_than_went_out)
{
	uint32_t seed = 1;
	int sent = 0, told = 0;

	pnc_completion_init(&completion);
	for (int turn = 0; turn < 20000; turn++) {
		uint8_t bytes[64];
		size_t len = check_random(&seed) % sizeof(bytes);

		for (size_t i = 0; i < len; i++) {
			bytes[i] = (uint8_t)(check_random(&seed) % 20);
		}
		if (turn % 3 == 0) {
			notify((uint16_t)(check_random(&seed) % 4));
			sent++;
		} else if (turn % 3 == 1) {
			bytes[0] = 0x13;
			bytes[1] = (uint8_t)(len > 2 ? len - 2 : 0);
			for (size_t i = pnc_completion_event(&completion, bytes, len, done); i > 0; i--) {
				told += done[i - 1].packets;
			}
		} else {
			pnc_completion_sent(&completion, bytes, len % 8);
		}
		CHECK(told <= sent);
	}
	CHECK(told > 100);
}
