/**
 * @file
 * @brief The serial frame: COBS(sequence number, packet, CRC-32 of both), followed by a zero byte.
 */
#ifndef PNC_FRAME_H
#define PNC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "pnc/cobs.h"
#include "pnc/config.h"
#include "pnc_wire.h"

#define PNC_FRAME_SEQ_SIZE 1u  /* bytes of the sequence number */
#define PNC_FRAME_PACKET_AT 4u /* where the packet begins in the buffers of a frame, so that it begins at a word */

/**
 * @brief Write the frame of packet[0..len), 1 <= len <= PNC_MAX_PACKET, to `out`, which has room for PNC_MAX_FRAME + 1
 * bytes. Return the number of bytes written, including the closing zero.
 */
size_t pnc_frame_write(uint8_t seq, const uint8_t *packet, size_t len, uint8_t *out);

/** Finds frames in a stream of any bytes and detects gaps in their sequence numbers. */
struct pnc_frame_reader {
	struct pnc_cobs_decoder cobs;
	PNC_WORDWISE
	uint8_t buffer[PNC_FRAME_PACKET_AT + PNC_MAX_PACKET + PNC_FRAME_OVERHEAD - PNC_FRAME_SEQ_SIZE];
	uint8_t next_seq;      /**< the sequence number expected next */
	uint32_t missing;      /**< as credit.missing: bit k is set if frame next_seq - 1 - k is missing */
	uint32_t damaged;      /**< total of frames with a bad COBS code, length or CRC */
	uint32_t missed;       /**< total of sequence numbers that were skipped */
	uint8_t gap;           /**< sequence numbers skipped right before the last intact frame */
	const uint8_t *packet; /**< after PNC_FRAME_PACKET: the packet, valid until the next call */
	uint8_t len;
	uint8_t seq; /**< of that packet */
};

enum pnc_frame_event {
	PNC_FRAME_MORE,   /**< no frame has ended */
	PNC_FRAME_PACKET, /**< an intact frame has ended: packet, len, seq, next_seq and missing describe it */
	PNC_FRAME_DAMAGED /**< a damaged frame has ended; `damaged` includes it */
};

/** @brief Initialise a reader that expects sequence number 0. */
void pnc_frame_reader_init(struct pnc_frame_reader *r);

/** @brief Process one byte of the stream. */
enum pnc_frame_event pnc_frame_read(struct pnc_frame_reader *r, uint8_t byte);

/**
 * @brief Process as many of bytes[0..len) as end no frame and are data for COBS. Return how many: most of them, at less
 * cost; the one after them is for pnc_frame_read.
 */
size_t pnc_frame_read_data(struct pnc_frame_reader *r, const uint8_t *bytes, size_t len);

/**
 * @brief Start a new session with the packet just read: forget what was missing before it. The gap right before it does
 * not count, since the other side may have restarted its sequence numbers. The totals `damaged` and `missed` continue.
 */
void pnc_frame_reader_restart(struct pnc_frame_reader *r);

#endif
