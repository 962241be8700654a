/* A reset of a board on BabbleSim's radio: it leaves the simulation, which goes on without it. BabbleSim takes no
 * device in while it runs; who wants the board back starts a program beforehand, with its flash and a -start_offset.
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include <zephyr/sys/reboot.h>

#include "NRF_HWLowL.h"
#include "soc.h"

void sys_arch_reboot(int type)
{
	ARG_UNUSED(type);
	run_native_tasks(_NATIVE_ON_EXIT_LEVEL);
	hwll_disconnect_phy();
	_exit(0);
}
