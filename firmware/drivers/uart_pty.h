/**
 * @file
 * @brief What the pseudo-terminal UART needs from the simulator.
 */
#ifndef PNC_UART_PTY_H
#define PNC_UART_PTY_H

#include <stddef.h>

/** @brief Write the default path of the port's symbolic link to `out`. */
void uart_pty_default_link(char *out, size_t size);

/** @brief Keep this board's time close to that of the other devices. Call once, at the start. */
void uart_pty_keep_pace(void);

#endif
