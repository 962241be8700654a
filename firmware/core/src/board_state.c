/* What the host side, the air side and the reports share: errors, the end of a session, adding to the queues, this
 * board's hello, and the state that every entry point brings up to date. */
#include "board_internal.h"
#include "pnc/clock.h"

/* A credit goes out after this many frames at the latest. */
#define CREDIT_EVERY 8u

void pnc_board_error(struct pnc_board *b, enum pnc_error_code code, uint32_t detail)
{
	b->errors_due |= 1u << code;
	b->error_detail[code] = detail;
}

void pnc_board_end_session(struct pnc_board *b)
{
	b->open = false;
	b->hello_due = false;
	b->note_due = false;
	b->credit_due = false;
	b->pairing_due = false;
	b->errors_due = 0;
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		b->peers[i].statistics_due = false;
		pnc_tx_window_forget_session(&b->peers[i].tx_window);
	}
	pnc_control_clear(&b->control, PNC_TO_SERIAL);
	pnc_sent_frames_clear(&b->sent_frames);
	if (b->identity.role == PNC_ROLE_CAMERA) {
		(void)pnc_queue_flush_all(&b->queue);
	}
}

enum pnc_push pnc_board_enqueue(struct pnc_board *b, uint32_t now_us, uint8_t source, const uint8_t *packet, size_t len)
{
	PNC_WORDWISE uint8_t copy[PNC_MAX_PACKET];
	memcpy(copy, packet, len);
	copy[0] = (uint8_t)((copy[0] & ~(unsigned)PNC_PICTURE_FLAGS_SOURCE) | source);
	return pnc_queue_push(&b->queue, now_us, copy, len);
}

void pnc_board_forward(struct pnc_board *b, uint8_t to, uint8_t peer, const uint8_t *packet, size_t len)
{
	uint8_t copy[PNC_MAX_PACKET];
	memcpy(copy, packet, len);
	copy[1] = peer;
	(void)pnc_control_push_result(&b->control, to, copy, len);
}

void pnc_board_pong(struct pnc_board *b, uint8_t to, uint8_t peer, const struct pnc_ping *ping)
{
	uint8_t packet[PNC_PONG_SIZE];
	struct pnc_pong pong = {.peer = peer, .hop = ping->hop, .token = ping->token, .origin_us = ping->origin_us};
	(void)pnc_control_push(&b->control, to, packet, pnc_pong_write(&pong, packet));
}

size_t pnc_board_hello_len(const struct pnc_board *b)
{
	return PNC_HELLO_SIZE + strlen(b->identity.name);
}

size_t pnc_board_hello(const struct pnc_board *b, uint8_t *out)
{
	const struct pnc_board_identity *i = &b->identity;
	struct pnc_hello hello = {
		.version = PNC_VERSION,
		.kind = PNC_KIND_BOARD,
		.role = i->role,
		.boot = i->boot,
		.capabilities = i->capabilities,
		.firmware = {i->firmware[0], i->firmware[1], i->firmware[2]},
		.slots = PNC_QUEUE_SLOTS,
		.in_flight = i->in_flight,
		.sessions = b->sessions,
		.session = i->session,
		.board_id = i->board_id,
		.name = (const uint8_t *)i->name,
		.name_len = (uint8_t)strlen(i->name),
	};
	return pnc_hello_write(&hello, out);
}

/* Return true while the link is up and a picture packet is in the queue or in flight. */
static bool is_busy(const struct pnc_board *b)
{
	const struct pnc_peer *p = &b->peers[0];
	if (b->identity.role != PNC_ROLE_CAMERA || p->state != PNC_LINK_STATE_UP) {
		return false;
	}
	return b->queue.waiting > 0 || pnc_tx_window_pictures(&p->tx_window) > 0;
}

static uint32_t dropped(const struct pnc_queue_totals *t)
{
	return t->expired + t->evicted + t->flushed;
}

void pnc_board_update(struct pnc_board *b, uint32_t now_us)
{
	uint32_t passed_ms = (now_us - b->uptime_us) / PNC_US_PER_MS;
	b->uptime_ms += passed_ms;
	b->uptime_us += passed_ms * PNC_US_PER_MS;
	if (b->busy) {
		b->busy_us += now_us - b->busy_at_us;
	}
	b->busy_at_us = now_us;
	b->busy = is_busy(b);
	bool in_flight = b->identity.role == PNC_ROLE_CAMERA && b->peers[0].tx_window.count > 0;
	bool work = b->queue.waiting > 0 || in_flight || b->unreported > 0;
	bool stale = now_us - b->credited_us >= PNC_CREDIT_REFRESH_MS * PNC_US_PER_MS;
	if (b->open &&
	    ((work && stale) || b->unreported >= CREDIT_EVERY || dropped(&b->queue.totals) != b->credited_dropped)) {
		b->credit_due = true;
	}
}
