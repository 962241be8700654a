/* The control packets of a board and the frames that it keeps, against lists. */
#include "fuzz.h"
#include "pictures.h"
#include "pnc/clock.h"
#include "pnc/control.h"
#include "pnc/sent_frames.h"

#define SHARE (PNC_CONTROL_SLOTS * 3u / 4u)
#define DESTINATIONS 3u

struct listed {
	uint8_t to;
	uint8_t len;
	uint8_t packet[PNC_MAX_PACKET];
};

struct kept {
	uint32_t number;
	uint32_t deadline_us;
	uint8_t len;
	uint8_t packet[PNC_MAX_PACKET];
};

static struct pnc_control control;
static struct listed list[PNC_CONTROL_SLOTS];
static size_t listed;
static uint32_t dropped;
static struct pnc_sent_frames sent;
static struct kept kept[PNC_SENT_FRAMES]; /* oldest first */
static size_t kept_count;
static uint32_t now_us;
static uint32_t number; /* of the next frame */

static uint8_t destination(uint8_t what)
{
	return what % DESTINATIONS == 0 ? PNC_TO_SERIAL : (uint8_t)(what % DESTINATIONS);
}

static size_t count(bool serial)
{
	size_t n = 0;
	for (size_t i = 0; i < listed; i++) {
		n += (list[i].to == PNC_TO_SERIAL) == serial;
	}
	return n;
}

static bool list_push(uint8_t to, const uint8_t *packet, size_t len)
{
	if (listed == PNC_CONTROL_SLOTS || count(to == PNC_TO_SERIAL) >= SHARE) {
		dropped++;
		return false;
	}
	list[listed].to = to;
	list[listed].len = (uint8_t)len;
	memcpy(list[listed++].packet, packet, len);
	return true;
}

static bool list_push_result(uint8_t to, const uint8_t *packet, size_t len)
{
	for (size_t i = 0; i < listed; i++) {
		if (list[i].to == to && list[i].packet[0] == PNC_TYPE_RESULT &&
		    memcmp(list[i].packet, packet, 5) == 0) {
			list[i].len = (uint8_t)len;
			memcpy(list[i].packet, packet, len);
			return true;
		}
	}
	return list_push(to, packet, len);
}

static void pop(uint8_t to)
{
	uint8_t packet[PNC_MAX_PACKET];
	size_t len = pnc_control_pop(&control, to, packet);
	for (size_t i = 0; i < listed; i++) {
		if (list[i].to == to) {
			ALWAYS(len == list[i].len && memcmp(packet, list[i].packet, len) == 0);
			listed--;
			memmove(&list[i], &list[i + 1u], (listed - i) * sizeof(list[0]));
			return;
		}
	}
	ALWAYS(len == 0);
}

static void clear(uint8_t to)
{
	size_t left = 0;
	for (size_t i = 0; i < listed; i++) {
		if (list[i].to != to) {
			list[left++] = list[i];
		}
	}
	listed = left;
	pnc_control_clear(&control, to);
}

static void push(struct input *in, uint8_t to)
{
	uint8_t packet[PNC_MAX_PACKET] = {0};
	uint8_t what = eat(in);
	size_t len;
	if (what % 2u == 0) {
		struct pnc_result result = {.peer = what >> 1 & 1u, .image = what >> 2 & 1u, .program = what >> 3 & 1u};
		len = pnc_result_write(&result, packet);
		packet[len - 1u] = what;
		uint8_t *copy = exact_copy(packet, len);
		ALWAYS(pnc_control_push_result(&control, to, copy, len) == list_push_result(to, packet, len));
		free(copy);
		return;
	}
	len = eat_some(in, packet, PNC_MAX_PACKET);
	if (packet[0] == PNC_TYPE_RESULT && len < PNC_RESULT_SIZE) {
		packet[0] = PNC_TYPE_PING; /* results are whole, or they are not taken */
	}
	if (len > 0) {
		uint8_t *copy = exact_copy(packet, len);
		ALWAYS(pnc_control_push(&control, to, copy, len) == list_push(to, packet, len));
		free(copy);
	}
}

