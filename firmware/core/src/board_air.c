/* Both directions of the air. Packets from the air never command a board: they carry pictures, answers and pings. */
#include "board_internal.h"
#include "pnc/clock.h"

#define VERSION_AT 2u
/* What a controller reserves for a connection event on the coded PHY: a full packet and its answer. For faster PHYs it
 * is less than the shortest connection interval. */
#define RESERVED_S2_US 10000u
#define RESERVED_S8_US 23000u

/* Return true if this peer gets pictures once its hello has arrived: it is a camera's edge board, and a full picture
 * packet fits its MTU. */
static bool takes_pictures(const struct pnc_board *b, const struct pnc_peer *p)
{
	return b->identity.role == PNC_ROLE_CAMERA && p == &b->peers[0] &&
	       p->link.mtu >= PNC_MAX_PACKET + PNC_ATT_HEADER;
}

/* Return how many packets of a connection may be in flight. An edge board has one: a result that waits here can still
 * be replaced by a newer one for the same image. */
static uint8_t most_in_flight(const struct pnc_board *b)
{
	return b->identity.role == PNC_ROLE_EDGE ? 1u : b->identity.in_flight;
}

static bool fits(const struct pnc_peer *p, size_t len)
{
	return len + PNC_ATT_HEADER <= p->link.mtu;
}

uint32_t pnc_board_event_us(const struct pnc_peer *p)
{
	uint32_t interval_us = p->link.interval_us;
	uint32_t event_us = interval_us;
	uint32_t reserved_us = 0;
	if (p->link.phy == PNC_PHY_CODED_S8) {
		reserved_us = RESERVED_S8_US;
	} else if (p->link.phy == PNC_PHY_CODED_S2) {
		reserved_us = RESERVED_S2_US;
	}
	while (interval_us > 0 && event_us < reserved_us) { /* the events in between are skipped */
		event_us += interval_us;
	}
	return event_us;
}

bool pnc_board_air_has(const struct pnc_board *b, const struct pnc_peer *p)
{
	if (!p->connected || pnc_tx_window_is_full(&p->tx_window)) {
		return false;
	}
	if (p->hello_due) {
		return fits(p, pnc_board_hello_len(b));
	}
	if (p->state != PNC_LINK_STATE_UP) {
		return false;
	}
	return (b->control.to_radio > 0 && pnc_control_waits(&b->control, (uint8_t)(p - b->peers))) ||
	       (b->queue.waiting > 0 && takes_pictures(b, p));
}

static void set_state(struct pnc_peer *p, uint8_t state)
{
	if (p->state != state) {
		p->state = state;
		p->report_due = true;
	}
}

void pnc_board_air_up(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p, const struct pnc_radio_link *link)
{
	if (!p->connected || p->link.phy != link->phy) {
		pnc_event_loss_reset(&b->event_loss, now_us);
	}
	p->link = *link;
	if (p->connected) {
		p->report_due = true;
	} else {
		pnc_phy_choice_init(&b->phy_choice, now_us);
		b->event_loss.busy = false;
		p->connected = true;
		pnc_tx_window_init(&p->tx_window, most_in_flight(b));
		pnc_goodput_init(&p->goodput, now_us);
		p->hello_due = true;
		set_state(p, p->hello_state);
	}
	pnc_tx_window_set_event_packets(&p->tx_window, link->event_packets);
}

void pnc_board_air_down(struct pnc_board *b, uint8_t peer, uint8_t reason)
{
	struct pnc_peer *p = &b->peers[peer];
	b->lost += pnc_tx_window_pictures(&p->tx_window);
	pnc_tx_window_init(&p->tx_window, most_in_flight(b));
	p->report_due = p->report_due || p->connected;
	p->state = PNC_LINK_STATE_DOWN;
	p->hello_state = PNC_LINK_STATE_DOWN;
	p->connected = false;
	p->reason = reason;
	pnc_control_clear(&b->control, peer);
	b->credit_due = b->open;
}

static void on_hello(struct pnc_board *b, struct pnc_peer *p, const uint8_t *packet, size_t len)
{
	struct pnc_hello hello;
	if (len > VERSION_AT && packet[VERSION_AT] != PNC_VERSION) {
		p->hello_state = PNC_LINK_STATE_REFUSED;
		pnc_control_clear(&b->control, (uint8_t)(p - b->peers));
	} else if (pnc_hello_read(&hello, packet, len)) {
		p->hello_state = PNC_LINK_STATE_UP;
	} else {
		b->unknown++;
	}
	if (p->connected) {
		set_state(p, p->hello_state);
	}
}

/* Forward a packet to the host, with the peer it comes from. Counts as dropped if there is no host. */
static void to_host(struct pnc_board *b, uint8_t peer, const uint8_t *packet, size_t len)
{
	if (b->open) {
		pnc_board_forward(b, PNC_TO_SERIAL, peer, packet, len);
	} else {
		b->control.dropped++;
	}
}

