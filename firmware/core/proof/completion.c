/* Any bytes from the Bluetooth host and from the controller, in any order. */
#include "any.h"
#include "pnc/completion.h"

/* The longest event: its code, its length and as many bytes as that can say. */
#define EVENT_MAX 257u
/* An ACL data packet; of a longer one only the length matters. */
#define ACL_MAX 300u

static struct pnc_completion completion;
static uint8_t event[EVENT_MAX];
static uint8_t acl[ACL_MAX];
static struct pnc_completed done[PNC_PEERS];

int main(void)
{
	pnc_completion_init(&completion);
	while (any_of(2)) {
		switch (any_of(3)) {
		case 0:
			any_bytes(acl, sizeof(acl));
			pnc_completion_sent(&completion, acl, any_size(0, sizeof(acl)));
			break;
		case 1:
			pnc_completion_refused(&completion, any_u16());
			break;
		default: {
			any_bytes(event, sizeof(event));
			size_t filled = pnc_completion_event(&completion, event, any_size(0, sizeof(event)), done);
			//@ assert filled <= PNC_PEERS;
			(void)filled;
			break;
		}
		}
	}
	return 0;
}
