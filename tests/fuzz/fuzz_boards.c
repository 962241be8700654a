/* Drives a camera and an edge with whatever the input says, and checks after every step what must hold at every step.
 */
#include "board_ops.h"
#include "fuzz.h"
#include "pictures.h"
#include "pnc/board.h"

struct side {
	struct pnc_board board;
	struct pnc_frame_reader host; /* reads what the board says */
	uint8_t seq;
	bool woken;
};

static struct side sides[2];
static uint32_t now_us;

static uint64_t sent;
static uint64_t acked;

static bool on_configure(void *user, const struct pnc_configure *configuration)
{
	(void)user;
	ALWAYS(configuration->role <= PNC_ROLE_EDGE);
	return configuration->tx_power_dbm >= 0;
}

static int8_t on_rssi(void *user, uint8_t peer)
{
	(void)user;
	ALWAYS(peer < PNC_PEERS);
	return 127;
}

static void on_wake(void *user)
{
	struct side *s = user;
	s->woken = true;
}

static const struct pnc_board_ops ops = {
	.configure = on_configure,
	.pair = on_pair,
	.pairing = on_pairing,
	.reset = on_reset,
	.rssi_dbm = on_rssi,
	.wake = on_wake,
};

static void start(struct side *s, uint8_t role)
{
	struct pnc_board_identity identity = {.role = role, .in_flight = 3, .name = "fuzzed"};
	memset(s, 0, sizeof(*s));
	pnc_frame_reader_init(&s->host);
	pnc_board_init(&s->board, &identity, &ops, s, now_us);
}

static void check(const struct pnc_board *b)
{
	const struct pnc_queue_totals *t = &b->queue.totals;
	uint32_t in_radio = 0;
	ALWAYS(t->accepted == t->sent + t->expired + t->evicted + t->flushed + b->queue.waiting);
	ALWAYS(b->queue.waiting <= PNC_QUEUE_SLOTS);
	ALWAYS(b->control.to_serial + b->control.to_radio <= PNC_CONTROL_SLOTS);
	ALWAYS(b->sent_frames.oldest < PNC_SENT_FRAMES);
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		const struct pnc_peer *p = &b->peers[i];
		ALWAYS(p->tx_window.count <= b->identity.in_flight);
		ALWAYS(p->connected || p->tx_window.count == 0);
		in_radio += pnc_tx_window_pictures(&p->tx_window);
	}
	ALWAYS(b->acked + b->lost + in_radio <= t->sent);
}

/* Pulls what the board says to its host: always sound frames, one number after the other. */
static void hear(struct side *s, size_t room)
{
	uint8_t bytes[256];
	size_t len = pnc_board_serial_tx(&s->board, now_us, bytes, room);
	ALWAYS(len <= room);
	for (size_t i = 0; i < len; i++) {
		enum pnc_frame_event event = pnc_frame_read(&s->host, bytes[i]);
		ALWAYS(event != PNC_FRAME_DAMAGED);
		ALWAYS(event != PNC_FRAME_PACKET || s->host.gap == 0);
	}
}

static void say(struct side *s, const uint8_t *packet, size_t len)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	if (len > 0) {
		pnc_board_serial_rx(&s->board, now_us, frame, pnc_frame_write(s->seq++, packet, len, frame));
	}
}

/* Takes a packet from the radio of `from` and, if it arrives, gives it to the other side. */
static void fly(struct side *from, uint8_t from_peer, struct side *to, uint8_t to_peer, bool arrives)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_board_radio_tx(&from->board, now_us, from_peer, packet);
	ALWAYS(len <= PNC_MAX_PACKET);
	if (len > 0) {
		ALWAYS((packet[0] & PNC_PICTURE_FLAGS_PICTURE) == 0 ||
		       pnc_get16(packet + PNC_PICTURE_REMAINING_AT) > 0);
		ALWAYS(from->board.peers[from_peer].state == PNC_LINK_STATE_UP || packet[0] == PNC_TYPE_HELLO);
	}
	if (len > 0 && arrives) {
		pnc_board_radio_rx(&to->board, now_us, to_peer, packet, len);
	}
}

/* Pulls all that a board has for its host. A board that has not woken its adapter since has nothing. */
static void check_wake(struct side *s)
{
	bool speaks = s->board.frame_at < s->board.frame_len;
	uint8_t byte;
	while (pnc_board_serial_tx(&s->board, now_us, &byte, 1) > 0) {
		ALWAYS(speaks || s->woken);
		ALWAYS(pnc_frame_read(&s->host, byte) != PNC_FRAME_DAMAGED);
	}
	s->woken = false;
}

