/* Values that the analysis takes for anything. */
#ifndef PNC_PROOF_ANY_H
#define PNC_PROOF_ANY_H

#include <__fc_builtin.h>
#include <stddef.h>
#include <stdint.h>

/* Fill bytes[0..len) with anything. */
static inline void any_bytes(uint8_t *bytes, size_t len)
{
	Frama_C_make_unknown((char *)bytes, len);
}

static inline uint8_t any_u8(void)
{
	return (uint8_t)Frama_C_unsigned_char_interval(0, UINT8_MAX);
}

static inline uint16_t any_u16(void)
{
	return (uint16_t)Frama_C_unsigned_short_interval(0, UINT16_MAX);
}

static inline uint32_t any_u32(void)
{
	return (uint32_t)Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

/* Any length of at least `least` and at most `most`. */
static inline size_t any_size(size_t least, size_t most)
{
	return (size_t)Frama_C_unsigned_int_interval((unsigned)least, (unsigned)most);
}

/* One of 0 to n - 1: which call comes next. */
static inline int any_of(int n)
{
	return Frama_C_interval(0, n - 1);
}

#endif