static bool is_picture(const struct kept *k)
{
	return (k->packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
}

static void forget(size_t at)
{
	kept[at].len = 0;
}

static void add(struct input *in)
{
	uint8_t what = eat(in);
	struct kept k = {.number = number};
	if (what % 4u == 0) {
		k.len = (uint8_t)(1u + what / 8u);
		memset(k.packet, what >> 1 & 0x7F, k.len);
	} else {
		struct picture p = {.source = what >> 2 & 1u, .image = what >> 3 & 1u, .remaining_ms = eat16(in)};
		k.len = (uint8_t)picture_write(&p, k.packet);
		k.deadline_us = now_us + p.remaining_ms * PNC_US_PER_MS;
	}
	uint8_t *copy = exact_copy(k.packet, k.len);
	pnc_sent_frames_add(&sent, now_us, number++, copy, k.len);
	free(copy);
	if (kept_count == PNC_SENT_FRAMES) {
		memmove(&kept[0], &kept[1], --kept_count * sizeof(kept[0]));
	}
	kept[kept_count++] = k;
}

/* The kept frame with that age, 0 for the last one sent, by which a repeat counts: `next_seq` may be an old one. */
static bool names(const struct kept *k, uint8_t next_seq, uint32_t missing)
{
	for (uint32_t bit = 0; bit < PNC_MISSING_WINDOW; bit++) {
		if ((missing >> bit & 1u) != 0 && (uint8_t)k->number == (uint8_t)(next_seq - 1u - bit)) {
			return number - k->number <= 128u;
		}
	}
	return false;
}

static void take(uint8_t next_seq, uint32_t missing)
{
	uint8_t out[PNC_MAX_PACKET];
	size_t len = pnc_sent_frames_take(&sent, now_us, number, next_seq, missing, out);
	for (size_t i = 0; i < kept_count; i++) {
		struct kept *k = &kept[i];
		if (k->len == 0 || !names(k, next_seq, missing)) {
			continue;
		}
		size_t should = k->len;
		forget(i);
		if (is_picture(k)) {
			if (pnc_before(k->deadline_us, now_us + PNC_US_PER_MS)) {
				continue;
			}
			pnc_put16(k->packet + PNC_PICTURE_REMAINING_AT,
				  (uint16_t)((k->deadline_us - now_us) / PNC_US_PER_MS));
		}
		ALWAYS(len == should && memcmp(out, k->packet, len) == 0);
		return;
	}
	ALWAYS(len == 0);
}

static void flush(uint8_t source, uint16_t image, bool all)
{
	pnc_sent_frames_flush(&sent, source, image, all);
	for (size_t i = 0; i < kept_count; i++) {
		struct picture p = picture_read(kept[i].packet, kept[i].len);
		if (is_picture(&kept[i]) && p.source == source && (all || p.image == image)) {
			forget(i);
		}
	}
}

static void step(struct input *in)
{
	uint8_t what = eat(in);
	uint8_t to = destination(what >> 4);
	switch (what & 0xFu) {
	case 0:
	case 1:
	case 2:
		push(in, to);
		break;
	case 3:
	case 4:
		pop(to);
		break;
	case 5:
		clear(to);
		break;
	case 6:
	case 7:
	case 8:
		add(in);
		break;
	case 9:
	case 10:
		take((uint8_t)(number - (what >> 4)), eat(in) * 0x01010101u);
		break;
	case 11:
		flush(what >> 4 & 1u, what >> 5 & 1u, (what & 0x40u) != 0);
		break;
	case 12:
		now_us += eat(in) * 1000u;
		break;
	case 13:
		number += what >> 4;
		break;
	case 14:
		take(eat(in), eat32(in));
		break;
	default:
		if (what == UINT8_MAX) {
			pnc_sent_frames_clear(&sent);
			kept_count = 0;
		}
		break;
	}
	ALWAYS(control.to_serial == count(true) && control.to_radio == count(false) && control.dropped == dropped);
	for (uint8_t i = 0; i < DESTINATIONS; i++) {
		bool waits = false;
		for (size_t k = 0; k < listed; k++) {
			waits = waits || list[k].to == destination(i);
		}
		ALWAYS(pnc_control_waits(&control, destination(i)) == waits);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	pnc_control_init(&control);
	memset(&sent, 0, sizeof(sent));
	pnc_sent_frames_clear(&sent);
	listed = 0;
	dropped = 0;
	kept_count = 0;
	now_us = eat(&in) % 2u == 0 ? 0 : UINT32_MAX - 30000u;
	number = eat(&in) * 0x01010101u;
	while (in.left > 0) {
		step(&in);
	}
	return 0;
}
