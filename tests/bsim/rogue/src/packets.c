#include "packets.h"

#include <stdbool.h>

#include "pnc_wire.h"

#define TYPES 256
#define ROUND (PACKETS / 2)
/* From this packet of each round on, packets have a known type and an illegal content. */
#define SPECIAL_FROM 1792

static uint32_t state = 1;

/* xorshift32 */
static uint32_t any(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static size_t fill(uint8_t *out, size_t from, size_t to)
{
	for (size_t at = from; at < to; at++) {
		out[at] = (uint8_t)any();
	}
	return to;
}

static size_t hello(uint8_t version, uint8_t *out)
{
	struct pnc_hello said = {.version = version, .kind = PNC_KIND_BOARD};

	return pnc_hello_write(&said, out);
}

static size_t special(int number, uint8_t *out)
{
	switch (number) {
	case 0: { /* a board must not be configured over the air */
		struct pnc_configure configure = {.role = PNC_ROLE_NONE, .interval_us = 4000000};

		return pnc_configure_write(&configure, out);
	}
	case 1: {
		struct pnc_reset reset = {.kind = PNC_RESET_KIND_FIRMWARE};

		return pnc_reset_write(&reset, out);
	}
	case 2: {
		struct pnc_pair pair = {.action = PNC_PAIR_ACTION_FORGET};

		return pnc_pair_write(&pair, out);
	}
	case 3: {
		struct pnc_flush flush = {.all = 1};

		return pnc_flush_write(&flush, out);
	}
	case 4:
		return hello(PNC_VERSION + 1u, out); /* refused from now on */
	case 5: {
		struct pnc_ping ping = {.hop = PNC_HOP_PEER_BOARD};

		return pnc_ping_write(&ping, out);
	}
	case 6:
		return hello(PNC_VERSION, out);
	case 7:
		return hello(PNC_VERSION, out) - 1u;
	case 8: {
		struct pnc_ping ping = {.hop = 9};

		return pnc_ping_write(&ping, out);
	}
	default: {
		struct pnc_result result = {.peer = 255, .image = (uint8_t)number, .status = 77};

		return pnc_result_write(&result, out);
	}
	}
}

size_t packets_write(int number, uint8_t *out)
{
	static const uint8_t lengths[] = {1, 2, 7, 8, 26, 100, PNC_MAX_PACKET};
	int at = number % ROUND;

	if (number == ROUND) {
		return hello(PNC_VERSION, out); /* ends the refusal of the first round */
	}
	if (at >= SPECIAL_FROM) {
		return special(at - SPECIAL_FROM, out);
	}
	out[0] = (uint8_t)(at % TYPES);
	if (out[0] ==
	    PNC_TYPE_HELLO) { /* truncated in the first round, valid in the second to keep the connection up */
		out[0] = 0;
		return number < ROUND ? 1 : hello(PNC_VERSION, out);
	}
	return fill(out, 1, lengths[at / TYPES]);
}

size_t raw_write(int number, uint8_t *out, uint16_t *channel)
{
	static const uint16_t channels[] = {0x0004, 0x0004, 0x0005, 0x0006, 0x0000, 0x003A, 0xFFFF};
	size_t len = any() % 260;

	*channel = channels[any() % (sizeof(channels) / sizeof(channels[0]))];
	if (number % 50 == 0) {
		len = 300 + any() % 100; /* more than the negotiated MTU */
	}
	return fill(out, 0, len);
}
