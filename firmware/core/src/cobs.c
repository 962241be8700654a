#include "pnc/cobs.h"

#include <stdbool.h>

/* A code byte gives the distance to the next zero; 0xFF means that the next 254 bytes contain none. */
#define FULL_BLOCK 0xFFu

size_t pnc_cobs_encode(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t code_at = 0;
	size_t at = 1;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = in[i];
		if (byte != 0) {
			out[at++] = byte;
			if (at - code_at != FULL_BLOCK || i + 1u == len) {
				continue;
			}
		}
		out[code_at] = (uint8_t)(at - code_at);
		code_at = at++;
	}
	out[code_at] = (uint8_t)(at - code_at);
	return at;
}

static void start_frame(struct pnc_cobs_decoder *d)
{
	d->left = 0;
	d->code = 0;
	d->overflow = 0;
}

void pnc_cobs_decoder_init(struct pnc_cobs_decoder *d, uint8_t *buffer, size_t capacity)
{
	d->buffer = buffer;
	d->capacity = capacity;
	d->len = 0;
	start_frame(d);
}

static void put(struct pnc_cobs_decoder *d, uint8_t byte)
{
	if (d->len < d->capacity) {
		d->buffer[d->len++] = byte;
	} else {
		d->overflow = 1;
	}
}

enum pnc_cobs_event pnc_cobs_decode(struct pnc_cobs_decoder *d, uint8_t byte)
{
	bool fresh = d->code == 0;
	if (byte == 0) {
		bool bad = d->left > 0 || d->overflow;
		start_frame(d);
		if (fresh) {
			return PNC_COBS_MORE;
		}
		return bad ? PNC_COBS_BAD : PNC_COBS_FRAME;
	}
	if (d->left > 0) {
		d->left--;
		put(d, byte);
		return PNC_COBS_MORE;
	}
	if (fresh) {
		d->len = 0;
	} else if (d->code != FULL_BLOCK) {
		put(d, 0);
	}
	d->code = byte;
	d->left = (uint8_t)(byte - 1u);
	return PNC_COBS_MORE;
}

size_t pnc_cobs_decode_data(struct pnc_cobs_decoder *d, const uint8_t *bytes, size_t len)
{
	uint8_t *out = d->buffer + d->len;
	size_t room = d->capacity - d->len;
	size_t most = len < d->left ? len : d->left;
	most = most < room ? most : room;
	size_t n = 0;
	while (n < most && bytes[n] != 0) {
		out[n] = bytes[n];
		n++;
	}
	d->len += n;
	d->left = (uint8_t)(d->left - n);
	return n;
}
