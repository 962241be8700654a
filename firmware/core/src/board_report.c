/* Packets to the host, and their frames. */
#include "board_internal.h"

#define HOP_AT 2u     /* in ping and pong */
#define NOTE_LEVEL 2u /* a warning */

/* Error messages for people, indexed by PNC_ERROR_CODE_. */
static const char *const error_texts[] = {
	[PNC_ERROR_CODE_VERSION] = "this board speaks another protocol version",
	[PNC_ERROR_CODE_NOT_READY] = "no hello yet, or no pictures in this role",
	[PNC_ERROR_CODE_MALFORMED] = "packet too short or value illegal",
	[PNC_ERROR_CODE_OVERRUN] = "queue full: a packet was dropped",
	[PNC_ERROR_CODE_NO_LINK] = "that peer is not connected",
	[PNC_ERROR_CODE_CONFIGURE] = "configuration refused",
	[PNC_ERROR_CODE_REFUSED] = "not to be had on this board",
	[PNC_ERROR_CODE_BLUETOOTH] = "Bluetooth does not start or refused a command",
	[PNC_ERROR_CODE_SETTINGS] = "settings and bonds cannot be read or stored",
	[PNC_ERROR_CODE_WATCHDOG] = "a part of the board is not watched",
	[PNC_ERROR_CODE_ADVERTISE] = "it cannot advertise",
	[PNC_ERROR_CODE_SCAN] = "it cannot look for cameras",
	[PNC_ERROR_CODE_SERVICE] = "a camera's service cannot be used",
	[PNC_ERROR_CODE_PAIRING] = "pairing is impossible: nobody decides about it",
	[PNC_ERROR_CODE_STUCK] = "the radio took no packet: that connection was ended",
	[PNC_ERROR_CODE_BONDS_FULL] = "no room for another bond: that board may not pair",
};

/* Each code has a place in error_detail and a bit in errors_due. */
#define ERROR_CODES (sizeof(error_texts) / sizeof(error_texts[0]))
_Static_assert(ERROR_CODES <= sizeof((struct pnc_board){0}.error_detail) / sizeof(uint32_t), "error_detail");
_Static_assert(ERROR_CODES <= 8u * sizeof((struct pnc_board){0}.errors_due), "errors_due");

static size_t write_error(struct pnc_board *b, uint8_t *out)
{
	uint8_t code = 0;
	while ((b->errors_due & 1u << code) == 0) {
		code++;
	}
	b->errors_due &= ~(1u << code);
	struct pnc_error error = {
		.code = code,
		.detail = b->error_detail[code],
		.text = (const uint8_t *)error_texts[code],
		.text_len = (uint8_t)strlen(error_texts[code]),
	};
	return pnc_error_write(&error, out);
}

static size_t write_note(struct pnc_board *b, uint8_t *out)
{
	struct pnc_log log = {
		.level = NOTE_LEVEL,
		.text = (const uint8_t *)b->identity.note,
		.text_len = (uint8_t)strlen(b->identity.note),
	};
	b->note_due = false;
	return pnc_log_write(&log, out);
}

static size_t write_credit(struct pnc_board *b, uint32_t now_us, uint8_t *out)
{
	const struct pnc_queue_totals *t = &b->queue.totals;
	bool camera = b->identity.role == PNC_ROLE_CAMERA;
	struct pnc_credit credit = {
		.next_seq = b->reader.next_seq,
		.damaged = (uint8_t)b->reader.damaged,
		.missing = b->reader.missing,
		.taken = b->taken,
		.waiting = b->queue.waiting,
		.free = (uint8_t)(PNC_QUEUE_SLOTS - b->queue.waiting),
		.in_radio = camera ? b->peers[0].tx_window.count : 0,
		.link = camera ? b->peers[0].state : PNC_LINK_STATE_DOWN,
		.acked_packets = b->acked_packets,
		.acked_bytes = b->acked_bytes,
		.busy_us = b->busy_us,
	};
	b->credit_due = false;
	b->unreported = 0;
	b->credited_us = now_us;
	b->credited_dropped = t->expired + t->evicted + t->flushed;
	return pnc_credit_write(&credit, out);
}

static size_t write_link(struct pnc_board *b, uint8_t peer, uint8_t *out)
{
	struct pnc_peer *p = &b->peers[peer];
	struct pnc_link link = {
		.peer = peer,
		.state = p->state,
		.phy = p->link.phy,
		.reason = p->connected ? 0 : p->reason,
		.mtu = p->link.mtu,
		.interval_us = p->link.interval_us,
	};
	p->report_due = false;
	return pnc_link_write(&link, out);
}

