/* The serial port: whichever the devicetree calls `pnc,serial`, else the board's console, by the interrupt-driven UART
 * API. One thread reads and writes; `on_event` is called in interrupt context (or on USB's work queue) when something
 * came or there is room. */
#ifndef PNC_SERIAL_H
#define PNC_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/devicetree.h>

#if DT_HAS_CHOSEN(pnc_serial)
#define SERIAL_NODE DT_CHOSEN(pnc_serial)
#else
#define SERIAL_NODE DT_CHOSEN(zephyr_console)
#endif

/* Starts the port; false if it is not there. */
bool serial_start(void (*on_event)(void));

/* Takes up to `room` bytes that came; returns their number. What is not taken holds the host back. */
size_t serial_read(uint8_t *out, size_t room);

/* Bytes that serial_write would take now. */
size_t serial_room(void);

/* Writes bytes, at most serial_room() of them. */
void serial_write(const uint8_t *bytes, size_t len);

/* False if the port can tell whether a host has opened it, and none has. */
bool serial_open(void);

#endif
