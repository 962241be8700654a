/* What all fuzz targets share. A target defines LLVMFuzzerTestOneInput and aborts where a promise does not hold. It is
 * linked with libFuzzer, or with fuzz_main.c, which replays files. */
#ifndef PNC_FUZZ_H
#define PNC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALWAYS(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                  \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, eaten byte by byte; zeros when it is used up. */
struct input {
	const uint8_t *bytes;
	size_t left;
};

static inline uint8_t eat(struct input *in)
{
	if (in->left == 0) {
		return 0;
	}
	in->left--;
	return *in->bytes++;
}

static inline uint16_t eat16(struct input *in)
{
	uint8_t low = eat(in);
	return (uint16_t)(eat(in) << 8 | low);
}

static inline uint32_t eat32(struct input *in)
{
	uint16_t low = eat16(in);
	return (uint32_t)eat16(in) << 16 | low;
}

/* Eats a length, at most `most`, and as many bytes. */
static inline size_t eat_some(struct input *in, uint8_t *out, size_t most)
{
	size_t len = eat(in) % (most + 1u);
	for (size_t i = 0; i < len; i++) {
		out[i] = eat(in);
	}
	return len;
}

/* A copy of exactly that size, so that a sanitizer sees every read beyond it. free() it. */
static inline uint8_t *exact_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1u);
	ALWAYS(copy != NULL);
	if (len > 0) {
		memcpy(copy, bytes, len);
	}
	return copy;
}

#endif
