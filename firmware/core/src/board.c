#include "pnc/board.h"

#include "board_parts.h"
#include "pnc/clock.h"

_Static_assert(PNC_PEERS >= 1u && PNC_PEERS <= PNC_MAX_SOURCES, "a peer's number is a source");
_Static_assert(PNC_IN_FLIGHT_MAX >= 1u && PNC_IN_FLIGHT_MAX <= 16u, "packets inside the radio");

void pnc_board_init(struct pnc_board *b, const struct pnc_board_identity *identity, const struct pnc_board_ops *ops,
		    void *user, uint32_t now_us)
{
	memset(b, 0, sizeof(*b));
	b->identity = *identity;
	if (b->identity.in_flight < 1u) {
		b->identity.in_flight = 1u;
	} else if (b->identity.in_flight > PNC_IN_FLIGHT_MAX) {
		b->identity.in_flight = PNC_IN_FLIGHT_MAX;
	}
	b->identity.name[PNC_HELLO_NAME] = 0;
	b->ops = ops;
	b->user = user;
	b->uptime_us = now_us;
	b->credited_us = now_us;
	b->busy_at_us = now_us;
	pnc_frame_reader_init(&b->reader);
	pnc_queue_init(&b->queue);
	pnc_control_init(&b->control);
}

void pnc_board_error(struct pnc_board *b, enum pnc_error_code code, uint32_t detail)
{
	b->errors_due |= (uint8_t)(1u << code);
	b->error_detail[code] = detail;
}

void pnc_board_end_session(struct pnc_board *b)
{
	b->open = false;
	b->hello_due = false;
	b->credit_due = false;
	b->pairing_due = false;
	b->errors_due = 0;
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		b->peers[i].statistics_due = false;
		pnc_flight_forget(&b->peers[i].flight);
	}
	pnc_control_clear(&b->control, PNC_TO_SERIAL);
	if (b->identity.role == PNC_ROLE_CAMERA) {
		(void)pnc_queue_flush_all(&b->queue);
	}
}

enum pnc_push pnc_board_offer(struct pnc_board *b, uint32_t now_us, uint8_t source, const uint8_t *packet, size_t len)
{
	uint8_t copy[PNC_MAX_PACKET];
	memcpy(copy, packet, len);
	copy[0] = (uint8_t)((copy[0] & ~(unsigned)PNC_PICTURE_FLAGS_SOURCE) | source);
	return pnc_queue_push(&b->queue, now_us, copy, len);
}

void pnc_board_forward(struct pnc_board *b, uint8_t to, uint8_t peer, const uint8_t *packet, size_t len)
{
	uint8_t copy[PNC_MAX_PACKET];
	memcpy(copy, packet, len);
	copy[1] = peer;
	(void)pnc_control_push(&b->control, to, copy, len);
}

void pnc_board_pong(struct pnc_board *b, uint8_t to, uint8_t peer, const struct pnc_ping *ping)
{
	uint8_t packet[PNC_PONG_SIZE];
	struct pnc_pong pong = {.peer = peer, .hop = ping->hop, .token = ping->token, .origin_us = ping->origin_us};
	(void)pnc_control_push(&b->control, to, packet, pnc_pong_write(&pong, packet));
}

/* True while the queue or the radio holds a picture packet and the link could carry it. */
static bool is_busy(const struct pnc_board *b)
{
	const struct pnc_peer *p = &b->peers[0];
	if (b->identity.role != PNC_ROLE_CAMERA || p->state != PNC_LINK_STATE_UP) {
		return false;
	}
	return b->queue.waiting > 0 || pnc_flight_pictures(&p->flight) > 0;
}

static uint32_t dropped(const struct pnc_queue_totals *t)
{
	return t->expired + t->evicted + t->flushed;
}

void pnc_board_settle(struct pnc_board *b, uint32_t now_us)
{
	uint32_t passed_ms = (now_us - b->uptime_us) / PNC_US_PER_MS;
	b->uptime_ms += passed_ms;
	b->uptime_us += passed_ms * PNC_US_PER_MS;
	if (b->busy) {
		b->busy_us += now_us - b->busy_at_us;
	}
	b->busy_at_us = now_us;
	b->busy = is_busy(b);
	bool flying = b->identity.role == PNC_ROLE_CAMERA && b->peers[0].flight.count > 0;
	bool work = b->queue.waiting > 0 || flying || b->unreported > 0;
	bool stale = now_us - b->credited_us >= PNC_CREDIT_REFRESH_MS * PNC_US_PER_MS;
	if (b->open && ((work && stale) || b->unreported >= PNC_CREDIT_EVERY ||
			dropped(&b->queue.totals) != b->credited_dropped)) {
		b->credit_due = true;
	}
}

void pnc_board_finish(struct pnc_board *b, uint32_t now_us)
{
	pnc_board_settle(b, now_us);
	bool pull = pnc_board_serial_has(b);
	for (uint8_t i = 0; i < PNC_PEERS && !pull; i++) {
		pull = pnc_board_radio_has(b, &b->peers[i]);
	}
	if (pull) {
		b->ops->wake(b->user);
	}
}

void pnc_board_serial_closed(struct pnc_board *b, uint32_t now_us)
{
	pnc_board_end_session(b);
	pnc_board_finish(b, now_us);
}

void pnc_board_tick(struct pnc_board *b, uint32_t now_us)
{
	(void)pnc_queue_expire(&b->queue, now_us);
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		pnc_goodput_tick(&b->peers[i].goodput, now_us);
	}
	pnc_board_finish(b, now_us);
}

void pnc_board_pairing_changed(struct pnc_board *b, uint32_t now_us)
{
	b->pairing_due = b->open;
	pnc_board_finish(b, now_us);
}
