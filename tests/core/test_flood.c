/* A megabyte of garbage on either side of a board: nothing breaks, and service goes on. */
#include "rig.h"

#define FLOOD (1024u * 1024u)

static struct rig rig;

static void check_service(uint32_t now_us)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len;
	rig_hello(&rig, now_us);
	rig_hear(&rig, now_us);
	CHECK_EQ(rig.heard[0].packet[0], PNC_TYPE_HELLO);
	rig_picture(&rig, now_us, (struct picture){.rank = 3, .position = 0xABCD, .remaining_ms = 50});
	len = pnc_board_radio_tx(&rig.board, now_us + 20 * MS, 0, packet);
	CHECK(len > 0);
	struct picture p = picture_read(packet, len);
	CHECK_EQ(p.position, 0xABCD);
	CHECK_EQ(p.remaining_ms, 30);
	pnc_board_radio_sent(&rig.board, now_us + 20 * MS, 0);
	rig_check_accounts(&rig);
}

TEST(test_service_goes_on_after_a_megabyte_of_garbage_on_the_serial_port)
{
	uint8_t bytes[64];
	uint32_t random = 2026;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	for (uint32_t sent = 0; sent < FLOOD; sent += sizeof(bytes)) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			uint32_t value = check_random(&random);
			bytes[i] = value % 7u == 0 ? 0 : (uint8_t)(value >> 8);
		}
		pnc_board_serial_rx(&rig.board, sent, bytes, sizeof(bytes));
		if (sent % 65536u == 0) {
			rig_hear(&rig, sent);
			CHECK(rig.heard_count <= 8u);
		}
	}
	CHECK(rig.board.reader.damaged > 10000u);
	static const uint8_t zero;
	pnc_board_serial_rx(&rig.board, FLOOD, &zero, 1);
	check_service(FLOOD);
}

TEST(test_service_goes_on_after_a_megabyte_of_sound_frames_with_garbage_in_them)
{
	uint8_t packet[PNC_MAX_PACKET];
	uint32_t random = 7;
	uint32_t sent = 0;
	rig_ready(&rig, PNC_ROLE_CAMERA);
	while (sent < FLOOD) {
		size_t len = 1u + check_random(&random) % PNC_MAX_PACKET;
		for (size_t i = 0; i < len; i++) {
			packet[i] = (uint8_t)check_random(&random);
		}
		if (check_random(&random) % 2u == 0) {
			packet[0] %= 16u;
		}
		if (packet[0] == PNC_TYPE_CONFIGURE && packet[2] == PNC_ROLE_EDGE) {
			packet[2] = PNC_ROLE_CAMERA;
		}
		rig_say(&rig, sent, packet, len);
		rig_check_accounts(&rig);
		if (len % 16u == 0) {
			rig_hear(&rig, sent);
		}
		sent += (uint32_t)len;
	}
	rig_hello(&rig, FLOOD);
	RIG_SAY(&rig, FLOOD, configure, .role = PNC_ROLE_CAMERA);
	while (pnc_board_radio_tx(&rig.board, FLOOD, 0, packet) > 0) {
		pnc_board_radio_sent(&rig.board, FLOOD, 0);
	}
	check_service(FLOOD);
}

TEST(test_service_goes_on_after_a_megabyte_of_garbage_on_the_air)
{
	uint8_t packet[300];
	uint32_t random = 77;
	static const enum pnc_role roles[] = {PNC_ROLE_EDGE, PNC_ROLE_CAMERA};
	for (int k = 0; k < 2; k++) {
		rig_ready(&rig, roles[k]);
		for (uint32_t sent = 0; sent < FLOOD;) {
			size_t len = check_random(&random) % (sizeof(packet) + 1u);
			for (size_t i = 0; i < len; i++) {
				packet[i] = (uint8_t)check_random(&random);
			}
			uint8_t peer = (uint8_t)(check_random(&random) % 16u);
			pnc_board_radio_rx(&rig.board, sent, peer, packet, len);
			rig_check_accounts(&rig);
			if (len % 16u == 0) {
				rig_hear(&rig, sent);
			}
			sent += (uint32_t)len;
		}
		CHECK_EQ(rig.configure_calls, 0);
		CHECK_EQ(rig.board.identity.role, roles[k]);
	}
	pnc_board_radio_down(&rig.board, FLOOD, 0, 8);
	rig_connect(&rig, FLOOD, 0);
	check_service(FLOOD);
}
