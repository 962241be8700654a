/* The serial frame: COBS(sequence number, packet, CRC-32 of both) and a zero byte. */
#ifndef PNC_FRAME_H
#define PNC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "pnc/cobs.h"
#include "pnc_wire.h"

/* Writes the frame of packet[0..len), 1 <= len <= PNC_MAX_PACKET, to out, which has room for PNC_MAX_FRAME + 1
 * bytes; returns the bytes written, the closing zero among them. */
size_t pnc_frame_write(uint8_t seq, const uint8_t *packet, size_t len, uint8_t *out);

/* Reads frames out of a byte stream, whatever is in it, and watches the sequence numbers. */
struct pnc_frame_reader {
	struct pnc_cobs_decoder cobs;
	uint8_t buffer[PNC_MAX_PACKET + PNC_FRAME_OVERHEAD];
	uint8_t next_seq;      /* expected next */
	uint32_t missing;      /* as credit.missing: bit k is the frame next_seq - 1 - k */
	uint32_t damaged;      /* frames with a bad COBS code, length or CRC so far */
	uint32_t missed;       /* sequence numbers passed over so far */
	uint8_t gap;           /* passed over right before the last sound frame */
	const uint8_t *packet; /* after PNC_FRAME_PACKET: the packet, until the next call */
	uint8_t len;
	uint8_t seq; /* of that packet */
};

enum pnc_frame_event {
	PNC_FRAME_MORE,   /* nothing to do yet */
	PNC_FRAME_PACKET, /* a sound frame: packet, len, seq; next_seq and missing are up to date */
	PNC_FRAME_DAMAGED /* a frame was damaged; `damaged` counts it */
};

/* Starts a reader that expects sequence number 0. */
void pnc_frame_reader_init(struct pnc_frame_reader *r);

/* Takes one byte of the stream. */
enum pnc_frame_event pnc_frame_read(struct pnc_frame_reader *r, uint8_t byte);

/* A new session starts with the packet just read: what was missing before it no longer counts, and the gap right
 * before it was none (the other side may have started its numbers anew). The totals `damaged` and `missed` go on. */
void pnc_frame_reader_restart(struct pnc_frame_reader *r);

#endif
