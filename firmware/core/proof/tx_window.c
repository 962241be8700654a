/* Packets in flight: any calls in any order that the header allows, at any times. */
#include "any.h"
#include "pnc/tx_window.h"

static struct pnc_tx_window window;

int main(void)
{
	pnc_tx_window_init(&window, (uint8_t)any_size(1, PNC_IN_FLIGHT_MAX));
	while (any_of(2)) {
		//@ split window.first;
		//@ split window.count;
		switch (any_of(6)) {
		case 0:
			if (!pnc_tx_window_is_full(&window)) {
				pnc_tx_window_add(&window, any_u32(), any_u8(), any_of(2) != 0);
			}
			break;
		case 1:
			if (window.count > 0) {
				(void)pnc_tx_window_acknowledge(&window, any_u32(), any_u32());
			}
			break;
		case 2:
			pnc_tx_window_set_event_packets(&window, any_u8());
			break;
		case 3:
			(void)pnc_tx_window_pictures(&window);
			break;
		case 4:
			pnc_tx_window_forget_session(&window);
			break;
		default:
			(void)pnc_tx_window_delay_us(&window, any_u32());
			break;
		}
		//@ merge window.count;
		//@ merge window.first;
	}
	return 0;
}
