/* Both directions of the air. Nothing that comes over the air commands a board: it only carries pictures, answers
 * and pings. */
#include "board_parts.h"
#include "pnc/clock.h"

/* Pictures may be handed to the radio of this peer, once its board has said hello: a full one fits a PDU. */
static bool takes_pictures(const struct pnc_board *b, const struct pnc_peer *p)
{
	return b->identity.role == PNC_ROLE_CAMERA && p == &b->peers[0] &&
	       p->link.mtu >= PNC_MAX_PACKET + PNC_ATT_HEADER;
}

static bool fits(const struct pnc_peer *p, size_t len)
{
	return len + PNC_ATT_HEADER <= p->link.mtu;
}

bool pnc_board_radio_has(const struct pnc_board *b, const struct pnc_peer *p)
{
	if (!p->connected || pnc_flight_full(&p->flight)) {
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

void pnc_board_radio_up(struct pnc_board *b, uint32_t now_us, uint8_t peer, const struct pnc_radio_link *link)
{
	if (peer < PNC_PEERS) {
		struct pnc_peer *p = &b->peers[peer];
		p->link = *link;
		if (p->connected) {
			p->report_due = true;
		} else {
			p->connected = true;
			pnc_flight_init(&p->flight, b->identity.in_flight);
			pnc_goodput_init(&p->goodput, now_us);
			p->hello_due = true;
			set_state(p, p->heard);
		}
		pnc_flight_per_event(&p->flight, link->event_packets);
	}
	pnc_board_finish(b, now_us);
}

void pnc_board_radio_down(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t reason)
{
	if (peer < PNC_PEERS) {
		struct pnc_peer *p = &b->peers[peer];
		b->lost += pnc_flight_pictures(&p->flight);
		pnc_flight_init(&p->flight, b->identity.in_flight);
		p->report_due = p->report_due || p->connected;
		p->state = PNC_LINK_STATE_DOWN;
		p->heard = PNC_LINK_STATE_DOWN;
		p->connected = false;
		p->reason = reason;
		pnc_control_clear(&b->control, peer);
		b->credit_due = b->open;
	}
	pnc_board_finish(b, now_us);
}

static void on_hello(struct pnc_board *b, struct pnc_peer *p, const uint8_t *packet, size_t len)
{
	struct pnc_hello hello;
	if (len > 2u && packet[2] != PNC_VERSION) {
		p->heard = PNC_LINK_STATE_REFUSED;
		pnc_control_clear(&b->control, (uint8_t)(p - b->peers));
	} else if (pnc_hello_read(&hello, packet, len)) {
		p->heard = PNC_LINK_STATE_UP;
	} else {
		b->unknown++;
	}
	if (p->connected) {
		set_state(p, p->heard);
	}
}

/* A packet for the host, which names the peer; dropped if there is no host. */
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

/* A packet from a board that has said hello. */
static void on_packet(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len)
{
	if ((packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0) {
		if (b->identity.role == PNC_ROLE_EDGE && (packet[0] & PNC_PICTURE_FLAGS_RESERVED) == 0 &&
		    len > PNC_PICTURE_HEADER) {
			pnc_goodput_add(&b->peers[peer].goodput, (uint32_t)len - PNC_PICTURE_HEADER);
			(void)pnc_board_offer(b, now_us, peer, packet, len);
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

void pnc_board_radio_rx(struct pnc_board *b, uint32_t now_us, uint8_t peer, const uint8_t *packet, size_t len)
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
	pnc_board_finish(b, now_us);
}

/* Takes what the radio will probably need from the remaining time; half of it at most, since the guess can be wrong. */
static void shorten(uint8_t *picture, uint32_t ahead_ms)
{
	uint16_t remaining_ms = pnc_get16(picture + PNC_PICTURE_REMAINING_AT);
	uint16_t most_ms = remaining_ms / 2u;
	uint16_t taken_ms = ahead_ms < most_ms ? (uint16_t)ahead_ms : most_ms;
	pnc_put16(picture + PNC_PICTURE_REMAINING_AT, (uint16_t)(remaining_ms - taken_ms));
}

/* The next packet for a peer, its length or 0. */
static size_t next_packet(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out)
{
	struct pnc_peer *p = &b->peers[peer];
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
	while ((len = pnc_control_pop(&b->control, peer, out)) > 0) {
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
		shorten(out, pnc_flight_ahead_us(&p->flight, p->link.interval_us) / PNC_US_PER_MS);
	}
	return len;
}

size_t pnc_board_radio_tx(struct pnc_board *b, uint32_t now_us, uint8_t peer, uint8_t *out)
{
	if (peer >= PNC_PEERS || !b->peers[peer].connected || pnc_flight_full(&b->peers[peer].flight)) {
		return 0;
	}
	struct pnc_peer *p = &b->peers[peer];
	bool credit_was_due = b->credit_due;
	size_t len = next_packet(b, now_us, peer, out);
	if (len > 0) {
		bool picture = (out[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
		uint8_t codec_bytes = picture ? (uint8_t)(len - PNC_PICTURE_HEADER) : 0;
		pnc_flight_hand(&p->flight, now_us, codec_bytes, picture);
	}
	pnc_board_settle(b, now_us);
	if (b->credit_due && !credit_was_due) {
		b->ops->wake(b->user);
	}
	return len;
}

void pnc_board_radio_sent(struct pnc_board *b, uint32_t now_us, uint8_t peer)
{
	if (peer < PNC_PEERS && b->peers[peer].flight.count > 0) {
		struct pnc_peer *p = &b->peers[peer];
		struct pnc_flying sent = pnc_flight_acknowledge(&p->flight, now_us, p->link.interval_us);
		b->acked += sent.codec_bytes > 0;
		pnc_goodput_add(&p->goodput, sent.codec_bytes);
		if (sent.credited) {
			b->acked_packets++;
			b->acked_bytes += sent.codec_bytes;
		}
		b->credit_due = b->credit_due || (b->open && b->identity.role == PNC_ROLE_CAMERA);
	}
	pnc_board_finish(b, now_us);
}
