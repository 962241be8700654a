/* Lets a board work for a camera and for an edge board, each step between two calls of a function that only marks the
 * step. count.py runs this on an emulated Cortex-M4 and counts the instructions between them. */
#include "pnc/board.h"

#include <string.h>

#define MS 1000u
#define PART_BYTES 64u /* as board_thread.c reads and writes them */
#define DATA_BYTES (PNC_MAX_PACKET - PNC_PICTURE_HEADER)
#define WAITING 32u /* packets in the queue while steps are counted */
#define LONG_MS 60000u

static struct pnc_board board;
static uint8_t seq;
static uint32_t now_us;

/* Their addresses in the trace are the ends of a step. */
__attribute__((noinline)) void step_begin(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_serial_in(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_radio_out(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_credit_out(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_radio_in(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_serial_out(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void step_tick(void)
{
	__asm__ volatile("");
}

/* The C library's, no faster than that of Zephyr: words where both ends are aligned alike, bytes elsewhere. */
void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	size_t at = 0;

	if ((((uintptr_t)out ^ (uintptr_t)in) & 3u) == 0) {
		for (; at < len && ((uintptr_t)(in + at) & 3u) != 0; at++) {
			out[at] = in[at];
		}
		for (; at + 4u <= len; at += 4u) {
			*(uint32_t *)(void *)(out + at) = *(const uint32_t *)(const void *)(in + at);
		}
	}
	for (; at < len; at++) {
		out[at] = in[at];
	}
	return to;
}

void *memset(void *to, int value, size_t len)
{
	uint8_t *out = to;

	for (size_t at = 0; at < len; at++) {
		out[at] = (uint8_t)value;
	}
	return to;
}

static bool yes_configure(void *user, const struct pnc_configure *configuration)
{
	return user == NULL && configuration != NULL;
}

static bool yes_pair(void *user, const struct pnc_pair *pair)
{
	return user == NULL && pair != NULL;
}

static void no_pairing(void *user, struct pnc_pairing *pairing)
{
	pairing->open = user != NULL;
}

static bool yes_reset(void *user, uint8_t kind)
{
	return user == NULL && kind == 0;
}

static int8_t rssi(void *user, uint8_t peer)
{
	return user == NULL && peer == 0 ? -40 : 127;
}

static void no_wake(void *user)
{
	__asm__ volatile("" : : "r"(user));
}

static const struct pnc_board_ops ops = {
	.configure = yes_configure,
	.pair = yes_pair,
	.pairing = no_pairing,
	.reset = yes_reset,
	.rssi_dbm = rssi,
	.wake = no_wake,
};

static void serial_in(const uint8_t *packet, size_t len)
{
	uint8_t frame[PNC_MAX_FRAME + 1u];
	size_t size = pnc_frame_write(seq++, packet, len, frame);

	step_begin();
	for (size_t at = 0; at < size; at += PART_BYTES) {
		size_t part = size - at < PART_BYTES ? size - at : PART_BYTES;

		pnc_board_serial_rx(&board, now_us, frame + at, part);
	}
	step_serial_in();
}

static size_t serial_out(void)
{
	uint8_t bytes[PART_BYTES];
	size_t n;
	size_t all = 0;

	do {
		n = pnc_board_serial_tx(&board, now_us, bytes, sizeof(bytes));
		all += n;
	} while (n > 0);
	return all;
}

/* A whole packet. Its bytes differ, so that COBS finds a zero now and then, as in a codec's. */
static size_t picture(uint8_t rank, uint8_t *packet)
{
	uint32_t random = 12345u + rank;

	packet[0] = PNC_PICTURE_FLAGS_PICTURE;
	pnc_put16(packet + PNC_PICTURE_IMAGE_AT, 7);
	packet[PNC_PICTURE_RANK_AT] = rank;
	pnc_put16(packet + PNC_PICTURE_POSITION_AT, rank);
	pnc_put16(packet + PNC_PICTURE_REMAINING_AT, LONG_MS);
	for (size_t i = 0; i < DATA_BYTES; i++) {
		random = random * 1664525u + 1013904223u;
		packet[PNC_PICTURE_HEADER + i] = (uint8_t)(random >> 24);
	}
	return PNC_MAX_PACKET;
}

static void start(uint8_t role)
{
	uint8_t packet[PNC_MAX_PACKET];
	const struct pnc_board_identity identity = {.role = role, .in_flight = 3, .name = "counted"};
	const struct pnc_radio_link link = {.interval_us = 7500, .mtu = 247, .phy = PNC_PHY_LE_2M};
	const struct pnc_hello hello = {.version = PNC_VERSION, .kind = PNC_KIND_HOST};
	const struct pnc_hello remote = {.version = PNC_VERSION, .kind = PNC_KIND_BOARD};

	seq = 0;
	now_us = 0;
	pnc_board_init(&board, &identity, &ops, NULL, now_us);
	serial_in(packet, pnc_hello_write(&hello, packet));
	pnc_board_radio_up(&board, now_us, 0, &link);
	pnc_board_radio_rx(&board, now_us, 0, packet, pnc_hello_write(&remote, packet));
	while (pnc_board_radio_tx(&board, now_us, 0, packet) > 0) {
		pnc_board_radio_sent(&board, now_us, 0);
	}
	serial_out();
}

/* Each packet comes and goes, while the queue holds WAITING others. */
static void camera(uint8_t packets)
{
	uint8_t packet[PNC_MAX_PACKET];

	start(PNC_ROLE_CAMERA);
	for (uint8_t rank = 0; rank < packets + WAITING; rank++) {
		serial_in(packet, picture(rank, packet));
		if (rank < WAITING) {
			continue;
		}
		step_begin();
		pnc_board_radio_tx(&board, now_us, 0, packet);
		pnc_board_radio_sent(&board, now_us, 0);
		step_radio_out();
		now_us += MS;
		step_begin();
		serial_out();
		step_credit_out();
		step_begin();
		pnc_board_tick(&board, now_us);
		step_tick();
	}
}

static void edge(uint8_t packets)
{
	uint8_t packet[PNC_MAX_PACKET];
	uint8_t bytes[PNC_MAX_FRAME + 1u];
	size_t written = 0;

	start(PNC_ROLE_EDGE);
	for (uint8_t rank = 0; rank < packets + WAITING; rank++) {
		size_t len = picture(rank, packet);

		step_begin();
		pnc_board_radio_rx(&board, now_us, 0, packet, len);
		step_radio_in();
		if (rank < WAITING) {
			continue;
		}
		now_us += MS;
		step_begin();
		for (size_t left = PNC_MAX_FRAME; left > 0; left -= written) {
			written = pnc_board_serial_tx(&board, now_us, bytes, left < PART_BYTES ? left : PART_BYTES);
		}
		step_serial_out();
	}
}

/* Ends the emulator: Linux's call "exit". */
__attribute__((noreturn)) void _start(void)
{
	camera(16);
	edge(16);
	__asm__ volatile("mov r0, #0\n\tmov r7, #1\n\tsvc 0" : : : "r0", "r7", "memory");
	for (;;) {
	}
}
