#include "pnc/completion.h"

#include <string.h>

#include "pnc_wire.h"

#define ACL_HEADER 4u
#define L2CAP_HEADER 4u
#define HANDLE_MASK 0x0fffu
#define BOUNDARY_CONTINUES 1u /* packet boundary flag, the two bits above the handle */
#define ATT_CHANNEL 0x0004u
#define ATT_NOTIFICATION 0x1bu
#define ATT_WRITE_COMMAND 0x52u
#define EVENT_DISCONNECTED 0x05u
#define EVENT_COMPLETED 0x13u
#define EVENT_LE_META 0x3eu
#define LE_CONNECTED 0x01u
#define LE_CONNECTED_ENHANCED 0x0au

void pnc_completion_init(struct pnc_completion *c)
{
	memset(c, 0, sizeof(*c));
}

static struct pnc_completion_link *find(struct pnc_completion *c, uint16_t handle)
{
	for (size_t i = 0; i < PNC_PEERS; i++) {
		if (c->links[i].used && c->links[i].handle == handle) {
			return &c->links[i];
		}
	}
	return NULL;
}

static struct pnc_completion_link *find_or_begin(struct pnc_completion *c, uint16_t handle)
{
	struct pnc_completion_link *link = find(c, handle);

	for (size_t i = 0; link == NULL && i < PNC_PEERS; i++) {
		if (!c->links[i].used) {
			link = &c->links[i];
			*link = (struct pnc_completion_link){.handle = handle, .used = true};
		}
	}
	return link;
}

/* Record the kind and the length of a PDU from its first packet. */
static void begin(struct pnc_completion_link *link, const uint8_t *data, size_t len)
{
	bool whole = len > L2CAP_HEADER;
	uint8_t opcode = whole ? data[L2CAP_HEADER] : 0;

	link->rest = whole ? (uint16_t)(pnc_get16(data) + L2CAP_HEADER) : 0;
	link->ours = whole && pnc_get16(data + 2) == ATT_CHANNEL &&
		     (opcode == ATT_NOTIFICATION || opcode == ATT_WRITE_COMMAND);
}

void pnc_completion_sent(struct pnc_completion *c, const uint8_t *acl, size_t len)
{
	struct pnc_completion_link *link;
	size_t data_len;

	if (len < ACL_HEADER) {
		return;
	}
	link = find_or_begin(c, pnc_get16(acl) & HANDLE_MASK);
	if (link == NULL || link->inside >= PNC_COMPLETION_MOST) {
		return;
	}
	data_len = len - ACL_HEADER;
	if ((pnc_get16(acl) >> 12 & 3u) != BOUNDARY_CONTINUES) {
		begin(link, acl + ACL_HEADER, data_len);
	}
	link->rest = data_len < link->rest ? (uint16_t)(link->rest - data_len) : 0;
	if (link->ours && link->rest == 0) {
		link->ends |= (uint32_t)1 << link->inside;
		link->ours = false;
	}
	link->inside++;
}

void pnc_completion_refused(struct pnc_completion *c, uint16_t handle)
{
	struct pnc_completion_link *link = find(c, handle);

	if (link != NULL && link->inside > 0) {
		link->inside--;
		link->ends &= ~((uint32_t)1 << link->inside);
	}
}

/* Remove `count` packets, oldest first, and return how many of them ended a PDU of ours. */
static uint8_t take(struct pnc_completion_link *link, uint16_t count)
{
	uint8_t ours = 0;

	for (; count > 0 && link->inside > 0; count--) {
		ours = (uint8_t)(ours + (link->ends & 1u));
		link->ends >>= 1;
		link->inside--;
	}
	return ours;
}

static size_t completed(struct pnc_completion *c, const uint8_t *entries, size_t count, struct pnc_completed *done)
{
	size_t filled = 0;

	for (size_t i = 0; i < count && filled < PNC_PEERS; i++) {
		struct pnc_completion_link *link = find(c, pnc_get16(entries + 4 * i) & HANDLE_MASK);

		if (link != NULL) {
			uint8_t ours = take(link, pnc_get16(entries + 4 * i + 2));

			if (ours > 0) {
				done[filled++] = (struct pnc_completed){.handle = link->handle, .packets = ours};
			}
		}
	}
	return filled;
}

/* Forget a connection, because it ended or a new one has its handle. Its packets are no longer in the controller. */
static void forget(struct pnc_completion *c, uint16_t handle)
{
	struct pnc_completion_link *link = find(c, handle & HANDLE_MASK);

	if (link != NULL) {
		link->used = false;
	}
}

size_t pnc_completion_event(struct pnc_completion *c, const uint8_t *event, size_t len,
			    struct pnc_completed done[PNC_PEERS])
{
	const uint8_t *parameters = event + 2;

	if (len < 2 || len - 2 < event[1]) {
		return 0;
	}
	len = event[1];
	if (event[0] == EVENT_COMPLETED && len >= 1 && (len - 1) / 4u >= parameters[0]) {
		return completed(c, parameters + 1, parameters[0], done);
	}
	if (event[0] == EVENT_DISCONNECTED && len >= 3 && parameters[0] == 0) {
		forget(c, pnc_get16(parameters + 1));
	}
	if (event[0] == EVENT_LE_META && len >= 4 && parameters[1] == 0 &&
	    (parameters[0] == LE_CONNECTED || parameters[0] == LE_CONNECTED_ENHANCED)) {
		forget(c, pnc_get16(parameters + 2));
	}
	return 0;
}
