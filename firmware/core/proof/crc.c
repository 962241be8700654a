/* Any bytes, any length up to that of a frame, continued from any CRC. */
#include "any.h"
#include "pnc/crc.h"
#include "pnc_wire.h"

int main(void)
{
	uint8_t bytes[PNC_MAX_FRAME];
	any_bytes(bytes, sizeof(bytes));
	size_t len = any_size(0, sizeof(bytes));
	return (int)(pnc_crc32(any_u32(), bytes, len) & 1u);
}
