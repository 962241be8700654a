/**
 * @file
 * @brief Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker, IEEE/ACM ToN 7(2), 1999). Encoded bytes contain no
 * zero, so a zero can mark the end of a frame.
 */
#ifndef PNC_COBS_H
#define PNC_COBS_H

#include <stddef.h>
#include <stdint.h>

/** Upper bound of the length of n bytes encoded, without the closing zero. */
#define PNC_COBS_MAX(n) ((n) + ((n) + 253u) / 254u + ((n) == 0u))

/**
 * @brief Encode in[0..len) to `out`, which has room for PNC_COBS_MAX(len) bytes, and return the number of bytes
 * written. The caller appends the closing zero. `in` and `out` must not overlap.
 */
size_t pnc_cobs_encode(const uint8_t *in, size_t len, uint8_t *out);

/** Decodes a stream byte by byte into the caller's buffer. */
struct pnc_cobs_decoder {
	uint8_t *buffer;
	size_t capacity;
	size_t len;       /**< bytes of the current frame decoded so far */
	uint8_t left;     /**< bytes until the next code */
	uint8_t code;     /**< code of the current block; 0 before the first */
	uint8_t overflow; /**< the current frame does not fit: the rest of it is skipped */
};

enum pnc_cobs_event {
	PNC_COBS_MORE,  /**< no frame has ended */
	PNC_COBS_FRAME, /**< a frame has ended: buffer[0..len), valid until the next call */
	PNC_COBS_BAD    /* a frame has ended that is truncated or longer than `capacity` */
};

/** @brief Initialise a decoder that writes frames of up to `capacity` bytes to `buffer`. */
void pnc_cobs_decoder_init(struct pnc_cobs_decoder *d, uint8_t *buffer, size_t capacity);

/**
 * @brief Process one byte of the stream. A zero byte always ends a frame, whatever precedes it. Empty frames (two zeros
 * in a row) are ignored: PNC_COBS_MORE.
 */
enum pnc_cobs_event pnc_cobs_decode(struct pnc_cobs_decoder *d, uint8_t byte);

/**
 * @brief Process as many of bytes[0..len) as are data of the current block, for which pnc_cobs_decode would return
 * PNC_COBS_MORE each time, only faster. Return how many; the one after them is for pnc_cobs_decode.
 */
size_t pnc_cobs_decode_data(struct pnc_cobs_decoder *d, const uint8_t *bytes, size_t len);

#endif
