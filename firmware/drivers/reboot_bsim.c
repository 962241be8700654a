/* Reset of a board on BabbleSim's radio: the board leaves the simulation, which continues without it. No device can
 * join a running simulation. To have the board back, start another program with the same flash and a -start_offset
 * together with the simulation. SPDX-License-Identifier: Apache-2.0 */
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
