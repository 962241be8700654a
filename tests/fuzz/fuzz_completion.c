/* The traffic between Bluetooth host and controller, with any bytes. */
#include "fuzz.h"
#include "pnc/completion.h"

#define MOST 72u

static struct pnc_completion completion;

static void check(void)
{
	for (size_t i = 0; i < PNC_PEERS; i++) {
		const struct pnc_completion_link *l = &completion.links[i];
		ALWAYS(l->inside <= PNC_COMPLETION_MOST);
		ALWAYS(!l->used || l->inside == PNC_COMPLETION_MOST || l->ends >> l->inside == 0);
		for (size_t k = 0; k < i; k++) {
			ALWAYS(!l->used || !completion.links[k].used || l->handle != completion.links[k].handle);
		}
	}
}

static size_t packets_inside(void)
{
	size_t n = 0;
	for (size_t i = 0; i < PNC_PEERS; i++) {
		n += completion.links[i].used ? completion.links[i].inside : 0u;
	}
	return n;
}

static void event(const uint8_t *bytes, size_t len)
{
	struct pnc_completed *done = malloc(PNC_PEERS * sizeof(*done));
	uint8_t *copy = exact_copy(bytes, len);
	ALWAYS(done != NULL);
	size_t before = packets_inside();
	size_t n = pnc_completion_event(&completion, copy, len, done);
	size_t ours = 0;
	ALWAYS(n <= PNC_PEERS);
	for (size_t i = 0; i < n; i++) {
		ALWAYS(done[i].packets >= 1u);
		ours += done[i].packets;
	}
	ALWAYS(packets_inside() <= before && ours <= before - packets_inside());
	free(copy);
	free(done);
}

static void sent(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = exact_copy(bytes, len);
	size_t before = packets_inside();
	pnc_completion_sent(&completion, copy, len);
	ALWAYS(packets_inside() == before || packets_inside() == before + 1u);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	pnc_completion_init(&completion);
	while (in.left > 0) {
		uint8_t what = eat(&in);
		uint8_t bytes[MOST];
		size_t len;
		switch (what % 4u) {
		case 0:
			len = eat_some(&in, bytes, MOST);
			sent(bytes, len);
			break;
		case 1: {
			/* a whole notification or write command on a handle */
			uint8_t acl[] = {(uint8_t)(what >> 4),           0x20, 8, 0, 4, 0, 4, 0,
					 (what & 4u) != 0 ? 0x1B : 0x52, 0,    0, 0};
			sent(acl, (what & 8u) != 0 ? sizeof(acl) : 11u);
			break;
		}
		case 2:
			len = eat_some(&in, bytes, MOST);
			event(bytes, len);
			break;
		default: {
			uint8_t completed[] = {0x13, 5, 1, (uint8_t)(what >> 4), 0, eat(&in), 0};
			if ((what & 8u) != 0) {
				pnc_completion_refused(&completion, what >> 4);
			} else {
				event(completed, sizeof(completed));
			}
			break;
		}
		}
		check();
	}
	return 0;
}
