#include "pnc/control.h"

/* Slots that one direction may use. */
#define SHARE (PNC_CONTROL_SLOTS * 3u / 4u)

/* The bytes of a result that name its image: type, peer, image, program. */
#define NAMES_RESULT 5u

_Static_assert(PNC_CONTROL_SLOTS >= 2u && PNC_CONTROL_SLOTS <= 254u, "slots are numbered by a byte");

void pnc_control_init(struct pnc_control *c)
{
	memset(c, 0, sizeof(*c));
	for (uint8_t i = 0; i < PNC_CONTROL_SLOTS; i++) {
		c->slots[i].next = (uint8_t)(i + 1u);
	}
	c->slots[PNC_CONTROL_SLOTS - 1u].next = PNC_NO_CONTROL;
	c->first = PNC_NO_CONTROL;
	c->last = PNC_NO_CONTROL;
}

static uint8_t *direction(struct pnc_control *c, uint8_t to)
{
	return to == PNC_TO_SERIAL ? &c->to_serial : &c->to_radio;
}

bool pnc_control_push(struct pnc_control *c, uint8_t to, const uint8_t *packet, size_t len)
{
	uint8_t *used = direction(c, to);
	if (c->free == PNC_NO_CONTROL || *used >= SHARE) {
		c->dropped++;
		return false;
	}
	uint8_t at = c->free;
	struct pnc_control_slot *s = &c->slots[at];
	c->free = s->next;
	s->next = PNC_NO_CONTROL;
	s->to = to;
	s->len = (uint8_t)len;
	memcpy(s->packet, packet, len);
	if (c->last == PNC_NO_CONTROL) {
		c->first = at;
	} else {
		c->slots[c->last].next = at;
	}
	c->last = at;
	(*used)++;
	return true;
}

bool pnc_control_push_result(struct pnc_control *c, uint8_t to, const uint8_t *packet, size_t len)
{
	for (uint8_t at = c->first; at != PNC_NO_CONTROL; at = c->slots[at].next) {
		/*@ split at; */
		struct pnc_control_slot *s = &c->slots[at];
		if (s->to == to && s->packet[0] == PNC_TYPE_RESULT && memcmp(s->packet, packet, NAMES_RESULT) == 0) {
			s->len = (uint8_t)len;
			memcpy(s->packet, packet, len);
			return true;
		}
	}
	return pnc_control_push(c, to, packet, len);
}

/* Free the slot of the oldest packet for a destination and return it; NULL if there is none. Its content stays valid
 * until the next push. */
static const struct pnc_control_slot *take(struct pnc_control *c, uint8_t to)
{
	uint8_t before = PNC_NO_CONTROL;
	uint8_t at = c->first;
	while (at != PNC_NO_CONTROL && c->slots[at].to != to) {
		before = at;
		at = c->slots[at].next;
	}
	if (at == PNC_NO_CONTROL) {
		return NULL;
	}
	struct pnc_control_slot *s = &c->slots[at];
	if (before == PNC_NO_CONTROL) {
		c->first = s->next;
	} else {
		c->slots[before].next = s->next;
	}
	if (c->last == at) {
		c->last = before;
	}
	s->next = c->free;
	c->free = at;
	(*direction(c, to))--;
	return s;
}

size_t pnc_control_pop(struct pnc_control *c, uint8_t to, uint8_t *out)
{
	const struct pnc_control_slot *s = take(c, to);
	if (s == NULL) {
		return 0;
	}
	memcpy(out, s->packet, s->len);
	return s->len;
}

bool pnc_control_waits(const struct pnc_control *c, uint8_t to)
{
	for (uint8_t at = c->first; at != PNC_NO_CONTROL; at = c->slots[at].next) {
		if (c->slots[at].to == to) {
			return true;
		}
	}
	return false;
}

void pnc_control_clear(struct pnc_control *c, uint8_t to)
{
	while (take(c, to) != NULL) {
	}
}