static void on_ping(struct pnc_board *b, uint8_t peer, const uint8_t *packet, size_t len)
{
	struct pnc_ping ping;
	if (!pnc_ping_read(&ping, packet, len)) {
		b->unknown++;
	} else if (ping.hop == PNC_HOP_PEER_BOARD) {
		pnc_board_pong(b, peer, 0, &ping);
	} else if (ping.hop == PNC_HOP_PEER_HOST) {
		to_host(b, peer, packet, len);
	} else {
		b->unknown++;
	}
}

/* Process a packet of a peer whose hello has arrived. */
static void on_packet(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len)
{
	if ((packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0) {
		if (b->identity.role == PNC_ROLE_EDGE && len > PNC_PICTURE_HEADER) {
			pnc_goodput_add(&b->peers[peer].goodput, (uint32_t)len - PNC_PICTURE_HEADER);
			(void)pnc_board_enqueue(b, now_us, peer, packet, len);
		} else {
			b->unknown++;
		}
		return;
	}
	if (packet[0] == PNC_TYPE_PING) {
		on_ping(b, peer, packet, len);
	} else if ((packet[0] == PNC_TYPE_PONG && len >= PNC_PONG_SIZE) ||
		   (packet[0] == PNC_TYPE_RESULT && len >= PNC_RESULT_SIZE)) {
		to_host(b, peer, packet, len);
	} else {
		b->unknown++;
	}
}

void pnc_board_air_read(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len)
{
	if (peer >= PNC_PEERS || len == 0 || len > PNC_MAX_PACKET) {
		b->unknown++;
	} else if (packet[0] == PNC_TYPE_HELLO) {
		on_hello(b, &b->peers[peer], packet, len);
	} else if (b->peers[peer].state == PNC_LINK_STATE_UP) {
		on_packet(b, now_us, peer, packet, len);
	} else {
		b->unknown++;
	}
}

/* Deduct the estimated delay in the radio from the remaining time. At most half of it, since the estimate can be wrong.
 */
static void deduct(uint8_t *picture, uint32_t delay_ms)
{
	uint16_t remaining_ms = pnc_get16(picture + PNC_PICTURE_REMAINING_AT);
	uint16_t most_ms = remaining_ms / 2u;
	uint16_t taken_ms = delay_ms < most_ms ? (uint16_t)delay_ms : most_ms;
	pnc_put16(picture + PNC_PICTURE_REMAINING_AT, (uint16_t)(remaining_ms - taken_ms));
}

/* Write the next packet for a peer and return its length, 0 if there is none. */
static size_t next_packet(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p, uint8_t *out)
{
	if (p->hello_due) {
		if (!fits(p, pnc_board_hello_len(b))) {
			return 0;
		}
		p->hello_due = false;
		return pnc_board_hello(b, out);
	}
	if (p->state != PNC_LINK_STATE_UP) {
		return 0;
	}
	size_t len;
	while ((len = pnc_control_pop(&b->control, (uint8_t)(p - b->peers), out)) > 0) {
		if (fits(p, len)) {
			return len;
		}
		b->control.dropped++;
	}
	if (!takes_pictures(b, p)) {
		return 0;
	}
	len = pnc_queue_pop(&b->queue, now_us, out);
	if (len > 0) {
		deduct(out, pnc_tx_window_delay_us(&p->tx_window, p->link.interval_us) / PNC_US_PER_MS);
	}
	return len;
}

size_t pnc_board_air_write(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p, uint8_t *out)
{
	size_t len = next_packet(b, now_us, p, out);
	if (len > 0) {
		bool picture = (out[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
		uint8_t codec_bytes = picture ? (uint8_t)(len - PNC_PICTURE_HEADER) : 0;
		pnc_tx_window_add(&p->tx_window, now_us, codec_bytes, picture);
		if (b->identity.role == PNC_ROLE_CAMERA) {
			pnc_event_loss_handed(&b->event_loss, now_us);
		}
	}
	return len;
}

void pnc_board_air_acknowledge(struct pnc_board *b, uint32_t now_us, struct pnc_peer *p)
{
	if (p->tx_window.count == 0) {
		return;
	}
	struct pnc_tx_packet sent = pnc_tx_window_acknowledge(&p->tx_window, now_us, p->link.interval_us);
	if (b->identity.role == PNC_ROLE_CAMERA) {
		pnc_event_loss_acknowledged(&b->event_loss, now_us, pnc_board_event_us(p), p->tx_window.count > 0);
		b->credit_due = b->open;
	}
	b->acked += sent.codec_bytes > 0;
	pnc_goodput_add(&p->goodput, sent.codec_bytes);
	if (sent.credited) {
		b->acked_packets++;
		b->acked_bytes += sent.codec_bytes;
	}
}
