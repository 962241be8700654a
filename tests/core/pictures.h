/* Picture packets for tests. */
#ifndef PNC_PICTURES_H
#define PNC_PICTURES_H

#include "pnc_wire.h"

struct picture {
	uint8_t source;
	uint8_t program;
	uint16_t image;
	uint8_t rank;
	uint16_t position; /* serves as a mark by which a test tells packets apart */
	uint16_t remaining_ms;
	uint8_t codec_bytes; /* 0 stands for 1 */
};

static inline size_t picture_write(const struct picture *p, uint8_t *out)
{
	size_t codec_bytes = p->codec_bytes > 0 ? p->codec_bytes : 1u;
	out[0] = (uint8_t)(PNC_PICTURE_FLAGS_PICTURE | p->program << 4 | p->source);
	pnc_put16(out + PNC_PICTURE_IMAGE_AT, p->image);
	out[PNC_PICTURE_RANK_AT] = p->rank;
	pnc_put16(out + PNC_PICTURE_POSITION_AT, p->position);
	pnc_put16(out + PNC_PICTURE_REMAINING_AT, p->remaining_ms);
	memset(out + PNC_PICTURE_HEADER, 0xC0 + p->rank % 16, codec_bytes);
	return PNC_PICTURE_HEADER + codec_bytes;
}

static inline struct picture picture_read(const uint8_t *packet, size_t len)
{
	struct picture p = {
		.source = packet[0] & PNC_PICTURE_FLAGS_SOURCE,
		.program = (packet[0] & PNC_PICTURE_FLAGS_PROGRAM) >> 4,
		.image = pnc_get16(packet + PNC_PICTURE_IMAGE_AT),
		.rank = packet[PNC_PICTURE_RANK_AT],
		.position = pnc_get16(packet + PNC_PICTURE_POSITION_AT),
		.remaining_ms = pnc_get16(packet + PNC_PICTURE_REMAINING_AT),
		.codec_bytes = (uint8_t)(len - PNC_PICTURE_HEADER),
	};
	return p;
}

#endif
