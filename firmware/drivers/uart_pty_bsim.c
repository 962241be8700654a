#include "uart_pty.h"

#include <stdio.h>

#include "argparse.h"
#include "bs_types.h"
#include "time_machine.h"

/* How far the board may run ahead of the other devices, and of the wall clock in real time, us. With the default of a
 * second, a board with an idle radio would not react to its host for that long. */
#define AHEAD_US 1000

void uart_pty_default_link(char *out, size_t size)
{
	snprintf(out, size, "/tmp/pnc-%s-%u", get_simid(), get_device_nbr());
}

void uart_pty_keep_pace(void)
{
	tm_set_phy_max_resync_offset(AHEAD_US);
}
