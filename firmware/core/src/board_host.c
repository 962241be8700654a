/* Packets from the host. */
#include "board_internal.h"

/* Fields of configure, counted from 0: the detail of a "configure" error. */
enum {
	FIELD_ROLE = 0,
	FIELD_PHY = 1,
	FIELD_ADDRESS_TYPE = 3,
	FIELD_INTERVAL = 5,
	NO_FIELD = 6,
};

#define INTERVAL_MIN_US 7500u
#define INTERVAL_MAX_US 4000000u
#define VERSION_AT 2u
/* Detail of a "configure" error where every field is legal, but the radio cannot apply them. */
#define REFUSED_BY_RADIO 255u

static void malformed(struct pnc_board *b, uint8_t type)
{
	b->unknown++;
	pnc_board_error(b, PNC_ERROR_CODE_MALFORMED, type);
}

static void on_hello(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_hello hello;
	if (len > VERSION_AT && packet[VERSION_AT] != PNC_VERSION) {
		pnc_board_end_session(b);
		pnc_board_error(b, PNC_ERROR_CODE_VERSION, PNC_VERSION);
		b->hello_due = true;
		return;
	}
	if (!pnc_hello_read(&hello, packet, len) || hello.kind != PNC_KIND_HOST) {
		malformed(b, PNC_TYPE_HELLO);
		return;
	}
	pnc_board_end_session(b);
	pnc_frame_reader_restart(&b->reader);
	b->taken = 0;
	b->acked_packets = 0;
	b->acked_bytes = 0;
	b->open = true;
	b->sessions++;
	b->hello_due = true;
	b->credit_due = true;
	b->errors_due = b->faults;
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		b->peers[i].report_due = b->peers[i].connected;
	}
}

static uint8_t first_illegal_field(const struct pnc_configure *c)
{
	if (c->role > PNC_ROLE_EDGE) {
		return FIELD_ROLE;
	}
	if (c->phy > PNC_PHY_AUTO) {
		return FIELD_PHY;
	}
	if (c->address_type > 1u) {
		return FIELD_ADDRESS_TYPE;
	}
	if (c->interval_us != 0 && (c->interval_us < INTERVAL_MIN_US || c->interval_us > INTERVAL_MAX_US)) {
		return FIELD_INTERVAL;
	}
	return NO_FIELD;
}

static void on_configure(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_configure configuration;
	if (!pnc_configure_read(&configuration, packet, len)) {
		malformed(b, PNC_TYPE_CONFIGURE);
		return;
	}
	uint8_t illegal = first_illegal_field(&configuration);
	if (illegal != NO_FIELD) {
		pnc_board_error(b, PNC_ERROR_CODE_CONFIGURE, illegal);
		return;
	}
	if (!b->ops->configure(b->user, &configuration)) {
		pnc_board_error(b, PNC_ERROR_CODE_CONFIGURE, REFUSED_BY_RADIO);
		return;
	}
	if (b->identity.role != configuration.role) {
		(void)pnc_queue_flush_all(&b->queue);
		pnc_sent_frames_clear(&b->sent_frames);
		b->identity.role = configuration.role;
	}
	b->hello_due = true;
	b->credit_due = true;
}

static void refused(struct pnc_board *b, uint8_t type)
{
	pnc_board_error(b, PNC_ERROR_CODE_REFUSED, type);
}

static void on_pair(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_pair pair;
	if (!pnc_pair_read(&pair, packet, len) || pair.action > PNC_PAIR_ACTION_FORGET ||
	    pair.method > PNC_PAIR_METHOD_OUT_OF_BAND || pair.address_type > 1u) {
		malformed(b, PNC_TYPE_PAIR);
	} else if (!b->ops->pair(b->user, &pair)) {
		refused(b, PNC_TYPE_PAIR);
	}
}

static void on_reset(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_reset reset;
	if (!pnc_reset_read(&reset, packet, len) || reset.kind > PNC_RESET_KIND_BOOTLOADER) {
		malformed(b, PNC_TYPE_RESET);
	} else if (!b->ops->reset(b->user, reset.kind)) {
		refused(b, PNC_TYPE_RESET);
	}
}

static void on_flush(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_flush flush;
	if (!pnc_flush_read(&flush, packet, len) || flush.peer >= PNC_PEERS || flush.all > 1u) {
		malformed(b, PNC_TYPE_FLUSH);
		return;
	}
	pnc_sent_frames_flush(&b->sent_frames, flush.peer, flush.image, flush.all);
	if (flush.all) {
		(void)pnc_queue_flush_source(&b->queue, flush.peer);
	} else {
		(void)pnc_queue_flush(&b->queue, flush.peer, flush.image);
	}
	b->credit_due = true;
}

static void on_statistics_request(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_statistics_request request;
	if (!pnc_statistics_request_read(&request, packet, len) || request.peer >= PNC_PEERS) {
		malformed(b, PNC_TYPE_STATISTICS_REQUEST);
		return;
	}
	b->peers[request.peer].statistics_due = true;
}

/* Forward a packet to a peer: for the remote board or its host. */
static void to_peer(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	uint8_t peer = packet[1];
	if (peer >= PNC_PEERS || b->peers[peer].state != PNC_LINK_STATE_UP) {
		pnc_board_error(b, PNC_ERROR_CODE_NO_LINK, peer);
		return;
	}
	pnc_board_forward(b, peer, 0, packet, len);
}

