/* What the pseudo-terminal UART asks of the simulator around it. */
#ifndef PNC_UART_PTY_H
#define PNC_UART_PTY_H

#include <stddef.h>

/* Writes the default path of the port's symbolic link to out. */
void uart_pty_default_link(char *out, size_t size);

/* Called once at the start: keeps this board's time close to that of the others. */
void uart_pty_keep_pace(void);

#endif
