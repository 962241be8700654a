#include "pnc/frame.h"

#include "pnc/crc.h"

#define SEQ_SIZE PNC_FRAME_SEQ_SIZE
#define SEQ_AT (PNC_FRAME_PACKET_AT - SEQ_SIZE)
#define CRC_SIZE (PNC_FRAME_OVERHEAD - SEQ_SIZE)

_Static_assert(PNC_MAX_FRAME == PNC_COBS_MAX(PNC_MAX_PACKET + PNC_FRAME_OVERHEAD), "max_frame of the wire");

size_t pnc_frame_write(uint8_t seq, const uint8_t *packet, size_t len, uint8_t *out)
{
	PNC_WORDWISE uint8_t buffer[SEQ_AT + PNC_MAX_PACKET + PNC_FRAME_OVERHEAD]; /* whole words are copied */
	uint8_t *plain = buffer + SEQ_AT;
	plain[0] = seq;
	memcpy(plain + SEQ_SIZE, packet, len);
	pnc_put32(plain + SEQ_SIZE + len, pnc_crc32(0, plain, SEQ_SIZE + len));
	size_t written = pnc_cobs_encode(plain, len + PNC_FRAME_OVERHEAD, out);
	out[written] = 0;
	return written + 1u;
}

void pnc_frame_reader_init(struct pnc_frame_reader *r)
{
	memset(r, 0, sizeof(*r));
	pnc_cobs_decoder_init(&r->cobs, r->buffer + SEQ_AT, sizeof(r->buffer) - SEQ_AT);
}

/* Shift the window of missing frames so that `seq` becomes bit 0. The frames in between are missing. */
static void advance(struct pnc_frame_reader *r, uint8_t seq)
{
	r->gap = (uint8_t)(seq - r->next_seq);
	r->missed += r->gap;
	if (r->gap + 1u < PNC_MISSING_WINDOW) {
		uint32_t between = (1u << (r->gap + 1u)) - 2u;
		r->missing = (r->missing << (r->gap + 1u)) | between;
	} else {
		r->missing = 0xFFFFFFFEu;
	}
	r->next_seq = (uint8_t)(seq + 1u);
}

size_t pnc_frame_read_data(struct pnc_frame_reader *r, const uint8_t *bytes, size_t len)
{
	return pnc_cobs_decode_data(&r->cobs, bytes, len);
}

enum pnc_frame_event pnc_frame_read(struct pnc_frame_reader *r, uint8_t byte)
{
	enum pnc_cobs_event event = pnc_cobs_decode(&r->cobs, byte);
	if (event == PNC_COBS_MORE) {
		return PNC_FRAME_MORE;
	}
	const uint8_t *plain = r->cobs.buffer;
	size_t len = r->cobs.len;
	if (event == PNC_COBS_BAD || len <= PNC_FRAME_OVERHEAD ||
	    pnc_crc32(0, plain, len - CRC_SIZE) != pnc_get32(plain + len - CRC_SIZE)) {
		r->damaged++;
		return PNC_FRAME_DAMAGED;
	}
	r->seq = plain[0];
	r->packet = plain + SEQ_SIZE;
	r->len = (uint8_t)(len - PNC_FRAME_OVERHEAD);
	advance(r, r->seq);
	return PNC_FRAME_PACKET;
}

void pnc_frame_reader_restart(struct pnc_frame_reader *r)
{
	r->missed -= r->gap;
	r->gap = 0;
	r->missing = 0;
}
