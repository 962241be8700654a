/* Any calls in any order, at any times. */
#include "any.h"
#include "pnc/goodput.h"

int main(void)
{
	struct pnc_goodput goodput;
	pnc_goodput_init(&goodput, any_u32());
	while (any_of(2)) {
		if (any_of(2)) {
			pnc_goodput_add(&goodput, any_u32());
		} else {
			pnc_goodput_tick(&goodput, any_u32());
		}
	}
	return 0;
}
