/* A board under test: a host that speaks frames to it and keeps what it says. */
#ifndef PNC_RIG_H
#define PNC_RIG_H

#include "check.h"
#include "pictures.h"
#include "pnc/board.h"

#define HEARD_MAX 2048u
#define MS 1000u

struct heard {
	uint8_t packet[PNC_MAX_PACKET];
	uint8_t len;
};

struct rig {
	struct pnc_board board;
	uint8_t seq; /* of the host's next frame */
	struct pnc_frame_reader reader;
	struct heard heard[HEARD_MAX];
	size_t heard_count;
	unsigned wakes;
	bool radio_refuses;
	struct pnc_configure configured;
	unsigned configure_calls;
	struct pnc_pair paired;
	unsigned pair_calls;
	unsigned reset_calls;
};

static const struct pnc_radio_link rig_link = {.interval_us = 7500, .mtu = 247, .phy = PNC_PHY_LE_2M};

static inline bool rig_configure(void *user, const struct pnc_configure *configuration)
{
	struct rig *r = user;
	r->configured = *configuration;
	r->configure_calls++;
	return !r->radio_refuses;
}

static inline bool rig_pair(void *user, const struct pnc_pair *pair)
{
	struct rig *r = user;
	r->paired = *pair;
	r->pair_calls++;
	return !r->radio_refuses;
}

static inline void rig_pairing(void *user, struct pnc_pairing *pairing)
{
	struct rig *r = user;
	if (r->paired.action == PNC_PAIR_ACTION_OPEN) {
		pairing->open = 1;
	}
	pairing->left_s = r->paired.window_s;
	pairing->bonds = 3;
}

static inline bool rig_reset(void *user, uint8_t kind)
{
	struct rig *r = user;
	r->reset_calls++;
	return kind != PNC_RESET_KIND_BOOTLOADER;
}

static inline int8_t rig_rssi(void *user, uint8_t peer)
{
	(void)user;
	return (int8_t)(-40 - peer);
}

static inline void rig_wake(void *user)
{
	struct rig *r = user;
	r->wakes++;
}

static const struct pnc_board_ops rig_ops = {
	.configure = rig_configure,
	.pair = rig_pair,
	.pairing = rig_pairing,
	.reset = rig_reset,
	.rssi_dbm = rig_rssi,
	.wake = rig_wake,
};

static inline void rig_start_as(struct rig *r, const struct pnc_board_identity *identity, uint32_t now_us)
{
	memset(r, 0, sizeof(*r));
	pnc_frame_reader_init(&r->reader);
	pnc_board_init(&r->board, identity, &rig_ops, r, now_us);
}

static inline void rig_start(struct rig *r, enum pnc_role role, uint32_t now_us)
{
	const struct pnc_board_identity identity = {
		.board_id = 0x1122334455667788u,
		.session = 77,
		.capabilities = PNC_CAPABILITY_VIRTUAL,
		.firmware = {1, 2, 3},
		.role = (uint8_t)role,
		.in_flight = 4,
		.name = "rig",
	};
	rig_start_as(r, &identity, now_us);
}

/* The host sends a packet. */
static inline void rig_say(struct rig *r, uint32_t now_us, const uint8_t *packet, size_t len)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	size_t written = pnc_frame_write(r->seq++, packet, len, frame);
	pnc_board_serial_rx(&r->board, now_us, frame, written);
}

