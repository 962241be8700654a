#include "uart_pty.h"

#include <stdio.h>

void uart_pty_default_link(char *out, size_t size)
{
	snprintf(out, size, "/tmp/pnc-native");
}

void uart_pty_keep_pace(void)
{
}
