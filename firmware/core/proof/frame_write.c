/* Write packets of any bytes. Each length is an analysis of its own, so only some: both ends and between. */
#include "any.h"
#include "pnc/frame.h"

static uint8_t packet[PNC_MAX_PACKET];
static uint8_t out[PNC_MAX_FRAME + 1u];
static const uint8_t lengths[] = {1, 2, 3, 122, 243, PNC_MAX_PACKET};

int main(void)
{
	any_bytes(packet, sizeof(packet));
	for (unsigned i = 0; i < sizeof(lengths); i++) {
		size_t written = pnc_frame_write(any_u8(), packet, lengths[i], out);
		//@ assert written <= sizeof(out);
		(void)written;
	}
	return 0;
}