static void on_ping(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	struct pnc_ping ping;
	if (!pnc_ping_read(&ping, packet, len) || ping.hop > PNC_HOP_PEER_HOST) {
		malformed(b, PNC_TYPE_PING);
	} else if (ping.hop == PNC_HOP_BOARD) {
		b->credit_due = true;
		pnc_board_pong(b, PNC_TO_SERIAL, ping.peer, &ping);
	} else {
		to_peer(b, packet, len);
	}
}

static void on_answer(struct pnc_board *b, const uint8_t *packet, size_t len)
{
	size_t needed = packet[0] == PNC_TYPE_PONG ? PNC_PONG_SIZE : PNC_RESULT_SIZE;
	if (len < needed) {
		malformed(b, packet[0]);
	} else {
		to_peer(b, packet, len);
	}
}

/* Send a packet again that did not arrive: pictures and forwarded packets through their queues, states as they are now.
 */
static void again(struct pnc_board *b, uint32_t now_us, const uint8_t *packet, size_t len)
{
	switch (packet[0]) {
	case PNC_TYPE_LINK:
		b->peers[packet[1]].report_due = true;
		break;
	case PNC_TYPE_STATISTICS:
		b->peers[packet[1]].statistics_due = true;
		break;
	case PNC_TYPE_PAIRING:
		b->pairing_due = true;
		break;
	case PNC_TYPE_PING:
	case PNC_TYPE_PONG:
	case PNC_TYPE_RESULT:
		(void)pnc_control_push(&b->control, PNC_TO_SERIAL, packet, len);
		break;
	default:
		(void)pnc_queue_return(&b->queue, now_us, packet, len);
		break;
	}
}

static void on_repeat(struct pnc_board *b, uint32_t now_us, const uint8_t *packet, size_t len)
{
	struct pnc_repeat repeat;
	uint8_t kept[PNC_MAX_PACKET];
	size_t kept_len;
	if (!pnc_repeat_read(&repeat, packet, len)) {
		malformed(b, PNC_TYPE_REPEAT);
		return;
	}
	while ((kept_len = pnc_sent_frames_take(&b->sent_frames, now_us, b->frames, repeat.next_seq, repeat.missing,
						kept)) > 0) {
		again(b, now_us, kept, kept_len);
	}
}

static void on_picture(struct pnc_board *b, uint32_t now_us, const uint8_t *packet, size_t len)
{
	if (b->identity.role != PNC_ROLE_CAMERA) {
		pnc_board_error(b, PNC_ERROR_CODE_NOT_READY, b->identity.role);
		return;
	}
	if (len <= PNC_PICTURE_HEADER) {
		malformed(b, packet[0]);
		return;
	}
	b->taken++;
	enum pnc_push outcome = pnc_board_enqueue(b, now_us, 0, packet, len);
	if (outcome == PNC_PUSH_EVICTED || outcome == PNC_PUSH_REFUSED) {
		pnc_board_error(b, PNC_ERROR_CODE_OVERRUN, packet[PNC_PICTURE_RANK_AT]);
	}
}

/* Process one packet. */
static void on_packet(struct pnc_board *b, uint32_t now_us, const uint8_t *packet, size_t len)
{
	if (packet[0] == PNC_TYPE_HELLO) {
		on_hello(b, packet, len);
		return;
	}
	if (!b->open) {
		pnc_board_error(b, PNC_ERROR_CODE_NOT_READY, b->identity.role);
		return;
	}
	if ((packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0) {
		on_picture(b, now_us, packet, len);
		return;
	}
	switch (packet[0]) {
	case PNC_TYPE_CONFIGURE:
		on_configure(b, packet, len);
		break;
	case PNC_TYPE_FLUSH:
		on_flush(b, packet, len);
		break;
	case PNC_TYPE_PAIR:
		on_pair(b, packet, len);
		break;
	case PNC_TYPE_RESET:
		on_reset(b, packet, len);
		break;
	case PNC_TYPE_STATISTICS_REQUEST:
		on_statistics_request(b, packet, len);
		break;
	case PNC_TYPE_PING:
		on_ping(b, packet, len);
		break;
	case PNC_TYPE_REPEAT:
		on_repeat(b, now_us, packet, len);
		break;
	case PNC_TYPE_PONG:
	case PNC_TYPE_RESULT:
		on_answer(b, packet, len);
		break;
	default:
		b->unknown++;
		break;
	}
}

void pnc_board_host_read(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		i += pnc_frame_read_data(&b->reader, bytes + i, len - i);
		if (i == len) {
			break;
		}
		enum pnc_frame_event event = pnc_frame_read(&b->reader, bytes[i]);
		if (event == PNC_FRAME_DAMAGED || (event == PNC_FRAME_PACKET && b->reader.gap > 0)) {
			b->credit_due = b->open;
		}
		if (event == PNC_FRAME_PACKET) {
			b->unreported = (uint8_t)(b->unreported + (b->unreported < UINT8_MAX));
			b->heard_ms = b->uptime_ms;
			on_packet(b, now_us, b->reader.packet, b->reader.len);
		}
	}
}
