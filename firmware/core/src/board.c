#include "pnc/board.h"

#include "board_internal.h"

_Static_assert(PNC_PEERS >= 1u && PNC_PEERS <= PNC_MAX_SOURCES, "a peer's number is a source");
_Static_assert(PNC_IN_FLIGHT_MAX >= 1u && PNC_IN_FLIGHT_MAX <= 16u, "packets in flight");

/* Shortest connection interval for S8. A controller reserves 17 ms for a full packet and 5 ms for its answer; at
 * shorter intervals most events would be skipped. */
#define S8_INTERVAL_US 30000u

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
	b->sessions = (uint8_t)identity->session;
	pnc_frame_reader_init(&b->reader);
	pnc_queue_init(&b->queue);
	pnc_control_init(&b->control);
}

/* Bring the board up to date, and wake the adapter if there is anything to pull. */
static void finish(struct pnc_board *b, uint32_t now_us)
{
	pnc_board_update(b, now_us);
	bool ready = pnc_board_report_has(b);
	for (uint8_t i = 0; i < PNC_PEERS && !ready; i++) {
		ready = pnc_board_air_has(b, &b->peers[i]);
	}
	if (ready) {
		b->ops->wake(b->user);
	}
}

void pnc_board_serial_rx(struct pnc_board *b, uint32_t now_us, const uint8_t *bytes, size_t len)
{
	pnc_board_host_read(b, now_us, bytes, len);
	finish(b, now_us);
}

size_t pnc_board_serial_tx(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room)
{
	(void)pnc_queue_expire(&b->queue, now_us);
	pnc_board_update(b, now_us);
	return pnc_board_report_write(b, now_us, out, room);
}

void pnc_board_serial_closed(struct pnc_board *b, uint32_t now_us)
{
	pnc_board_end_session(b);
	finish(b, now_us);
}

void pnc_board_radio_up(struct pnc_board *b, uint32_t now_us, uint8_t peer, const struct pnc_radio_link *link)
{
	if (peer < PNC_PEERS) {
		pnc_board_air_up(b, now_us, &b->peers[peer], link);
	}
	finish(b, now_us);
}

void pnc_board_radio_down(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t reason)
{
	if (peer < PNC_PEERS) {
		pnc_board_air_down(b, peer, reason);
	}
	finish(b, now_us);
}

void pnc_board_radio_rx(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len)
{
	pnc_board_air_read(b, now_us, peer, packet, len);
	finish(b, now_us);
}

size_t pnc_board_radio_tx(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out)
{
	if (peer >= PNC_PEERS || !b->peers[peer].connected || pnc_tx_window_is_full(&b->peers[peer].tx_window)) {
		return 0;
	}
	bool credit_was_due = b->credit_due;
	size_t len = pnc_board_air_write(b, now_us, &b->peers[peer], out);
	pnc_board_update(b, now_us);
	if (b->credit_due && !credit_was_due) {
		b->ops->wake(b->user);
	}
	return len;
}

void pnc_board_radio_sent(struct pnc_board *b, uint32_t now_us, uint8_t peer)
{
	if (peer < PNC_PEERS) {
		pnc_board_air_acknowledge(b, now_us, &b->peers[peer]);
	}
	finish(b, now_us);
}

uint8_t pnc_board_radio_phy(struct pnc_board *b, uint32_t now_us, int8_t rssi_dbm)
{
	const struct pnc_peer *p = &b->peers[0];
	bool coded = (b->identity.capabilities & PNC_CAPABILITY_PHY_CODED) != 0;
	uint8_t slowest = p->link.interval_us < S8_INTERVAL_US ? PNC_PHY_CODED_S2 : PNC_PHY_CODED_S8;
	uint16_t loss = pnc_event_loss_share(&b->event_loss, now_us, pnc_board_event_us(p));
	return pnc_phy_choice_next(&b->phy_choice, now_us, p->link.phy, coded ? slowest : PNC_PHY_LE_1M, rssi_dbm,
				   loss);
}

uint32_t pnc_board_silent_ms(const struct pnc_board *b)
{
	return b->uptime_ms - b->heard_ms;
}

void pnc_board_pairing_changed(struct pnc_board *b, uint32_t now_us)
{
	b->pairing_due = b->open;
	finish(b, now_us);
}

void pnc_board_fault(struct pnc_board *b, uint32_t now_us, enum pnc_error_code code, uint32_t detail)
{
	uint32_t bit = 1u << code;
	b->faults &= ~bit;
	b->errors_due &= ~bit;
	b->error_detail[code] = detail;
	if (detail != 0) {
		b->faults |= bit;
		b->errors_due |= b->open ? bit : 0;
	}
	finish(b, now_us);
}

void pnc_board_tick(struct pnc_board *b, uint32_t now_us)
{
	(void)pnc_queue_expire(&b->queue, now_us);
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		pnc_goodput_tick(&b->peers[i].goodput, now_us);
	}
	finish(b, now_us);
}