#define RIG_SAY(r, now_us, name, ...)                                                                                  \
	do {                                                                                                           \
		uint8_t rig_packet[PNC_MAX_PACKET];                                                                    \
		struct pnc_##name rig_value = {__VA_ARGS__};                                                           \
		rig_say(r, now_us, rig_packet, pnc_##name##_write(&rig_value, rig_packet));                            \
	} while (0)

static inline void rig_hello(struct rig *r, uint32_t now_us)
{
	RIG_SAY(r, now_us, hello, .version = PNC_VERSION, .kind = PNC_KIND_HOST);
}

static inline void rig_picture(struct rig *r, uint32_t now_us, struct picture p)
{
	uint8_t packet[PNC_MAX_PACKET];
	rig_say(r, now_us, packet, picture_write(&p, packet));
}

/* Forgets what was heard and pulls everything that the board has to say. */
static inline void rig_hear(struct rig *r, uint32_t now_us)
{
	uint8_t bytes[97];
	size_t n;
	r->heard_count = 0;
	while ((n = pnc_board_serial_tx(&r->board, now_us, bytes, sizeof(bytes))) > 0) {
		for (size_t i = 0; i < n; i++) {
			enum pnc_frame_event event = pnc_frame_read(&r->reader, bytes[i]);
			CHECK(event != PNC_FRAME_DAMAGED);
			if (event == PNC_FRAME_PACKET) {
				CHECK_EQ(r->reader.gap, 0);
				CHECK(r->heard_count < HEARD_MAX);
				struct heard *h = &r->heard[r->heard_count++];
				memcpy(h->packet, r->reader.packet, r->reader.len);
				h->len = r->reader.len;
			}
		}
	}
}

/* The k-th packet heard with that first byte, k from 0; NULL if there are not so many. */
static inline const struct heard *rig_find(const struct rig *r, uint8_t first, size_t k)
{
	for (size_t i = 0; i < r->heard_count; i++) {
		if (r->heard[i].packet[0] == first && k-- == 0) {
			return &r->heard[i];
		}
	}
	return NULL;
}

static inline size_t rig_count(const struct rig *r, uint8_t first)
{
	size_t n = 0;
	while (rig_find(r, first, n) != NULL) {
		n++;
	}
	return n;
}

/* Reads the first packet heard of a type into *value; the test fails if there is none. */
#define RIG_READ(r, name, NAME, value)                                                                                 \
	do {                                                                                                           \
		const struct heard *rig_found = rig_find(r, PNC_TYPE_##NAME, 0);                                       \
		CHECK(rig_found != NULL);                                                                              \
		CHECK(pnc_##name##_read(value, rig_found->packet, rig_found->len));                                    \
	} while (0)

/* The detail of the error with that code; the test fails if there is none. */
static inline uint32_t rig_error(const struct rig *r, uint8_t code)
{
	struct pnc_error error;
	for (size_t k = 0; k < rig_count(r, PNC_TYPE_ERROR); k++) {
		const struct heard *h = rig_find(r, PNC_TYPE_ERROR, k);
		CHECK(pnc_error_read(&error, h->packet, h->len));
		CHECK(error.text_len > 0);
		if (error.code == code) {
			return error.detail;
		}
	}
	bool error_was_heard = false;
	CHECK(error_was_heard);
	return 0;
}

static inline void rig_check_accounts(const struct rig *r)
{
	const struct pnc_queue_totals *t = &r->board.queue.totals;
	CHECK_EQ(t->accepted, t->sent + t->expired + t->evicted + t->flushed + r->board.queue.waiting);
}

/* The radio of a peer connects and the board across says hello; what the board says over the air is passed over. */
static inline void rig_connect(struct rig *r, uint32_t now_us, uint8_t peer)
{
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_BOARD};
	pnc_board_radio_up(&r->board, now_us, peer, &rig_link);
	pnc_board_radio_rx(&r->board, now_us, peer, packet, pnc_hello_write(&hello, packet));
	CHECK(pnc_board_radio_tx(&r->board, now_us, peer, packet) > 0);
	CHECK_EQ(packet[0], PNC_TYPE_HELLO);
	pnc_board_radio_sent(&r->board, now_us, peer);
}

/* A board in a role, a host at its port, peer 0 connected; nothing left to say. */
static inline void rig_ready(struct rig *r, enum pnc_role role)
{
	rig_start(r, role, 0);
	rig_hello(r, 0);
	rig_connect(r, 0, 0);
	rig_hear(r, 0);
}

#endif
