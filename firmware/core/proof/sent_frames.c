/* Any calls in any order, with any packets. */
#include "any.h"
#include "pnc/sent_frames.h"

static struct pnc_sent_frames kept;
static uint8_t packet[PNC_MAX_PACKET];
static uint8_t out[PNC_MAX_PACKET];

int main(void)
{
	while (any_of(2)) {
		switch (any_of(4)) {
		case 0:
			any_bytes(packet, sizeof(packet));
			pnc_sent_frames_add(&kept, any_u32(), any_u32(), packet, any_size(1, sizeof(packet)));
			break;
		case 1: {
			size_t len = pnc_sent_frames_take(&kept, any_u32(), any_u32(), any_u8(), any_u32(), out);
			//@ assert len <= PNC_MAX_PACKET;
			(void)len;
			break;
		}
		case 2:
			pnc_sent_frames_flush(&kept, any_u8(), any_u16(), any_of(2) != 0);
			break;
		default:
			pnc_sent_frames_clear(&kept);
			break;
		}
	}
	return 0;
}
