#include "pnc/sent_frames.h"

#include "pnc/clock.h"

/* Frames older than this cannot be meant: sequence numbers repeat after 256 frames. */
#define OLDEST_NAMED 128u

_Static_assert(PNC_SENT_FRAMES >= 1u && PNC_SENT_FRAMES <= PNC_MISSING_WINDOW, "a repeat can name each kept frame");

void pnc_sent_frames_clear(struct pnc_sent_frames *s)
{
	for (uint8_t i = 0; i < PNC_SENT_FRAMES; i++) {
		s->frames[i].len = 0;
	}
}

static bool is_picture(const struct pnc_sent_frame *f)
{
	return (f->packet[0] & PNC_PICTURE_FLAGS_PICTURE) != 0;
}

void pnc_sent_frames_add(struct pnc_sent_frames *s, uint32_t now_us, uint32_t number, const uint8_t *packet, size_t len)
{
	struct pnc_sent_frame *f = &s->frames[s->oldest];
	s->oldest = (uint8_t)((s->oldest + 1u) % PNC_SENT_FRAMES);
	f->number = number;
	f->len = (uint8_t)len;
	memcpy(f->packet, packet, len);
	if (is_picture(f)) {
		f->deadline_us = now_us + pnc_get16(packet + PNC_PICTURE_REMAINING_AT) * PNC_US_PER_MS;
	}
}

/* Return true if a repeat names this frame. */
static bool is_named(const struct pnc_sent_frame *f, uint32_t number, uint8_t next_seq, uint32_t missing)
{
	uint8_t age = (uint8_t)(next_seq - 1u - f->number);
	return f->len > 0 && number - f->number <= OLDEST_NAMED && age < PNC_MISSING_WINDOW &&
	       (missing >> age & 1u) != 0;
}

/* Write the remaining time of a picture packet; return false if none is left. Other packets have no deadline. */
static bool is_in_time(struct pnc_sent_frame *f, uint32_t now_us)
{
	if (!is_picture(f)) {
		return true;
	}
	if (pnc_before(f->deadline_us, now_us + PNC_US_PER_MS)) {
		return false;
	}
	pnc_put16(f->packet + PNC_PICTURE_REMAINING_AT, (uint16_t)((f->deadline_us - now_us) / PNC_US_PER_MS));
	return true;
}

size_t pnc_sent_frames_take(struct pnc_sent_frames *s, uint32_t now_us, uint32_t number, uint8_t next_seq,
			    uint32_t missing, uint8_t *out)
{
	for (uint8_t i = 0; i < PNC_SENT_FRAMES; i++) {
		struct pnc_sent_frame *f = &s->frames[(s->oldest + i) % PNC_SENT_FRAMES];
		if (!is_named(f, number, next_seq, missing)) {
			continue;
		}
		uint8_t len = f->len;
		f->len = 0;
		if (is_in_time(f, now_us)) {
			memcpy(out, f->packet, len);
			return len;
		}
	}
	return 0;
}

void pnc_sent_frames_flush(struct pnc_sent_frames *s, uint8_t source, uint16_t image, bool all)
{
	for (uint8_t i = 0; i < PNC_SENT_FRAMES; i++) {
		struct pnc_sent_frame *f = &s->frames[i];
		if (is_picture(f) && (f->packet[0] & PNC_PICTURE_FLAGS_SOURCE) == source &&
		    (all || pnc_get16(f->packet + PNC_PICTURE_IMAGE_AT) == image)) {
			f->len = 0;
		}
	}
}