static size_t write_statistics(struct pnc_board *b, uint8_t peer, uint8_t *out)
{
	struct pnc_peer *p = &b->peers[peer];
	const struct pnc_queue_totals *t = &b->queue.totals;
	struct pnc_statistics statistics = {
		.peer = peer,
		.uptime_ms = b->uptime_ms,
		.accepted = t->accepted,
		.sent = t->sent,
		.expired = t->expired,
		.evicted = t->evicted,
		.flushed = t->flushed,
		.acked = b->acked,
		.lost = b->lost,
		.damaged = b->reader.damaged,
		.missed = b->reader.missed,
		.unknown = b->unknown,
		.control_dropped = b->control.dropped,
		.waiting = b->queue.waiting,
		.link = p->state,
		.phy = p->link.phy,
		.rssi_dbm = b->ops->rssi_dbm(b->user, peer),
		.mtu = p->link.mtu,
		.interval_us = p->link.interval_us,
		.goodput_bps = p->goodput.bps,
	};
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		statistics.links = (uint8_t)(statistics.links + (b->peers[i].state == PNC_LINK_STATE_UP));
	}
	p->statistics_due = false;
	return pnc_statistics_write(&statistics, out);
}

static size_t write_pairing(struct pnc_board *b, uint8_t *out)
{
	struct pnc_pairing pairing = {.open = 0};
	b->pairing_due = false;
	b->ops->pairing(b->user, &pairing);
	return pnc_pairing_write(&pairing, out);
}

bool pnc_board_report_has(const struct pnc_board *b)
{
	if (b->frame_at < b->frame_len || b->hello_due || b->errors_due != 0) {
		return true;
	}
	if (!b->open) {
		return false;
	}
	/* A note is due only before the credit that follows a hello. */
	bool has = b->credit_due || b->pairing_due || b->control.to_serial > 0 ||
		   (b->identity.role == PNC_ROLE_EDGE && b->queue.waiting > 0);
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		has = has || b->peers[i].report_due || b->peers[i].statistics_due;
	}
	return has;
}

/* Write the next packet for the host, the most urgent kind first. Return its length, 0 if there is none. */
static size_t next_packet(struct pnc_board *b, uint32_t now_us, uint8_t *out)
{
	if (b->hello_due) {
		b->hello_due = false;
		b->note_due = b->identity.note != NULL;
		return pnc_board_hello(b, out);
	}
	if (b->errors_due != 0) {
		return write_error(b, out);
	}
	if (!b->open) {
		return 0;
	}
	if (b->note_due) {
		return write_note(b, out);
	}
	if (b->credit_due) {
		return write_credit(b, now_us, out);
	}
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		if (b->peers[i].report_due) {
			return write_link(b, i, out);
		}
	}
	for (uint8_t i = 0; i < PNC_PEERS; i++) {
		if (b->peers[i].statistics_due) {
			return write_statistics(b, i, out);
		}
	}
	if (b->pairing_due) {
		return write_pairing(b, out);
	}
	size_t len = pnc_control_pop(&b->control, PNC_TO_SERIAL, out);
	if (len == 0 && b->identity.role == PNC_ROLE_EDGE) {
		len = pnc_queue_pop(&b->queue, now_us, out);
	}
	return len;
}

/* Return true if a packet is sent again when the host asks for it. Not credits, which the next one replaces; not hello,
 * errors and the note, which the host's next hello brings again; not pongs of this board, which measure the serial
 * port. */
static bool is_worth_repeating(const uint8_t *packet)
{
	switch (packet[0]) {
	case PNC_TYPE_PONG:
		return packet[HOP_AT] != PNC_HOP_BOARD;
	case PNC_TYPE_PING:
	case PNC_TYPE_RESULT:
	case PNC_TYPE_LINK:
	case PNC_TYPE_STATISTICS:
	case PNC_TYPE_PAIRING:
		return true;
	default:
		break;
	}
	return (packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
}

size_t pnc_board_report_write(struct pnc_board *b, uint32_t now_us, uint8_t *out, size_t room)
{
	PNC_WORDWISE uint8_t packet[PNC_MAX_PACKET];
	size_t written = 0;
	while (written < room) {
		if (b->frame_at == b->frame_len) {
			size_t len = next_packet(b, now_us, packet);
			if (len == 0) {
				break;
			}
			b->frame_len = pnc_frame_write((uint8_t)b->frames, packet, len, b->frame);
			if (is_worth_repeating(packet)) {
				pnc_sent_frames_add(&b->sent_frames, now_us, b->frames, packet, len);
			}
			b->frames++;
			b->frame_at = 0;
		}
		size_t part = b->frame_len - b->frame_at;
		if (part > room - written) {
			part = room - written;
		}
		memcpy(out + written, b->frame + b->frame_at, part);
		b->frame_at += part;
		written += part;
	}
	return written;
}