static void step(struct input *in)
{
	uint8_t bytes[260];
	uint8_t what = eat(in);
	struct side *s = &sides[what & 1u];
	struct side *other = &sides[1u - (what & 1u)];
	uint8_t peer = eat(in) % (PNC_PEERS + 1u);
	switch (what >> 1 & 0xFu) {
	case 0:
		pnc_board_serial_rx(&s->board, now_us, bytes, eat_some(in, bytes, 255));
		break;
	case 1:
		say(s, bytes, eat_some(in, bytes, PNC_MAX_PACKET));
		break;
	case 2: {
		struct pnc_hello hello = {.version = (uint8_t)(PNC_VERSION + (peer == 0)), .kind = PNC_KIND_HOST};
		say(s, bytes, pnc_hello_write(&hello, bytes));
		break;
	}
	case 3:
	case 4: {
		struct picture p = {.image = peer, .rank = eat(in), .remaining_ms = eat(in), .codec_bytes = peer};
		say(s, bytes, picture_write(&p, bytes));
		break;
	}
	case 5: {
		uint8_t how = eat(in);
		struct pnc_flush flush = {.peer = peer, .image = peer, .all = how & 1u};
		struct pnc_repeat repeat = {.next_seq = (uint8_t)(s->host.next_seq - how % 8u),
					    .missing = how * 0x01010101u};
		if (how < 128) {
			say(s, bytes, pnc_flush_write(&flush, bytes));
		} else {
			say(s, bytes, pnc_repeat_write(&repeat, bytes));
		}
		break;
	}
	case 6: {
		struct pnc_ping ping = {.peer = peer & 1u, .hop = eat(in) % 4u};
		say(s, bytes, pnc_ping_write(&ping, bytes));
		break;
	}
	case 7: {
		uint8_t width = eat(in);
		struct pnc_radio_link link = {7500, width < 220 ? 247 : width, PNC_PHY_LE_2M, width % 5u};
		pnc_board_radio_up(&s->board, now_us, peer, &link);
		break;
	}
	case 8:
		if (eat(in) % 8u == 0) {
			pnc_board_radio_down(&s->board, now_us, peer, 8);
		}
		break;
	case 9:
		pnc_board_radio_rx(&s->board, now_us, peer, bytes, eat_some(in, bytes, 255));
		break;
	case 10:
	case 11:
		fly(s, 0, other, 0, eat(in) % 8u != 0);
		break;
	case 12:
		pnc_board_radio_sent(&s->board, now_us, peer % 2u);
		break;
	case 13:
		hear(s, eat(in));
		break;
	case 14:
		now_us += eat(in) * 500u;
		pnc_board_tick(&sides[0].board, now_us);
		pnc_board_tick(&sides[1].board, now_us);
		break;
	default:
		if (peer == 0) {
			pnc_board_serial_closed(&s->board, now_us);
		} else {
			check_wake(&sides[0]);
			check_wake(&sides[1]);
		}
		break;
	}
	check(&sides[0].board);
	check(&sides[1].board);
}

/* A good beginning, so that an input need not find it: sessions are open and the boards have met. */
static void meet(void)
{
	static const struct pnc_radio_link link = {7500, 247, PNC_PHY_LE_2M, 0};
	for (int i = 0; i < 2; i++) {
		uint8_t packet[PNC_MAX_PACKET];
		struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_HOST};
		say(&sides[i], packet, pnc_hello_write(&hello, packet));
		pnc_board_radio_up(&sides[i].board, now_us, 0, &link);
	}
	fly(&sides[0], 0, &sides[1], 0, true);
	fly(&sides[1], 0, &sides[0], 0, true);
	pnc_board_radio_sent(&sides[0].board, now_us, 0);
	pnc_board_radio_sent(&sides[1].board, now_us, 0);
	ALWAYS(sides[0].board.peers[0].state == PNC_LINK_STATE_UP);
	ALWAYS(sides[1].board.peers[0].state == PNC_LINK_STATE_UP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	now_us = eat(&in) % 2u == 0 ? 0 : UINT32_MAX - 30000u;
	start(&sides[0], PNC_ROLE_CAMERA);
	start(&sides[1], PNC_ROLE_EDGE);
	if (eat(&in) % 8u != 0) {
		meet();
	}
	while (in.left > 0) {
		step(&in);
	}
	sent += sides[0].board.queue.totals.sent + sides[1].board.queue.totals.sent;
	acked += sides[0].board.acked;
	return 0;
}

void fuzz_summary(void);

void fuzz_summary(void)
{
	printf("%llu pictures sent on, %llu acknowledged\n", (unsigned long long)sent, (unsigned long long)acked);
}
