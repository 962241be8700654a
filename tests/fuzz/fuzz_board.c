/* One board between a host and an air that both say anything. */
#include "board_ops.h"
#include "fuzz.h"
#include "pnc/board.h"

static struct pnc_board board;
static struct pnc_frame_reader host; /* reads what the board says */
static uint8_t seq;
static uint32_t now_us;

static bool on_configure(void *user, const struct pnc_configure *c)
{
	(void)user;
	ALWAYS(c->role <= PNC_ROLE_EDGE && c->phy <= PNC_PHY_AUTO && c->address_type <= 1u);
	ALWAYS(c->interval_us == 0 || (c->interval_us >= 7500u && c->interval_us <= 4000000u));
	return c->tx_power_dbm >= 0;
}

static int8_t on_rssi(void *user, uint8_t peer)
{
	(void)user;
	ALWAYS(peer < PNC_PEERS);
	return -70;
}

static void on_wake(void *user)
{
	(void)user;
}

static const struct pnc_board_ops ops = {
	.configure = on_configure,
	.pair = on_pair,
	.pairing = on_pairing,
	.reset = on_reset,
	.rssi_dbm = on_rssi,
	.wake = on_wake,
};

static void check(void)
{
	const struct pnc_queue_totals *t = &board.queue.totals;
	ALWAYS(t->accepted == t->sent + t->expired + t->evicted + t->flushed + board.queue.waiting);
	ALWAYS(board.queue.waiting <= PNC_QUEUE_SLOTS);
	ALWAYS(board.control.to_serial + board.control.to_radio <= PNC_CONTROL_SLOTS);
	ALWAYS(board.sent_frames.oldest < PNC_SENT_FRAMES);
	ALWAYS(board.frame_at <= board.frame_len && board.frame_len <= PNC_MAX_FRAME + 1u);
	ALWAYS(board.open || (!board.credit_due && board.control.to_serial == 0));
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		const struct pnc_peer *p = &board.peers[i];
		ALWAYS(p->tx_window.count <= board.identity.in_flight && p->tx_window.first < PNC_IN_FLIGHT_MAX);
		ALWAYS(p->state == (p->connected ? p->hello_state : PNC_LINK_STATE_DOWN));
	}
}

static void hear(size_t room)
{
	uint8_t *bytes = malloc(room + 1u);
	ALWAYS(bytes != NULL);
	size_t len = pnc_board_serial_tx(&board, now_us, bytes, room);
	ALWAYS(len <= room);
	for (size_t i = 0; i < len; i++) {
		enum pnc_frame_event event = pnc_frame_read(&host, bytes[i]);
		ALWAYS(event != PNC_FRAME_DAMAGED);
		ALWAYS(event != PNC_FRAME_PACKET || host.gap == 0);
	}
	free(bytes);
}

static void transmit(uint8_t peer)
{
	uint8_t *packet = malloc(PNC_MAX_PACKET);
	ALWAYS(packet != NULL);
	size_t len = pnc_board_radio_tx(&board, now_us, peer, packet);
	ALWAYS(len <= PNC_MAX_PACKET);
	if (len > 0) {
		ALWAYS(len + 3u <= board.peers[peer].link.mtu);
		ALWAYS((packet[0] & PNC_PICTURE_FLAGS_PICTURE) == 0 ||
		       (board.identity.role == PNC_ROLE_CAMERA && pnc_get16(packet + PNC_PICTURE_REMAINING_AT) > 0));
	}
	free(packet);
}

static void say(const uint8_t *packet, size_t len)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	if (len > 0) {
		pnc_board_serial_rx(&board, now_us, frame, pnc_frame_write(seq++, packet, len, frame));
	}
}

static void radio_up(struct input *in, uint8_t peer)
{
	uint8_t how = eat(in);
	struct pnc_radio_link link = {7500, 247, PNC_PHY_LE_2M, 0};
	if (how % 4u == 0) {
		link = (struct pnc_radio_link){eat32(in), eat16(in), eat(in), how >> 2};
	}
	pnc_board_radio_up(&board, now_us, peer, &link);
}

static void step(struct input *in)
{
	uint8_t bytes[255];
	uint8_t what = eat(in);
	uint8_t peer = what >> 4;
	size_t len;
	switch (what & 0xFu) {
	case 0:
		len = eat_some(in, bytes, sizeof(bytes));
		pnc_board_serial_rx(&board, now_us, bytes, len);
		break;
	case 1:
	case 2:
	case 3:
		len = eat_some(in, bytes, PNC_MAX_PACKET);
		say(bytes, len);
		break;
	case 4:
	case 5: {
		len = eat_some(in, bytes, sizeof(bytes));
		uint8_t *copy = exact_copy(bytes, len);
		pnc_board_radio_rx(&board, now_us, peer, copy, len);
		free(copy);
		break;
	}
	case 6:
		radio_up(in, peer);
		break;
	case 7:
		pnc_board_radio_down(&board, now_us, peer, eat(in));
		break;
	case 8:
	case 9:
		transmit(peer);
		break;
	case 10:
		pnc_board_radio_sent(&board, now_us, peer);
		break;
	case 11:
	case 12:
		hear(eat(in) * (size_t)(1u + (what >> 4)));
		break;
	case 13:
		now_us += eat(in) * 500u;
		pnc_board_tick(&board, now_us);
		break;
	case 14:
		pnc_board_pairing_changed(&board, now_us);
		break;
	default:
		if (peer == 15u) {
			pnc_board_serial_closed(&board, now_us);
		}
		break;
	}
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t how = eat(&in);
	struct pnc_board_identity identity = {.role = how % 3u, .in_flight = how >> 4, .name = "fuzzed"};
	uint8_t packet[PNC_MAX_PACKET];
	struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_HOST};
	now_us = (how & 8u) == 0 ? 0 : UINT32_MAX - 30000u;
	seq = 0;
	pnc_frame_reader_init(&host);
	pnc_board_init(&board, &identity, &ops, NULL, now_us);
	if ((how & 4u) == 0) {
		static const struct pnc_radio_link link = {7500, 247, PNC_PHY_LE_2M, 0};
		size_t len = pnc_hello_write(&hello, packet);
		say(packet, len);
		pnc_board_radio_up(&board, now_us, 0, &link);
		packet[3] = PNC_KIND_BOARD;
		pnc_board_radio_rx(&board, now_us, 0, packet, len);
	}
	while (in.left > 0) {
		step(&in);
	}
	return 0;
}
