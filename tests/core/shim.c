/* What Python needs to drive the core's queue and frame reader through ctypes: their sizes and their state as plain
 * numbers. */
#include "pnc/frame.h"
#include "pnc/queue.h"

size_t shim_queue_bytes(void);
void shim_queue_state(const struct pnc_queue *q, uint32_t *out);
size_t shim_reader_bytes(void);
size_t shim_feed(struct pnc_frame_reader *r, const uint8_t *bytes, size_t len, uint8_t *out);
void shim_reader_state(const struct pnc_frame_reader *r, uint32_t *out);

size_t shim_queue_bytes(void)
{
	return sizeof(struct pnc_queue);
}

/* accepted, sent, expired, evicted, flushed, waiting */
void shim_queue_state(const struct pnc_queue *q, uint32_t *out)
{
	out[0] = q->totals.accepted;
	out[1] = q->totals.sent;
	out[2] = q->totals.expired;
	out[3] = q->totals.evicted;
	out[4] = q->totals.flushed;
	out[5] = q->waiting;
}

size_t shim_reader_bytes(void)
{
	return sizeof(struct pnc_frame_reader);
}

/* Writes seq, length and bytes of each packet that these bytes complete to out, which has room for len + PNC_MAX_FRAME;
 * returns the bytes written. */
size_t shim_feed(struct pnc_frame_reader *r, const uint8_t *bytes, size_t len, uint8_t *out)
{
	size_t at = 0;
	for (size_t i = 0; i < len; i++) {
		if (pnc_frame_read(r, bytes[i]) == PNC_FRAME_PACKET) {
			out[at++] = r->seq;
			out[at++] = r->len;
			memcpy(out + at, r->packet, r->len);
			at += r->len;
		}
	}
	return at;
}

/* next_seq, missing, damaged, missed */
void shim_reader_state(const struct pnc_frame_reader *r, uint32_t *out)
{
	out[0] = r->next_seq;
	out[1] = r->missing;
	out[2] = r->damaged;
	out[3] = r->missed;
}
