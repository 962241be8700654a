/* Any calls in any order, with any packets for any destination. */
#include "any.h"
#include "pnc/control.h"

static struct pnc_control control;
static uint8_t packet[PNC_MAX_PACKET];
static uint8_t out[PNC_MAX_PACKET];

int main(void)
{
	any_bytes(packet, sizeof(packet));
	pnc_control_init(&control);
	while (any_of(2)) {
		switch (any_of(5)) {
		case 0:
			(void)pnc_control_push(&control, any_u8(), packet, any_size(1, sizeof(packet)));
			break;
		case 1:
			(void)pnc_control_push_result(&control, any_u8(), packet, any_size(1, sizeof(packet)));
			break;
		case 2:
			(void)pnc_control_pop(&control, any_u8(), out);
			break;
		case 3:
			(void)pnc_control_waits(&control, any_u8());
			break;
		default:
			pnc_control_clear(&control, any_u8());
			break;
		}
	}
	return 0;
}
