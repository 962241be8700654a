/* Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker, IEEE/ACM ToN 7(2), 1999): bytes without a zero, so
 * that a zero can close a frame. */
#ifndef PNC_COBS_H
#define PNC_COBS_H

#include <stddef.h>
#include <stdint.h>

/* The most bytes that encoding n bytes gives (the closing zero not counted). */
#define PNC_COBS_MAX(n) ((n) + ((n) + 253u) / 254u + ((n) == 0u))

/* Writes in[0..len) encoded to out, which has room for PNC_COBS_MAX(len); returns the bytes written. The
 * closing zero is the caller's. in and out do not overlap. */
size_t pnc_cobs_encode(const uint8_t *in, size_t len, uint8_t *out);

/* Decodes a stream byte by byte. Memory: the caller's buffer. */
struct pnc_cobs_decoder {
	uint8_t *buffer;
	size_t capacity;
	size_t len;       /* bytes decoded of the frame so far */
	uint8_t left;     /* bytes until the next code */
	uint8_t code;     /* the code of the running block; 0 before the first */
	uint8_t overflow; /* the frame did not fit: skip to its end */
};

enum pnc_cobs_event {
	PNC_COBS_MORE,  /* the frame goes on */
	PNC_COBS_FRAME, /* a frame ended: buffer[0..len) until the next call */
	PNC_COBS_BAD    /* a frame ended that is cut short or longer than capacity; the next one is looked for */
};

/* Starts a decoder that writes frames of up to `capacity` bytes to `buffer`. */
void pnc_cobs_decoder_init(struct pnc_cobs_decoder *d, uint8_t *buffer, size_t capacity);

/* Takes one byte of the stream. A zero byte always ends a frame, whatever came before it; empty frames (two
 * zeros in a row) are passed over in silence (PNC_COBS_MORE). */
enum pnc_cobs_event pnc_cobs_decode(struct pnc_cobs_decoder *d, uint8_t byte);

#endif
